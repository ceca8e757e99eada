package dev.zerodowntime.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What everybody would do first: one statement over the whole table. */
final class PlainUpdate {

  private PlainUpdate() {}

  /** Adds the column, as a person would. */
  static void prepare(Database database) throws SQLException {
    database.execute("ALTER TABLE users ADD COLUMN full_name text");
    database.settle();
  }

  /** By the wall clock, from sending it to its commit being confirmed. */
  static Run run(Database database) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      long start = System.nanoTime();
      long rows = statement.executeLargeUpdate("UPDATE users SET full_name = name");
      Duration time = Duration.ofNanos(System.nanoTime() - start);
      return new Run(rows, time, time);
    }
  }

  /** What two sessions make of it, half of the table each: all that a second worker can bring. */
  static Run halves(Database database, long rows) throws SQLException {
    AtomicLong changed = new AtomicLong();
    AtomicReference<@Nullable SQLException> failure = new AtomicReference<>();
    long start = System.nanoTime();
    Thread second =
        Threads.start(
            () -> {
              try {
                changed.addAndGet(where(database, "id > " + rows / 2));
              } catch (SQLException e) {
                failure.set(e);
              }
            });
    changed.addAndGet(where(database, "id <= " + rows / 2));
    Threads.join(second);
    Duration time = Duration.ofNanos(System.nanoTime() - start);
    SQLException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
    return new Run(changed.get(), time, time);
  }

  private static long where(Database database, String condition) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate("UPDATE users SET full_name = name WHERE " + condition);
    }
  }
}
