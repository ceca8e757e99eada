package dev.zerodowntime.orchestrator;

import static java.time.DayOfWeek.FRIDAY;
import static java.time.DayOfWeek.MONDAY;
import static java.time.DayOfWeek.SATURDAY;
import static java.time.DayOfWeek.SUNDAY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BackfillWindowTest {

  private static final ZoneId VIENNA = ZoneId.of("Europe/Vienna");
  private static final BackfillWindow NIGHT = BackfillWindow.daily("22:00", "05:30", VIENNA);

  private static Instant at(String local) {
    return LocalDateTime.parse(local).atZone(VIENNA).toInstant();
  }

  private static Instant utc(String instant) {
    return Instant.parse(instant + "Z");
  }

  private static BackfillWindow window(String text) {
    return BackfillWindow.parse(text);
  }

  @Test
  void alwaysIsAlways() {
    Instant now = Instant.parse("2026-11-25T18:00:00Z");
    assertThat(BackfillWindow.ALWAYS.open(now)).isTrue();
    assertThat(BackfillWindow.ALWAYS.nextOpening(now)).isEqualTo(now);
    assertThat(BackfillWindow.ALWAYS.closes(now)).isEmpty();
    assertThat(BackfillWindow.ALWAYS.toString()).isEmpty();
    assertThat(window("")).isEqualTo(BackfillWindow.ALWAYS);
    assertThat(window("  \n")).isEqualTo(BackfillWindow.ALWAYS);
    assertThat(BackfillWindow.ALWAYS.and(NIGHT)).isEqualTo(BackfillWindow.ALWAYS);
    assertThat(NIGHT.and(BackfillWindow.ALWAYS)).isEqualTo(BackfillWindow.ALWAYS);
  }

  @ParameterizedTest
  @CsvSource({
    "2026-11-25T21:59:59, false",
    "2026-11-25T22:00, true",
    "2026-11-25T23:59:59.999, true",
    "2026-11-26T00:00, true",
    "2026-11-26T05:29:59.999999999, true",
    "2026-11-26T05:30, false",
    "2026-11-26T12:00, false"
  })
  void overMidnight(String local, boolean open) {
    assertThat(NIGHT.open(at(local))).isEqualTo(open);
  }

  @Test
  void whenItOpensAndCloses() {
    Instant noon = at("2026-11-25T12:00");
    assertThat(NIGHT.nextOpening(noon)).isEqualTo(at("2026-11-25T22:00"));
    assertThat(NIGHT.closes(noon)).contains(at("2026-11-26T05:30"));
    Instant night = at("2026-11-26T03:00");
    assertThat(NIGHT.nextOpening(night)).isEqualTo(night);
    assertThat(NIGHT.closes(night)).contains(at("2026-11-26T05:30"));
    assertThat(NIGHT.closes(at("2026-11-26T05:30"))).contains(at("2026-11-27T05:30"));
  }

  @Test
  void theMorningAfterBelongsToTheDayBefore() {
    BackfillWindow friday = NIGHT.on(FRIDAY);
    assertThat(friday.open(at("2026-11-27T03:00"))).as("Friday morning").isFalse();
    assertThat(friday.open(at("2026-11-27T23:00"))).as("Friday night").isTrue();
    assertThat(friday.open(at("2026-11-28T03:00"))).as("Saturday morning").isTrue();
    assertThat(friday.open(at("2026-11-28T23:00"))).as("Saturday night").isFalse();
  }

  @Test
  void theWeekWraps() {
    BackfillWindow sunday = NIGHT.on(SUNDAY);
    assertThat(sunday.open(at("2026-11-30T05:00"))).as("Monday morning").isTrue();
    Instant monday = at("2026-11-30T05:30");
    assertThat(sunday.nextOpening(monday)).isEqualTo(at("2026-12-06T22:00"));
    assertThat(sunday.closes(monday)).contains(at("2026-12-07T05:30"));
    assertThat(window("Sat-Mon 01:00-02:00 UTC"))
        .isEqualTo(
            BackfillWindow.daily("01:00", "02:00", ZoneId.of("UTC")).on(MONDAY, SATURDAY, SUNDAY));
  }

  @Test
  void daysThatFollowEachOtherAreOneOpening() {
    BackfillWindow weekend = window("Sat,Sun 00:00-24:00 Europe/Vienna");
    assertThat(weekend.closes(at("2026-11-28T12:00"))).contains(at("2026-11-30T00:00"));
    BackfillWindow both = weekend.and(NIGHT);
    assertThat(both.closes(at("2026-11-27T23:00"))).contains(at("2026-11-30T05:30"));
    assertThat(both.nextOpening(at("2026-11-27T12:00"))).isEqualTo(at("2026-11-27T22:00"));
    assertThat(window("00:00-24:00 UTC").closes(at("2026-11-27T12:00"))).isEmpty();
    assertThat(window("00:00-02:30 America/New_York; 02:30-24:00 America/New_York"))
        .satisfies(w -> assertThat(w.closes(at("2026-11-27T12:00"))).isEmpty());
  }

  @Test
  void twoZones() {
    BackfillWindow both = window("22:00-23:00 Europe/Vienna; 22:00-23:00 America/New_York");
    assertThat(both.open(utc("2026-11-25T21:30:00"))).isTrue();
    assertThat(both.open(utc("2026-11-26T03:30:00"))).isTrue();
    assertThat(both.nextOpening(utc("2026-11-25T22:00:00"))).isEqualTo(utc("2026-11-26T03:00:00"));
  }

  /** Vienna left out 02:00 to 03:00 on 2026-03-29, New York on 2026-03-08. */
  @ParameterizedTest
  @CsvSource({
    "02:15-02:45 Europe/Vienna, 2026-03-28T12:00:00, 2026-03-29T01:00:00, 2026-03-29T01:30:00",
    "02:00-03:00 Europe/Vienna, 2026-03-28T12:00:00, 2026-03-29T01:00:00, 2026-03-29T02:00:00",
    "02:30-04:00 Europe/Vienna, 2026-03-28T12:00:00, 2026-03-29T01:00:00, 2026-03-29T02:00:00",
    "22:00-02:30 Europe/Vienna, 2026-03-28T12:00:00, 2026-03-28T21:00:00, 2026-03-29T01:00:00",
    "22:00-05:30 Europe/Vienna, 2026-03-28T12:00:00, 2026-03-28T21:00:00, 2026-03-29T03:30:00",
    "Sun 02:30-03:10 Europe/Vienna, 2026-03-28T12:00:00, 2026-03-29T01:00:00, 2026-03-29T01:10:00",
    "02:15-02:45 America/New_York, 2026-03-08T00:00:00, 2026-03-08T07:00:00, 2026-03-08T07:30:00",
    "22:00-02:30 America/New_York, 2026-03-08T00:00:00, 2026-03-08T03:00:00, 2026-03-08T07:00:00"
  })
  void clocksGoForward(String text, String from, String opens, String closes) {
    opensAndCloses(text, from, opens, closes);
  }

  /** Vienna had 02:00 to 03:00 twice on 2026-10-25, New York 01:00 to 02:00 on 2026-11-01. */
  @ParameterizedTest
  @CsvSource({
    "02:15-02:45 Europe/Vienna, 2026-10-24T12:00:00, 2026-10-25T00:15:00, 2026-10-25T00:45:00",
    "02:30-04:00 Europe/Vienna, 2026-10-24T12:00:00, 2026-10-25T00:30:00, 2026-10-25T03:00:00",
    "22:00-02:30 Europe/Vienna, 2026-10-24T12:00:00, 2026-10-24T20:00:00, 2026-10-25T00:30:00",
    "22:00-05:30 Europe/Vienna, 2026-10-24T12:00:00, 2026-10-24T20:00:00, 2026-10-25T04:30:00",
    "01:15-01:45 America/New_York, 2026-10-31T12:00:00, 2026-11-01T05:15:00, 2026-11-01T05:45:00",
    "01:30-03:00 America/New_York, 2026-10-31T12:00:00, 2026-11-01T05:30:00, 2026-11-01T08:00:00"
  })
  void clocksGoBack(String text, String from, String opens, String closes) {
    opensAndCloses(text, from, opens, closes);
  }

  private static void opensAndCloses(String text, String from, String opens, String closes) {
    BackfillWindow window = window(text);
    assertThat(window.open(utc(from))).isFalse();
    assertThat(window.nextOpening(utc(from))).isEqualTo(utc(opens));
    assertThat(window.closes(utc(from))).contains(utc(closes));
    assertThat(window.open(utc(opens).minusNanos(1))).isFalse();
    assertThat(window.open(utc(opens))).isTrue();
    assertThat(window.open(utc(closes).minusNanos(1))).isTrue();
    assertThat(window.open(utc(closes))).isFalse();
  }

  /** Samoa had no 30 December 2011: whoever waits for that Friday must not wait for ever. */
  @Test
  void aDayThatNeverWas() {
    BackfillWindow window = window("Fri 08:00-10:00 Pacific/Apia");
    Instant thursday = utc("2011-12-29T22:00:00");
    assertThat(window.nextOpening(thursday)).isEqualTo(utc("2011-12-30T10:00:00"));
    assertThat(window.closes(thursday)).contains(utc("2011-12-30T12:00:00"));
  }

  /** What the three answers say must be one story, at any time of the year in any zone. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "22:00-05:30 Europe/Vienna",
        "Mon,Wed 00:10-24:00 America/New_York; 02:10-02:50 America/New_York",
        "Sat,Sun 00:00-24:00 UTC; 22:00-05:00 Australia/Lord_Howe",
        "01:30-01:29 Europe/Dublin"
      })
  void theAnswersAgree(String text) {
    BackfillWindow window = window(text);
    Instant end = utc("2027-01-01T00:00:00");
    for (Instant now = utc("2026-01-01T00:00:00");
        now.isBefore(end);
        now = now.plus(Duration.ofMinutes(37))) {
      Instant opens = window.nextOpening(now);
      Instant closes = window.closes(now).orElseThrow();
      assertThat(opens.equals(now)).as("%s", now).isEqualTo(window.open(now));
      assertThat(window.open(opens)).isTrue();
      assertThat(window.open(opens.minusNanos(1)))
          .isEqualTo(opens.equals(now) && window.open(now.minusNanos(1)));
      assertThat(closes).isAfter(opens);
      assertThat(window.open(closes.minusNanos(1))).isTrue();
      assertThat(window.open(closes)).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "22:00-05:30 Europe/Vienna | 22:00-05:30 Europe/Vienna",
        "' 9:00 - 17:00  UTC ' | 09:00-17:00 UTC",
        "sun, SAT 00:00-24:00 UTC;22:00-05:00 Europe/Vienna"
            + " | Sat,Sun 00:00-24:00 UTC; 22:00-05:00 Europe/Vienna",
        "Mon-Fri 22:00-00:00 +02:00 | Mon,Tue,Wed,Thu,Fri 22:00-24:00 +02:00",
        "Monday 22:00-23:00 Z | Mon 22:00-23:00 Z",
        "Mon-Sun 22:00-23:00 UTC | 22:00-23:00 UTC",
        "22:00-23:00 UTC; 22:00-23:00 UTC | 22:00-23:00 UTC"
      })
  void textIsReadAndWritten(String text, String written) {
    assertThat(window(text)).hasToString(written).isEqualTo(window(written));
    assertThat(window(written)).hasSameHashCodeAs(window(text));
  }

  @Test
  void theSameInCodeAsInText() {
    assertThat(NIGHT).hasToString("22:00-05:30 Europe/Vienna");
    assertThat(
            BackfillWindow.daily("00:00", "24:00", ZoneId.of("UTC"))
                .on(SUNDAY, SATURDAY)
                .and(BackfillWindow.daily("22:00", "05:00", VIENNA)))
        .hasToString("Sat,Sun 00:00-24:00 UTC; 22:00-05:00 Europe/Vienna")
        .isNotEqualTo(NIGHT);
    Pace pace = Pace.DEFAULT.window(NIGHT.on(MONDAY));
    assertThat(Pace.fromMap(pace.toMap())).isEqualTo(pace);
    assertThat(NIGHT.closes(at("2026-11-25T23:00"))).isEqualTo(Optional.of(at("2026-11-26T05:30")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "22:00-05:30 | \"22:00-05:30\" has no time zone",
        "22:00-05:30 Europe/Wien | \"Europe/Wien\" is not a time zone, as Europe/Vienna and UTC are",
        "22:00-05:30 europe/vienna | \"europe/vienna\" is not a time zone; Europe/Vienna is",
        "22:00-05:30 vienna | \"vienna\" is not a time zone; Europe/Vienna is",
        "25:00-05:30 UTC | \"25:00\" is not a time from 00:00 to 24:00",
        "22:00-24:01 UTC | \"24:01\" is not a time",
        "22:00-5 UTC | \"5\" is not a time",
        "24:00-05:00 UTC | begins at 00:00",
        "22:00-22:00 UTC | it begins and ends at 22:00; the whole day is 00:00-24:00",
        "So 22:00-23:00 UTC | \"So\" is not a day: Mon, Tue",
        "Sat,, 22:00-23:00 UTC | \"\" is not a day",
        "Mon-Tue-Wed 22:00-23:00 UTC | nor from a day to a day",
        "22:00-23:00 UTC; | there is nothing before or after a semicolon",
        "at night | \"at night\" is not days (or none), from-to, time zone",
        "; | there is nothing before or after a semicolon",
        "22:00 UTC | is not days (or none), from-to, time zone"
      })
  void whatIsWrongIsSaid(String text, String problem) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> window(text))
        .withMessageContaining("backfill window \"" + text + "\": ")
        .withMessageContaining(problem)
        .withMessageEndingWith("A right one: Sat,Sun 00:00-24:00 UTC; 22:00-05:30 Europe/Vienna");
  }

  @Test
  void wrongInCode() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BackfillWindow.daily("22", "05:30", VIENNA))
        .withMessageContaining("\"22\" is not a time");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BackfillWindow.ALWAYS.on(SUNDAY))
        .withMessageContaining("daily(");
    assertThatIllegalArgumentException().isThrownBy(() -> NIGHT.on());
  }
}
