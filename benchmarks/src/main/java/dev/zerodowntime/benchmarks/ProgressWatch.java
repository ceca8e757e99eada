package dev.zerodowntime.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Takes a backfill's time from its own row in the control tables, by the database's clock: from the
 * row's creation, right before the first batch, to its end. So nothing else is in the figure that a
 * call of {@code drive()} also does: the lease, gates, DDL, reports.
 *
 * <p>Where a backfill ends with a verification, the row's state says when that begins; it is read
 * again and again, seldom enough not to matter and often enough to be right within a few percent.
 */
final class ProgressWatch implements AutoCloseable {

  private static final String QUERY =
      "SELECT m.status, m.last_error, b.state,"
          + " extract(epoch FROM b.updated_at - b.started_at),"
          + " extract(epoch FROM b.finished_at - b.started_at)"
          + " FROM orchestrator.migration m LEFT JOIN orchestrator.backfill b ON b.migration = m.id"
          + " WHERE m.id = ? ORDER BY b.started_at LIMIT 1";

  private static final Duration SHORTEST = Duration.ofMillis(2);

  private static final Duration LONGEST = Duration.ofMillis(50);

  private final Connection connection;
  private final PreparedStatement statement;
  private Duration written = Duration.ZERO;
  private boolean verifying;

  ProgressWatch(Database database) throws SQLException {
    connection = database.connect();
    statement = connection.prepareStatement(QUERY);
    statement.setString(1, Form.ID);
  }

  /**
   * What the row said.
   *
   * @param done whether it is done
   * @param writing how long rows were written
   * @param whole how long it has been at work
   */
  record Seen(boolean done, Duration writing, Duration whole) {}

  /** Until it is done, or the time is over, counted from its beginning. */
  Seen await(Duration atMost) throws SQLException {
    long patience = System.nanoTime() + OurBackfill.PATIENCE.toNanos();
    Duration between = SHORTEST;
    while (true) {
      Seen seen = look();
      if (seen.done() || seen.whole().compareTo(atMost) >= 0) {
        return seen;
      }
      if (System.nanoTime() - patience > 0) {
        throw new IllegalStateException("the backfill has not ended");
      }
      Threads.sleep(between);
      // 1 % of what has passed: as exact for a short run as for a long one.
      Duration one = seen.whole().dividedBy(100);
      between = one.compareTo(LONGEST) > 0 ? LONGEST : one.compareTo(SHORTEST) < 0 ? SHORTEST : one;
    }
  }

  Seen look() throws SQLException {
    try (ResultSet row = statement.executeQuery()) {
      if (!row.next()) {
        throw new IllegalStateException("the migration is not known");
      }
      if (row.getString(1).equals("FAILED")) {
        throw new IllegalStateException("the backfill has failed: " + row.getString(2));
      }
      String state = row.getString(3);
      if (state == null) {
        return new Seen(false, Duration.ZERO, Duration.ZERO);
      }
      boolean done = state.equals("DONE");
      Duration whole = seconds(row.getDouble(done ? 5 : 4));
      if (!verifying) {
        written = whole;
        verifying = state.equals("VERIFYING");
      }
      return new Seen(done, written, whole);
    }
  }

  private static Duration seconds(double value) {
    return Duration.ofNanos(Math.round(value * 1e9));
  }

  @Override
  public void close() throws SQLException {
    try (connection) {
      statement.close();
    }
  }
}
