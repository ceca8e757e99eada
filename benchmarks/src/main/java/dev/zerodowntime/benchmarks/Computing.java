package dev.zerodowntime.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** A session that keeps a processor busy, and neither reads nor writes anything. */
final class Computing implements AutoCloseable {

  private static final int SAMPLE = 20_000;
  private static final int SAMPLES = 20;

  private final Connection connection;
  private final Statement statement;
  private final long hashes;

  private Computing(Connection connection, Statement statement, long hashes) {
    this.connection = connection;
    this.statement = statement;
    this.hashes = hashes;
  }

  /** One whose query takes about so long. */
  static Computing calibrated(Database database, Duration time) throws SQLException {
    Connection connection = database.connect();
    Statement statement = connection.createStatement();
    Computing sample = new Computing(connection, statement, SAMPLE);
    long least = Long.MAX_VALUE;
    for (int i = 0; i < SAMPLES; i++) {
      long start = System.nanoTime();
      sample.once();
      least = Math.min(least, System.nanoTime() - start);
    }
    return new Computing(connection, statement, Math.max(1, SAMPLE * time.toNanos() / least));
  }

  void once() throws SQLException {
    statement
        .executeQuery("SELECT count(md5(n::text)) FROM generate_series(1, " + hashes + ") AS n")
        .close();
  }

  /** Again and again, with pauses between. */
  long repeat(Duration time, Duration pause) throws SQLException {
    long end = System.nanoTime() + time.toNanos();
    long times = 0;
    do {
      once();
      times++;
      Threads.sleep(pause);
    } while (System.nanoTime() - end < 0);
    return times;
  }

  /** How much two such sessions do in the time in which one alone does 1. */
  static double twoToOne(Database database, Duration time) throws SQLException {
    Duration query = Duration.ofMillis(5);
    try (Computing first = calibrated(database, query);
        Computing second = calibrated(database, query)) {
      double alone = first.repeat(time, Duration.ZERO);
      Thread other =
          Threads.start(
              () -> {
                try {
                  // Longer than what is measured beside it.
                  second.repeat(time.multipliedBy(2), Duration.ZERO);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      double beside = first.repeat(time, Duration.ZERO);
      Threads.join(other);
      return 2 * beside / alone;
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
