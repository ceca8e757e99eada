package dev.zerodowntime.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

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
}
