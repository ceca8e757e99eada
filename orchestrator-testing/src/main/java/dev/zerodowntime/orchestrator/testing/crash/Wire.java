package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/**
 * Everything that one process says to the server: noted down, and cut off where the test says. From
 * then on the process is gone: its sessions end, and whatever else it tries fails.
 */
class Wire {

  private final Product product;
  private final Server server;
  private final DataSource plain;
  private final Cut cut;
  private final Map<String, Integer> seen = new HashMap<>();
  private final List<Point> points = new ArrayList<>();
  private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
  private volatile boolean dead;
  private volatile boolean cutOff;
  private volatile String fault;

  /**
   * A process's wire.
   *
   * @param product whose sessions these are, or null if nobody ever ends them
   * @param server ends sessions, or null likewise
   * @param plain the database
   * @param cut where to cut, or null
   */
  Wire(Product product, Server server, DataSource plain, Cut cut) {
    this.product = product;
    this.server = server;
    this.plain = plain;
    this.cut = cut;
  }

  /** A statement to be sent. */
  interface Call {
    Object run() throws SQLException;
  }

  /** One session, and what the client knows of its transaction. */
  static final class Session {
    final Connection raw;
    final long pid;
    boolean inTransaction;
    boolean changed;

    private Session(Connection raw, long pid) {
      this.raw = raw;
      this.pid = pid;
    }

    void ended() {
      inTransaction = false;
      changed = false;
    }
  }

  boolean dead() {
    return dead;
  }

  /** Whether the cut came. */
  boolean cutOff() {
    return cutOff;
  }

  /** What must never happen, whatever else did; or null. */
  String fault() {
    return fault;
  }

  void fault(String what) {
    fault = what;
  }

  /** What was sent so far. */
  List<Point> points() {
    synchronized (points) {
      return List.copyOf(points);
    }
  }

  Session open() throws SQLException {
    requireAlive();
    Connection raw = plain.getConnection();
    Session session = new Session(raw, product == null ? 0 : product.session(raw));
    sessions.add(session);
    return session;
  }

  void forget(Session session) throws SQLException {
    sessions.remove(session);
    session.raw.close();
  }

  void requireAlive() throws SQLException {
    if (dead) {
      wake();
      throw lost();
    }
  }

  /** Nobody waits in a process that is gone: pauses before another try end at once. */
  private static void wake() {
    Thread.currentThread().interrupt();
  }

  private static SQLException lost() {
    return new SQLException("the connection was cut by the test", "08006");
  }

  /** Sends a statement, unless the cut is here. */
  Object send(Session session, String sql, Point.Effect effect, Call call) throws SQLException {
    requireAlive();
    Point point = note(sql, effect);
    if (cut == null || !cut.point().same(point)) {
      Object result = call.run();
      requireAlive();
      return result;
    }
    cutOff = true;
    try {
      switch (cut.when()) {
        case BEFORE -> server.end(session.pid);
        case DURING -> endDuring(session, call);
        default -> {
          try {
            call.run();
          } catch (SQLException e) {
            // It ran to its end all the same; this client won't hear of that either.
          }
          server.end(session.pid);
          throw lost();
        }
      }
      call.run();
      fault("a statement got through a dead session: " + sql);
      throw lost();
    } finally {
      die();
      wake();
    }
  }

  private Point note(String text, Point.Effect effect) {
    synchronized (points) {
      Point point = new Point(text, seen.merge(text, 1, Integer::sum), effect);
      points.add(point);
      return point;
    }
  }

  /** A transaction that writes to the table keeps the statement waiting half-way. */
  private void endDuring(Session session, Call call) throws SQLException {
    try (Connection other = plain.getConnection();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute(product.holdsUp(cut.point().sql()).orElseThrow());
      CompletableFuture<SQLException> sent =
          CompletableFuture.supplyAsync(() -> failure(call::run), Threads.ONE_EACH);
      server.awaitWaiting(session.pid);
      server.end(session.pid);
      SQLException failure = sent.join();
      other.rollback();
      if (failure != null) {
        throw failure;
      }
    }
  }

  private static SQLException failure(Callable<Object> call) {
    try {
      call.call();
      return null;
    } catch (SQLException e) {
      return e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** What sessions that are used again have that new ones have not; empty if nothing leaked. */
  List<String> leaks() throws SQLException {
    List<String> leaks = new ArrayList<>();
    try (Connection fresh = plain.getConnection()) {
      List<String> expected = product.settings(fresh);
      for (Session each : sessions) {
        if (!each.raw.isClosed()) {
          List<String> found = new ArrayList<>(product.settings(each.raw));
          found.removeAll(expected);
          leaks.addAll(found);
        }
      }
    }
    return leaks;
  }

  /** The process is gone, and with it all its sessions. */
  void die() throws SQLException {
    dead = true;
    for (Session session : sessions) {
      server.end(session.pid);
      forget(session);
    }
  }
}
