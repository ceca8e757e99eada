package dev.zerodowntime.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * An application's load, at a fixed rate: each transaction has a moment at which it is due,
 * whatever became of those before it, and its latency counts from then. A load that waits for an
 * answer before it asks again would ask little just when answers are slow, and find them fast.
 */
final class Load implements AutoCloseable {

  /** Enough to keep the rate up unless the database stands still. */
  private static final int THREADS = 16;

  private final long nanosBetween;
  private final long rows;
  private final long start = System.nanoTime();
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong inserted = new AtomicLong();
  private final AtomicReference<@Nullable SQLException> failure = new AtomicReference<>();
  private final List<Latencies> latencies = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private volatile long end = Long.MAX_VALUE;

  private Load(Database database, Settings settings) {
    this.nanosBetween = 1_000_000_000L / settings.rate();
    this.rows = settings.loadRows();
    for (int i = 0; i < THREADS; i++) {
      Latencies mine = new Latencies();
      Random random = new Random(i);
      latencies.add(mine);
      threads.add(Threads.start(() -> work(database, mine, random)));
    }
  }

  /** Starts it, and returns when connections are open and caches warm. */
  static Load start(Database database, Settings settings) {
    Load load = new Load(database, settings);
    Threads.sleep(settings.time().dividedBy(4));
    return load;
  }

  private void work(Database database, Latencies mine, Random random) {
    try (Connection connection = database.connect();
        PreparedStatement read =
            connection.prepareStatement("SELECT name, filler FROM users WHERE id = ?");
        PreparedStatement update =
            connection.prepareStatement("UPDATE users SET name = ? WHERE id = ?");
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO users (id, name, filler) VALUES (?, ?, ?)")) {
      while (true) {
        long number = next.getAndIncrement();
        long due = number * nanosBetween;
        if (due >= end) {
          return;
        }
        Threads.sleepUntil(start + due);
        transaction(read, update, insert, number, random);
        mine.add(due, System.nanoTime() - start - due);
      }
    } catch (SQLException e) {
      failure.compareAndSet(null, e);
    }
  }

  /** Five reads, four updates, one insert; each commits by itself. */
  private void transaction(
      PreparedStatement read,
      PreparedStatement update,
      PreparedStatement insert,
      long number,
      Random random)
      throws SQLException {
    int kind = random.nextInt(10);
    long id = 1 + random.nextLong(rows);
    if (kind < 5) {
      read.setLong(1, id);
      read.executeQuery().close();
    } else if (kind < 9) {
      update.setString(1, "changed by " + number);
      update.setLong(2, id);
      update.executeUpdate();
    } else {
      insert.setLong(1, rows + inserted.incrementAndGet());
      insert.setString(2, "inserted by " + number);
      insert.setString(3, ".".repeat(60));
      insert.executeUpdate();
    }
  }

  /** Where we are on this load's own clock. */
  Duration now() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /**
   * Ends it when everything that is due has been done, however late.
   *
   * @return the latencies of what was due in that time
   * @throws SQLException if any transaction failed: that is no latency, but worse
   */
  Latencies stop(Duration from, Duration to) throws SQLException {
    close();
    SQLException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
    Latencies all = new Latencies();
    latencies.forEach(each -> all.addAll(each, from.toNanos(), to.toNanos()));
    return all;
  }

  @Override
  public void close() {
    end = Math.min(end, System.nanoTime() - start);
    threads.forEach(Threads::join);
  }
}
