package dev.zerodowntime.orchestrator.testing.crash;

import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The hand that the engine doesn't see: ends sessions on the server, and makes databases from
 * others, so that a cut needs no more than its own act. Used by one thread at a time.
 */
public interface Server extends AutoCloseable {

  /** A new, empty database. */
  String create() throws SQLException;

  /**
   * A copy of a database that nobody is connected to; its control tables take it for it. Where the
   * database's name is part of what is done in it, the copy before is dropped and its name taken.
   */
  String copy(String template) throws SQLException;

  /**
   * Keeps a copy as it is now, for further ones.
   *
   * @return what to copy; may be the copy itself
   */
  default String keep(String copy) throws SQLException {
    return copy;
  }

  void drop(String database) throws SQLException;

  /** Ends a session and waits until nothing of it is left: no lock, no transaction. */
  void end(long session) throws SQLException;

  /** Waits until a session waits for a lock. */
  void awaitWaiting(long session) throws SQLException;

  @Override
  void close() throws SQLException;

  /** Names of databases that no other run has. */
  final class Names {
    private static final AtomicInteger COUNTER = new AtomicInteger();
    private static final String RUN =
        Integer.toString(ThreadLocalRandom.current().nextInt(0x10000, 0x1000000), 36);

    private Names() {}

    /** The next one; {@link Point#text} knows what they look like. */
    public static String next() {
      return "crash_" + RUN + "_" + COUNTER.incrementAndGet();
    }
  }
}
