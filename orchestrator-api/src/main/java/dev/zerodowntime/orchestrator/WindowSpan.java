package dev.zerodowntime.orchestrator;

import java.time.DateTimeException;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One window of a {@link BackfillWindow}.
 *
 * @param days on which it begins
 * @param from minutes after midnight
 * @param to minutes after the midnight at which its first day begins: more than a day's, if it
 *     crosses midnight
 * @param zone of both
 */
record WindowSpan(Set<DayOfWeek> days, int from, int to, ZoneId zone) {

  private static final int DAY = 24 * 60;
  private static final int DAY_LETTERS = 3;
  private static final String EXAMPLE = "Sat,Sun 00:00-24:00 UTC; 22:00-05:30 Europe/Vienna";

  private static final Pattern SHAPE =
      Pattern.compile("(?:(\\D[^:]*?)\\s+)?([\\d:]+)\\s*-\\s*([\\d:]+)(?:\\s+(\\S.*))?");
  private static final Pattern TIME = Pattern.compile("(\\d{1,2}):([0-5]\\d)");

  WindowSpan {
    // In the order of the week, whatever order they were given in: the text must not differ.
    days = Collections.unmodifiableSet(EnumSet.copyOf(days));
  }

  static WindowSpan of(
      String text, Set<DayOfWeek> days, String fromText, String toText, ZoneId zone) {
    int from = time(text, fromText);
    int to = time(text, toText);
    if (from == DAY) {
      throw wrong(text, "a window that begins at midnight begins at 00:00");
    }
    if (from == to) {
      throw wrong(text, "it begins and ends at " + fromText + "; the whole day is 00:00-24:00");
    }
    return new WindowSpan(days, from, to < from ? to + DAY : to, zone);
  }

  /**
   * Reads one window.
   *
   * @param text all of them, for the message
   */
  static WindowSpan parse(String text, String part) {
    if (part.isBlank()) {
      throw wrong(text, "there is nothing before or after a semicolon");
    }
    Matcher shape = SHAPE.matcher(part.strip());
    if (!shape.matches()) {
      throw wrong(text, "\"" + part.strip() + "\" is not days (or none), from-to, time zone");
    }
    String days = shape.group(1);
    String zone = shape.group(4);
    if (zone == null) {
      throw wrong(text, "\"" + part.strip() + "\" has no time zone");
    }
    return of(
        text,
        days == null ? EnumSet.allOf(DayOfWeek.class) : days(text, days),
        shape.group(2),
        shape.group(3),
        zone(text, zone));
  }

  private static int time(String text, String time) {
    Matcher matcher = TIME.matcher(time);
    if (matcher.matches()) {
      int minutes = Integer.parseInt(matcher.group(1)) * 60 + Integer.parseInt(matcher.group(2));
      if (minutes <= DAY) {
        return minutes;
      }
    }
    throw wrong(text, "\"" + time + "\" is not a time from 00:00 to 24:00");
  }

  private static Set<DayOfWeek> days(String text, String days) {
    Set<DayOfWeek> set = EnumSet.noneOf(DayOfWeek.class);
    for (String each : days.split(",", -1)) {
      String[] ends = each.split("-", -1);
      if (ends.length > 2) {
        throw wrong(text, "\"" + each.strip() + "\" is not a day, nor from a day to a day");
      }
      DayOfWeek day = day(text, ends[0]);
      DayOfWeek last = day(text, ends[ends.length - 1]);
      set.add(day);
      // Over the end of the week, if need be: Sat-Mon.
      while (day != last) {
        day = day.plus(1);
        set.add(day);
      }
    }
    return set;
  }

  private static DayOfWeek day(String text, String name) {
    String wanted = name.strip().toUpperCase(Locale.ROOT);
    for (DayOfWeek each : DayOfWeek.values()) {
      if (wanted.equals(each.name()) || wanted.equals(each.name().substring(0, DAY_LETTERS))) {
        return each;
      }
    }
    throw wrong(text, "\"" + name.strip() + "\" is not a day: Mon, Tue, Wed, Thu, Fri, Sat, Sun");
  }

  private static ZoneId zone(String text, String name) {
    try {
      return ZoneId.of(name);
    } catch (DateTimeException e) {
      String end = ("/" + name).toLowerCase(Locale.ROOT);
      String near =
          ZoneId.getAvailableZoneIds().stream()
              .filter(id -> ("/" + id).toLowerCase(Locale.ROOT).endsWith(end))
              .min(Comparator.naturalOrder())
              .map(id -> "; " + id + " is")
              .orElse(", as Europe/Vienna and UTC are");
      throw wrong(text, "\"" + name + "\" is not a time zone" + near);
    }
  }

  private static IllegalArgumentException wrong(String text, String problem) {
    return new IllegalArgumentException(
        "backfill window \"" + text + "\": " + problem + ". A right one: " + EXAMPLE);
  }

  WindowSpan on(Set<DayOfWeek> others) {
    return new WindowSpan(others, from, to, zone);
  }

  boolean on(LocalDate day) {
    return days.contains(day.getDayOfWeek());
  }

  Instant begin(LocalDate day) {
    return instant(day, from);
  }

  Instant end(LocalDate day) {
    Instant begin = begin(day);
    Instant end = instant(day, to);
    // All of it was left out when clocks went forward: it is made up for, right after.
    return end.isAfter(begin) ? end : begin.plus(Duration.ofMinutes(to - from));
  }

  private Instant instant(LocalDate day, int minutes) {
    LocalDateTime local = day.atStartOfDay().plusMinutes(minutes);
    ZoneOffsetTransition transition = zone.getRules().getTransition(local);
    if (transition != null && transition.isGap()) {
      return transition.getInstant();
    }
    ZoneOffset first = zone.getRules().getValidOffsets(local).get(0);
    return local.toInstant(first);
  }

  @Override
  public String toString() {
    String on =
        days.size() == DayOfWeek.values().length
            ? ""
            : days.stream().map(WindowSpan::text).collect(Collectors.joining(",")) + " ";
    return on + text(from) + "-" + text(to > DAY ? to - DAY : to) + " " + zone.getId();
  }

  private static String text(DayOfWeek day) {
    return day.name().charAt(0) + day.name().substring(1, DAY_LETTERS).toLowerCase(Locale.ROOT);
  }

  private static String text(int minutes) {
    return String.format(Locale.ROOT, "%02d:%02d", minutes / 60, minutes % 60);
  }
}
