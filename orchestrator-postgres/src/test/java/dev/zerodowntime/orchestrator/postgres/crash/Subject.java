package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Timing;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import javax.sql.DataSource;

/**
 * An operation under test: a migration, and what the application's code writes meanwhile.
 *
 * @param name for the summary
 * @param stages its code stages
 * @param declare the migration, waiting for approval before the phases given
 * @param row by phase, what code inserts: columns and values, where {@code i} is the row's number
 * @param wrong counts rows that are not as they must be at the way's end; null where the
 *     undisturbed run says that well enough
 * @param <C> its code stages
 */
record Subject<C extends Enum<C> & CodeStage>(
    String name,
    Class<C> stages,
    Function<String[], Migration<C>> declare,
    IntFunction<Row> row,
    String wrong) {

  Subject(
      String name,
      Class<C> stages,
      Function<String[], Migration<C>> declare,
      IntFunction<Row> row) {
    this(name, stages, declare, row, null);
  }

  static final String TABLE = "users";

  /** Whether a person must consent to its way back, for it leaves something behind. */
  boolean consents() {
    return name.equals("AddEnumValue") || name.equals("WidenColumn");
  }

  private static final int FIRST_ROWS = 240;
  private static final int NEW_ROWS = 6;

  /** What code inserts. */
  record Row(String columns, String values) {
    static final Row PLAIN = new Row("id, country", "i, 'de'");
  }

  /** The application's table, with everything that a migration may have to look after. */
  static List<String> table() {
    return List.of(
        "CREATE TABLE countries (code text PRIMARY KEY)",
        "INSERT INTO countries VALUES ('de'), ('fr')",
        "CREATE SEQUENCE name_numbers",
        "CREATE TABLE users (id bigint PRIMARY KEY, country text NOT NULL REFERENCES countries,"
            + " name varchar(60) COLLATE \"C\" NOT NULL DEFAULT 'nobody', nick text DEFAULT"
            + " ('nick-' || nextval('name_numbers')) NOT NULL, note text, touched int NOT NULL"
            + " DEFAULT 0, visits int NOT NULL DEFAULT 0, CONSTRAINT name_short CHECK (length(name) < 50), CONSTRAINT touches"
            + " CHECK (touched >= 0))",
        "CREATE INDEX users_name ON users (name varchar_pattern_ops, id DESC) INCLUDE (note)",
        "CREATE INDEX users_name_lower ON users (lower(name)) WHERE country = 'de'",
        "CREATE INDEX users_name_alone ON users (name)",
        "CREATE UNIQUE INDEX users_nick ON users (nick)",
        "CREATE INDEX users_country ON users (country)",
        "COMMENT ON COLUMN users.name IS 'who it''s'",
        "COMMENT ON INDEX users_name_alone IS 'by name'",
        "ALTER TABLE users ALTER COLUMN name SET STATISTICS 200",
        "GRANT SELECT (name, nick), UPDATE (name) ON users TO PUBLIC",
        // Counts every UPDATE of a row: a batch that ran twice shows.
        "CREATE FUNCTION count_touch() RETURNS trigger LANGUAGE plpgsql AS"
            + " 'BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END'",
        "CREATE TRIGGER count_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION"
            + " count_touch()",
        // What rows are copied into.
        "CREATE TABLE notes (user_id bigint PRIMARY KEY, body text, touched int NOT NULL DEFAULT"
            + " 0)",
        "CREATE TRIGGER count_touch BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION"
            + " count_touch()",
        "INSERT INTO notes SELECT i * 20, 'old' FROM generate_series(1, 20) i",
        // What goes as a whole.
        "CREATE TYPE kind AS ENUM ('long')",
        "CREATE TABLE visits (kind kind, id bigserial PRIMARY KEY, country text REFERENCES countries, at int"
            + " GENERATED ALWAYS AS IDENTITY)",
        "CREATE INDEX visits_at ON visits (at)",
        "INSERT INTO visits (country) SELECT 'fr' FROM generate_series(1, 20)",
        // What has no rows yet.
        "CREATE TABLE bookings (room int, during int4range)",
        // What rejects rows without a value.
        "CREATE TABLE letters (id bigint PRIMARY KEY, body text NOT NULL, CONSTRAINT body_short"
            + " CHECK (length(body) < 50))",
        "INSERT INTO letters SELECT i, 'letter ' || i FROM generate_series(1, 240) i",
        "CREATE TABLE drafts (id bigint PRIMARY KEY, title text)",
        // What has no key yet.
        "CREATE TABLE tallies (day int NOT NULL CONSTRAINT tallies_day UNIQUE, country text NOT NULL, visits int)",
        "INSERT INTO tallies SELECT i, 'de', i FROM generate_series(1, 240) i",
        // What has types that are too small.
        "CREATE TABLE parcels (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, code"
            + " varchar(40) COLLATE \"C\" NOT NULL DEFAULT 'none' CONSTRAINT code_given CHECK (code <>"
            + " ''), weight int, UNIQUE (id, code))",
        "COMMENT ON CONSTRAINT code_given ON parcels IS 'a code'",
        "INSERT INTO parcels (code, weight) SELECT 'p' || i, i FROM generate_series(1, 240) i",
        // What is partitioned, one of them once more.
        "CREATE TABLE events (id bigint, day int NOT NULL, country text, touched int NOT NULL"
            + " DEFAULT 0, seen int NOT NULL, PRIMARY KEY (day,"
            + " id)) PARTITION BY RANGE (day)",
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (100) TO (200) PARTITION BY"
            + " LIST (day)",
        "CREATE TABLE events_2_rest PARTITION OF events_2 DEFAULT",
        "CREATE TABLE events_3 (country text, touched int NOT NULL DEFAULT 0, day int NOT NULL, id"
            + " bigint NOT NULL, seen int NOT NULL)",
        "CREATE UNIQUE INDEX events_3_id ON events_3 (id)",
        "INSERT INTO events_3 SELECT 'de', 0, 200 + i, i, 1 FROM generate_series(1, 240) i",
        "CREATE TRIGGER count_touch BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION"
            + " count_touch()",
        "INSERT INTO events SELECT i, i, 'de', 0, 1 FROM generate_series(1, 199) i",
        // What runs out of numbers.
        "CREATE TABLE crates (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, label text)",
        "COMMENT ON COLUMN crates.id IS 'its number'",
        "INSERT INTO crates (label) SELECT 'c' || i FROM generate_series(1, 240) i",
        "INSERT INTO users (id, country, name, note) SELECT i * 10, 'de', 'name ' || i, repeat('x',"
            + " i % 90) FROM generate_series(1, "
            + FIRST_ROWS
            + ") i");
  }

  /** What the application writes when everything is at rest in a phase. */
  List<String> writes(int phase, int round) {
    int from = 100_000 + round * 100;
    Row each = row.apply(phase);
    return List.of(
        "INSERT INTO users (%s) SELECT %s FROM generate_series(%d, %d) i"
            .formatted(each.columns(), each.values(), from, from + NEW_ROWS - 1),
        "UPDATE users SET note = 'round " + round + "' WHERE id % 500 = 0");
  }

  /** What is wrong after an act, whatever the undisturbed run says; or null. */
  String wrong(DataSource dataSource, Act act) throws SQLException {
    if (wrong == null || act.end() != migration(List.of()).lifecycle().last()) {
      return null;
    }
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(wrong)) {
      row.next();
      return row.getLong(1) == 0 ? null : row.getLong(1) + " found by " + wrong;
    }
  }

  /** Whether an act ends where a constraint holds for new rows, and not yet for all. */
  boolean enforces(Act act) {
    Lifecycle lifecycle = migration(List.of()).lifecycle();
    return lifecycle.stages().get(0).stage().equals("MAY_VIOLATE")
        && act.end() > 0
        && act.end() < lifecycle.last();
  }

  Migration<C> migration(List<String> approvals) {
    return declare.apply(approvals.toArray(String[]::new));
  }

  /** The process of an act. */
  Orchestrator member(DataSource dataSource, Act act, List<String> approvals) {
    return builder(dataSource, act, approvals).build();
  }

  @SuppressWarnings("unchecked")
  OrchestratorBuilder builder(DataSource dataSource, Act act, List<String> approvals) {
    OrchestratorBuilder builder =
        Orchestrator.builder(dataSource)
            .application("billing")
            .release(act.release())
            .noStarQueries()
            .background(false)
            .backfillWorkers(0)
            .backupGate((migration, drops) -> true)
            .timing(timing -> quick(timing).horizon(act.horizon()));
    if (act.stage() != null) {
      builder.thisBuild(migration(approvals), Enum.valueOf(stages, act.stage()));
    }
    return builder;
  }

  /**
   * The rules of production with short durations. The tick only bounds slices of work here: a long
   * one keeps the trace free of looks at a clock.
   */
  private static Timing quick(Timing timing) {
    return timing
        .heartbeat(Duration.ofMillis(20), Duration.ofMillis(60))
        .soak(Duration.ZERO)
        .drain(Duration.ZERO)
        .startupBudget(Duration.ofSeconds(20))
        .lockBudget(Duration.ofSeconds(10))
        .retryPause(Duration.ofMillis(10))
        .lease(Duration.ofMillis(15))
        .tick(Duration.ofSeconds(5));
  }
}
