package dev.zerodowntime.orchestrator.postgres.oracle;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.testing.crash.Journeys;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Call;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Journey;
import dev.zerodowntime.orchestrator.testing.oracle.Declared;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Listens to one journey and looks, after every statement, at the locks which that has left its
 * session with; whatever is more than its step declares is a violation. Steps are known by the
 * comment that their statements carry.
 *
 * <ul>
 *   <li>In a transaction, locks stay until its end: they are looked at before the next statement.
 *   <li>A long statement that could as well run in a transaction is given one.
 *   <li>CONCURRENTLY can't: there, a transaction of an application is in its way. Where it waits
 *       for that one it is looked at, another one is opened, the first ends, and so on until it
 *       waits for nobody. In between, it is looked at as often as that goes.
 *   <li>Statements of the engine's own, and preflights, may do what queries do; and keep autovacuum
 *       away, which nobody else waits for.
 * </ul>
 */
final class LockOracle implements Journeys.Listener, AutoCloseable {

  private static final Pattern TAG =
      Pattern.compile(
          "^/\\* orchestrator (\\S+) (\\S+) (.+?)(?: chunk=\\S+)? token=\\S+ \\*/ (.*)$");

  private static final String KEEPS_AUTOVACUUM_AWAY =
      "LOCK TABLE .* IN SHARE UPDATE EXCLUSIVE MODE";

  /** What an author's code did is looked at by the engine itself, before it commits. */
  private static final String ASKS_FOR_OWN_LOCKS =
      "FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid()";

  /** What ends a transaction, or gives a part of its locks back. */
  private static final Set<String> TRANSACTION_ENDS =
      Set.of("jdbc commit", "jdbc rollback", "jdbc setAutoCommit", "jdbc rollback to");

  /** The lock budget of the processes that are listened to. */
  private static final long BUDGET_MILLIS = 10_000;

  private final Journey journey;
  private final Declared declared;
  private final Map<Declared.Key, Measured> measured = new LinkedHashMap<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<Integer, Open> transactions = new ConcurrentHashMap<>();
  private volatile Direction direction = Direction.UP;
  private Observer observer;
  private int others;

  LockOracle(Journey journey, Declared declared) {
    this.journey = journey;
    this.declared = declared;
  }

  /** A statement of a step, on its way. */
  private record Told(Declared.Key key, Step step, String sql) {}

  /** A transaction and its locks. */
  private static final class Open {
    private final Map<String, Mode> locks = new HashMap<>();
    private final Map<String, Long> since = new HashMap<>();
    private Map<Long, Observer.Rows> rows;
    private long counted;
    private final List<String> others = new ArrayList<>();
    private Told last;

    /** What looking has cost, which is nothing to those who wait for the locks. */
    private long looking;

    /** Notes down what is new, and since when; returns it. */
    Map<String, Mode> took(Map<String, Mode> now, long start) {
      Map<String, Mode> taken = new HashMap<>();
      now.forEach(
          (table, mode) -> {
            Mode had = locks.get(table);
            if (had == null || mode.strongerThan(had)) {
              taken.put(table, mode);
              since.put(table, start);
            }
          });
      locks.putAll(taken);
      return taken;
    }
  }

  @Override
  public void begins(DataSource database) throws SQLException {
    observer = new Observer(database);
  }

  @Override
  public void turns(Direction to) {
    direction = to;
  }

  @Override
  public Object hears(Connection session, long number, String sql, Call call) throws SQLException {
    int pid = Math.toIntExact(number);
    if (sql.startsWith("jdbc ")) {
      if (!TRANSACTION_ENDS.contains(sql)) {
        return call.run();
      }
      Object result = ends(pid, call);
      if (!sql.equals("jdbc rollback to")) {
        transactions.remove(pid);
      }
      return result;
    }
    Told told = told(sql);
    if (!session.getAutoCommit()) {
      return inTransaction(session, pid, sql, told, call);
    }
    if (told == null) {
      return call.run();
    }
    return told.sql().matches(".* CONCURRENTLY( .*)?")
        ? concurrently(session, pid, told, call)
        : inOneOfItsOwn(session, pid, sql, told, call);
  }

  private Told told(String sql) {
    Matcher tag = TAG.matcher(sql);
    if (!tag.matches()) {
      return null;
    }
    int entering = journey.lifecycle().position(tag.group(2));
    Declared.Movement movement =
        new Declared.Movement(direction == Direction.UP ? entering : entering + 1, direction);
    String name = tag.group(3);
    Step step = declared.hear(movement, name);
    if (step == null) {
      violation(name + " is a step that " + movement + " does not declare: " + sql);
      return null;
    }
    return new Told(new Declared.Key(movement, name), step, tag.group(4));
  }

  private Object inTransaction(Connection session, int pid, String sql, Told told, Call call)
      throws SQLException {
    Open open = transactions.computeIfAbsent(pid, each -> new Open());
    if (told == null) {
      boolean back = sql.startsWith("ROLLBACK");
      if (back) {
        lookAtOthers(open, pid);
      }
      Object result = call.run();
      open.others.add(sql);
      return result;
    }
    lookAtOthers(open, pid);
    long looks = System.nanoTime();
    Observer.Limits limits = Observer.Limits.of(session);
    if (open.rows == null) {
      open.rows = Observer.rows(session);
    }
    open.last = told;
    measured(told).statement();
    open.looking += System.nanoTime() - looks;
    long start = System.nanoTime() - open.looking;
    Object result = call.run();
    looks = System.nanoTime();
    Map<String, Mode> locks = observer.locks(pid);
    open.took(locks, start).forEach((table, mode) -> judge(told, table, mode));
    measured(told, locks);
    requireLimits(told, limits, locks);
    long rewritten = Observer.rewritten(session, open.rows);
    measured(told).rewritten(rewritten - open.counted);
    open.counted = rewritten;
    open.looking += System.nanoTime() - looks;
    return result;
  }

  /** Statements of no step, all since the last look: they may do what queries do. */
  private void lookAtOthers(Open open, int pid) throws SQLException {
    if (open.others.isEmpty()) {
      return;
    }
    long looks = System.nanoTime();
    boolean autovacuum = open.others.stream().anyMatch(each -> each.matches(KEEPS_AUTOVACUUM_AWAY));
    boolean authors = open.others.stream().anyMatch(each -> each.contains(ASKS_FOR_OWN_LOCKS));
    Mode allowed =
        autovacuum ? Mode.SHARE_UPDATE_EXCLUSIVE : authors ? Mode.ROW_EXCLUSIVE : Mode.ROW_SHARE;
    open.took(observer.locks(pid), looks - open.looking)
        .forEach(
            (table, mode) -> {
              if (mode.strongerThan(allowed)) {
                violation(
                    "statements of no step took " + mode + " on " + table + ": " + open.others);
              }
            });
    others(open.others.size());
    open.others.clear();
    open.looking += System.nanoTime() - looks;
  }

  /** Its locks are gone with its last statement: they are kept for one more look. */
  private Object inOneOfItsOwn(Connection session, int pid, String sql, Told told, Call call)
      throws SQLException {
    session.setAutoCommit(false);
    try {
      Object result = inTransaction(session, pid, sql, told, call);
      ends(
          pid,
          () -> {
            session.commit();
            return null;
          });
      return result;
    } finally {
      transactions.remove(pid);
      if (!session.isClosed()) {
        session.rollback();
        session.setAutoCommit(true);
      }
    }
  }

  private Object concurrently(Connection session, int pid, Told told, Call call)
      throws SQLException {
    measured(told).statement();
    Observer.Limits limits = Observer.Limits.of(session);
    Map<String, Mode> seen = new HashMap<>();
    Map<String, Long> since = new HashMap<>();
    long waited = 0;
    int stops = 0;
    Writer writer = observer.writer();
    CompletableFuture<Object> sent = new CompletableFuture<>();
    try {
      long start = System.nanoTime();
      send(call, sent);
      while (!sent.isDone()) {
        boolean stopped = writer != null && observer.waits(pid, writer.pid);
        long now = System.nanoTime();
        observer
            .locks(pid)
            .forEach(
                (table, mode) -> {
                  Mode had = seen.get(table);
                  if (had == null || mode.strongerThan(had)) {
                    seen.put(table, mode);
                    since.put(table, had == null ? start : now);
                    judge(told, table, mode);
                  }
                });
        if (stopped) {
          stops++;
          Writer next = observer.writer();
          writer.close();
          writer = next;
          waited += System.nanoTime() - now;
        } else {
          // A spinning client would only keep the server from getting there.
          LockSupport.parkNanos(200_000);
        }
      }
      measured(told, seen);
      requireLimits(told, limits, seen);
      long end = System.nanoTime();
      for (Map.Entry<String, Mode> each : seen.entrySet()) {
        measured(told)
            .held(each.getKey(), each.getValue(), end - since.get(each.getKey()) - waited);
      }
    } finally {
      if (writer != null) {
        writer.close();
      }
    }
    Object result = result(sent);
    if (stops == 0) {
      violation(where(told) + " was nowhere looked at while it ran: " + told.sql());
    }
    return result;
  }

  private static void send(Call call, CompletableFuture<Object> sent) {
    Thread thread =
        new Thread(
            () -> {
              try {
                sent.complete(call.run());
              } catch (SQLException | RuntimeException | Error e) {
                sent.completeExceptionally(e);
              }
            },
            "oracle-sends");
    thread.setDaemon(true);
    thread.start();
  }

  private static Object result(CompletableFuture<Object> sent) throws SQLException {
    try {
      return sent.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException sql) {
        throw sql;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private Object ends(int pid, Call call) throws SQLException {
    Open open = transactions.get(pid);
    if (open != null) {
      lookAtOthers(open, pid);
    }
    Object result = call.run();
    if (open != null && open.last != null) {
      long end = System.nanoTime() - open.looking;
      Measured last = measured(open.last);
      open.locks.forEach((table, mode) -> last.held(table, mode, end - open.since.get(table)));
    }
    return result;
  }

  /**
   * The strongest lock that a step may take on a table: what it declares. On other tables what any
   * query takes, or any change of rows where it changes some.
   */
  private static Mode allowed(Step step, String table) {
    Mode most = null;
    for (TableLock each : step.locks()) {
      Mode mode = Mode.of(each.mode());
      if (Declared.plain(each.table()).equals(table) && (most == null || mode.strongerThan(most))) {
        most = mode;
      }
    }
    return most != null ? most : step instanceof BackfillStep ? Mode.ROW_EXCLUSIVE : Mode.ROW_SHARE;
  }

  private void judge(Told told, String table, Mode mode) {
    Mode allowed = allowed(told.step(), table);
    if (mode.strongerThan(allowed)) {
      violation(
          where(told)
              + " took "
              + mode
              + " on "
              + table
              + ", which is stronger than "
              + allowed
              + "; it declares: "
              + told.step().lock()
              + "; statement: "
              + told.sql());
    }
  }

  /** While a blocking lock is held, no statement may wait without end, nor run without end. */
  private void requireLimits(Told told, Observer.Limits limits, Map<String, Mode> locks) {
    locks.forEach(
        (table, mode) -> {
          if (mode.blocking() && !limits.within(BUDGET_MILLIS)) {
            violation(
                where(told)
                    + " holds "
                    + mode
                    + " on "
                    + table
                    + " without its bound: "
                    + limits
                    + "; statement: "
                    + told.sql());
          }
        });
  }

  private String where(Told told) {
    Declared.Movement movement = told.key().movement();
    return journey.name()
        + ", "
        + journey.lifecycle().name(movement.phase())
        + " "
        + movement.direction()
        + ", "
        + told.key().step();
  }

  private Measured measured(Told told) {
    synchronized (measured) {
      return measured.computeIfAbsent(told.key(), key -> new Measured());
    }
  }

  /** Rows of a batch are not the table's: only what is stronger than that is a table's lock. */
  private void measured(Told told, Map<String, Mode> locks) {
    Mode plain = told.step() instanceof BackfillStep ? Mode.ROW_EXCLUSIVE : Mode.ROW_SHARE;
    locks.forEach(
        (table, mode) -> {
          boolean named =
              told.step().locks().stream()
                  .anyMatch(each -> Declared.plain(each.table()).equals(table));
          if (named || told.step() instanceof BackfillStep || mode.strongerThan(plain)) {
            measured(told).lock(table, mode);
          }
        });
  }

  private void violation(String what) {
    synchronized (violations) {
      violations.add(what);
    }
  }

  private synchronized void others(int count) {
    others += count;
  }

  /** What was stronger than declared, not bounded, or not seen. */
  List<String> violations() {
    synchronized (violations) {
      return List.copyOf(violations);
    }
  }

  Map<Declared.Key, Measured> measured() {
    return measured;
  }

  /** Statements of steps. */
  int statements() {
    return measured.values().stream().mapToInt(Measured::statements).sum();
  }

  /** Statements of the engine and of preflights in transactions, which were looked at as well. */
  synchronized int others() {
    return others;
  }

  @Override
  public void close() throws SQLException {
    observer.close();
  }
}
