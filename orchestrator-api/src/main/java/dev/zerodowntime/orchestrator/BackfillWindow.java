package dev.zerodowntime.orchestrator;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The times of low traffic when a backfill's batches may run, with their time zone. Immutable and
 * thread-safe; equal if the text is.
 *
 * <pre>{@code
 * BackfillWindow.daily("22:00", "05:30", ZoneId.of("Europe/Vienna"))
 *     .and(BackfillWindow.daily("00:00", "24:00", ZoneId.of("Europe/Vienna"))
 *         .on(DayOfWeek.SATURDAY, DayOfWeek.SUNDAY))
 * }</pre>
 *
 * <p>As text, which is what the control tables keep and people edit: {@code 22:00-05:30
 * Europe/Vienna; Sat,Sun 00:00-24:00 Europe/Vienna}. Days are {@code Mon} to {@code Sun}, also as
 * {@code Mon-Fri}; without days it is every day. No text is {@link #ALWAYS}.
 *
 * <p>A window that ends at or before the time at which it begins ends on the next day, and belongs
 * to the day on which it begins: {@code Fri 22:00-05:00} is the night from Friday to Saturday. Its
 * end does not belong to it.
 *
 * <p>Where clocks go forward, a window opens (or closes) when they do, if the time at which it
 * should is left out; one that lies in what is left out keeps its length and begins right after it.
 * Where clocks go back, a time that comes twice means the first one.
 */
public final class BackfillWindow {

  /** At any time. Its text is empty. */
  public static final BackfillWindow ALWAYS = new BackfillWindow(List.of());

  /** Every weekday comes within it, whatever clocks and date lines do. */
  private static final int DAYS_AHEAD = 9;

  /** Once round the year, with each change of the clocks: what is open so long never closes. */
  private static final Duration NEVER = Duration.ofDays(400);

  /** Empty: always. */
  private final List<WindowSpan> spans;

  private BackfillWindow(List<WindowSpan> spans) {
    this.spans = List.copyOf(spans);
  }

  /**
   * A window on every day.
   *
   * @param from when it begins, such as {@code 22:00}
   * @param to when it ends, such as {@code 05:30}; {@code 24:00} is midnight
   * @param zone the time zone of both
   * @return the window
   * @throws IllegalArgumentException if a time can't be read, or both are the same
   */
  public static BackfillWindow daily(String from, String to, ZoneId zone) {
    return new BackfillWindow(
        List.of(WindowSpan.of(from + "-" + to, EnumSet.allOf(DayOfWeek.class), from, to, zone)));
  }

  /**
   * Only on some days: those on which it begins. Where this is several windows, each of them.
   *
   * @param days one at least
   * @return a copy
   * @throws IllegalArgumentException if there are no days, or this is {@link #ALWAYS}, which has no
   *     time zone in which a day would begin
   */
  public BackfillWindow on(DayOfWeek... days) {
    if (days.length == 0) {
      throw new IllegalArgumentException("a window on no day would never open");
    }
    if (spans.isEmpty()) {
      throw new IllegalArgumentException(
          "ALWAYS has no time zone in which a day would begin: use daily(\"00:00\", \"24:00\","
              + " zone).on(...)");
    }
    EnumSet<DayOfWeek> set = EnumSet.of(days[0], days);
    return new BackfillWindow(spans.stream().map(span -> span.on(set)).toList());
  }

  /**
   * Open whenever one of the two is. {@link #ALWAYS} and another is {@link #ALWAYS}.
   *
   * @param other the other
   * @return both
   */
  public BackfillWindow and(BackfillWindow other) {
    if (spans.isEmpty() || other.spans.isEmpty()) {
      return ALWAYS;
    }
    List<WindowSpan> both = new ArrayList<>(spans);
    other.spans.stream().filter(span -> !both.contains(span)).forEach(both::add);
    return new BackfillWindow(both);
  }

  /**
   * Reads the text form. Upper and lower case of days, and spaces, don't matter.
   *
   * @param text such as {@code 22:00-05:30 Europe/Vienna}; blank: always
   * @return the window
   * @throws IllegalArgumentException if it can't be read; its message names the text, what is wrong
   *     with it, and a right one
   */
  public static BackfillWindow parse(String text) {
    BackfillWindow window = ALWAYS;
    if (text.isBlank()) {
      return window;
    }
    for (String part : text.split(";", -1)) {
      BackfillWindow next = new BackfillWindow(List.of(WindowSpan.parse(text, part)));
      window = window.spans.isEmpty() ? next : window.and(next);
    }
    return window;
  }

  /**
   * Whether batches may run.
   *
   * @param now when
   * @return whether it is open then
   */
  public boolean open(Instant now) {
    return spans.isEmpty() || spans.stream().anyMatch(span -> end(span, now).isPresent());
  }

  /**
   * When batches may run next.
   *
   * @param now from when on
   * @return {@code now} itself if it is open then
   */
  public Instant nextOpening(Instant now) {
    return spans.stream().map(span -> opening(span, now)).min(Instant::compareTo).orElse(now);
  }

  /**
   * When batches have to stop: the end of the opening that is now, or of the next one if it is
   * closed now. Windows that follow each other without a gap are one opening.
   *
   * @param now from when on
   * @return empty if it never closes
   */
  public Optional<Instant> closes(Instant now) {
    Instant until = nextOpening(now);
    Instant never = until.plus(NEVER);
    while (until.isBefore(never)) {
      Instant at = until;
      Optional<Instant> later =
          spans.stream().flatMap(span -> end(span, at).stream()).max(Instant::compareTo);
      if (later.isEmpty()) {
        return spans.isEmpty() ? Optional.empty() : Optional.of(until);
      }
      until = later.get();
    }
    return Optional.empty();
  }

  /** The end of a span's window that is open now. */
  private static Optional<Instant> end(WindowSpan span, Instant now) {
    LocalDate today = now.atZone(span.zone()).toLocalDate();
    // From two days ago: the window may cross midnight, and clocks may have skipped its begin.
    return today
        .minusDays(2)
        .datesUntil(today.plusDays(2))
        .filter(span::on)
        .filter(day -> !span.begin(day).isAfter(now))
        .map(span::end)
        .filter(now::isBefore)
        .max(Instant::compareTo);
  }

  private static Instant opening(WindowSpan span, Instant now) {
    LocalDate today = now.atZone(span.zone()).toLocalDate();
    return today
        .minusDays(2)
        .datesUntil(today.plusDays(DAYS_AHEAD))
        .filter(span::on)
        .filter(day -> span.end(day).isAfter(now))
        .map(span::begin)
        .map(begin -> begin.isBefore(now) ? now : begin)
        .min(Instant::compareTo)
        .orElseThrow();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BackfillWindow window && spans.equals(window.spans);
  }

  @Override
  public int hashCode() {
    return spans.hashCode();
  }

  /** The text that {@link #parse} reads. */
  @Override
  public String toString() {
    return spans.stream().map(WindowSpan::toString).collect(Collectors.joining("; "));
  }
}
