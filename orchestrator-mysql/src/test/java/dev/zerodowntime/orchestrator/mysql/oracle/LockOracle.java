package dev.zerodowntime.orchestrator.mysql.oracle;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.testing.crash.Journeys;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Call;
import dev.zerodowntime.orchestrator.testing.crash.Journeys.Journey;
import dev.zerodowntime.orchestrator.testing.oracle.Declared;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Listens to one journey, and stops every statement of a step wherever it waits for a metadata
 * lock: a transaction of an application that writes to the table is in its way. Where it stops, its
 * locks are looked at, another writer queues behind it, and the one in its way ends.
 *
 * <ul>
 *   <li>A statement that blocks writes all the time lets the next writer begin when it has ended.
 *   <li>One that lets writes go on has given its exclusive lock back by then: the next writer has
 *       begun, and the statement waits for that one before it ends. So whether it does is not a
 *       matter of luck, nor of how large the table is.
 *   <li>Whether a table or an index was written anew is seen from InnoDB's own numbers.
 *   <li>Rows of a batch are looked at before the next statement of its transaction.
 * </ul>
 *
 * <p>MariaDB doesn't tell of locks that are waited for: there, only the behaviour is seen.
 */
final class LockOracle implements Journeys.Listener, AutoCloseable {

  private static final Pattern TAG =
      Pattern.compile(
          "^/\\* orchestrator (\\S+) (\\S+) (.+?)(?: chunk=\\S+)? token=\\S+ \\*/ (.*)$",
          Pattern.DOTALL);

  /**
   * What the server ends a statement after, should nobody be left who does, in seconds: the lock
   * budget of the processes that are listened to.
   */
  private static final long BOUND = 10;

  /** Longer than a look takes, however busy the machine is. */
  private static final long WHILE_LOOKING = 60;

  private final MysqlServer server;
  private final Journey journey;
  private final Declared declared;
  private final Map<Declared.Key, Measured> measured = new LinkedHashMap<>();
  private final List<String> violations = new ArrayList<>();
  private volatile Direction direction = Direction.UP;
  private DataSource database;
  private Observer observer;

  LockOracle(MysqlServer server, Journey journey, Declared declared) {
    this.server = server;
    this.journey = journey;
    this.declared = declared;
  }

  /** A statement of a step, on its way. */
  private record Told(Declared.Key key, Step step, String sql) {}

  /** Somebody who queues behind a statement that may go on now. */
  private record Queued(Writer writer, long since) {}

  @Override
  public void begins(DataSource made) throws SQLException {
    database = made;
    observer = new Observer(server, made);
  }

  @Override
  public void turns(Direction to) {
    direction = to;
  }

  @Override
  public Object hears(Connection session, long number, String sql, Call call) throws SQLException {
    Told told = told(sql);
    if (told == null) {
      return call.run();
    }
    synchronized (this) {
      if (told.step() instanceof DdlStep || told.step() instanceof OnlineStep) {
        return observed(session, number, told, call);
      }
      Object result = call.run();
      if (told.step() instanceof BackfillStep && !session.getAutoCommit()) {
        measured(told).statement();
        look(told, observer.locks(number), null);
      }
      return result;
    }
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
    // Of everything else, a probe say, queries are all there is.
    return step == null ? null : new Told(new Declared.Key(movement, name), step, tag.group(4));
  }

  private Object observed(Connection session, long number, Told told, Call call)
      throws SQLException {
    Measured seen = measured(told);
    seen.statement();
    Observer.Kept before = observer.kept();
    Map<String, Writer> inTheWay = new TreeMap<>();
    List<String> tables = observer.tables();
    // What LOCK TABLES has locked already nobody can be in the way of.
    Map<String, Mode> held = observer.locks(number).granted();
    held.values().removeIf(each -> !each.blocking());
    for (String table : tables) {
      if (!held.containsKey(table)) {
        inTheWay.put(table, new Writer(database, table));
      }
    }
    inTheWay.values().forEach(Writer::await);
    List<Queued> queued = new ArrayList<>();
    Set<String> stopped = new HashSet<>();
    long bound = bound(session);
    if (bound > BOUND) {
      violation(where(told) + " may wait for " + bound + " s; statement: " + told.sql());
    }
    setBound(session, WHILE_LOOKING);
    CompletableFuture<Object> sent = new CompletableFuture<>();
    try {
      send(call, sent);
      while (!sent.isDone()) {
        Stop stop = stopped(number, inTheWay);
        if (stop == null) {
          // A spinning client would only keep the server from getting there.
          LockSupport.parkNanos(200_000);
          continue;
        }
        look(told, stop.locks(), inTheWay.keySet());
        for (String table : stop.tables()) {
          if (!stopped.add(table)) {
            seen.letThrough(table);
          }
          letOn(inTheWay, table, queued);
        }
      }
    } finally {
      for (Queued each : queued) {
        seen.held(each.writer().await() - each.since());
      }
      for (Writer each : inTheWay.values()) {
        each.close();
      }
    }
    Object result = result(sent);
    if (!session.isClosed()) {
      if (!held.isEmpty()) {
        look(told, observer.locks(number), held.keySet());
      }
      setBound(session, bound);
    }
    requireWrites(told, stopped);
    built(told, observer.kept().builtSince(before));
    return result;
  }

  /**
   * Where a statement waits for writers that have begun.
   *
   * @param locks what it has, and waits for, as far as the server tells
   * @param tables those that it waits for; or, where the server doesn't tell, all that have writers
   *     which may be in its way: those of the others wait behind it
   */
  private record Stop(Observer.Locks locks, Set<String> tables) {}

  /** Null while it doesn't. What the server says of a session's state may be over by then. */
  private @Nullable Stop stopped(long number, Map<String, Writer> inTheWay) throws SQLException {
    // First: who begins after this look may have waited for the statement's end.
    Set<String> begun = new TreeSet<>(inTheWay.keySet());
    begun.removeIf(each -> !inTheWay.get(each).begun());
    if (!observer.waits(number)) {
      return null;
    }
    Observer.Locks locks = observer.locks(number);
    locks.pending().keySet().retainAll(inTheWay.keySet());
    Set<String> tables = observer.seesLocks() ? Set.copyOf(locks.pending().keySet()) : begun;
    return tables.isEmpty() ? null : new Stop(locks, tables);
  }

  /** Has the next writer queue behind the statement, and then gets the one before it out. */
  private void letOn(Map<String, Writer> inTheWay, String table, List<Queued> queued)
      throws SQLException {
    Writer next = new Writer(database, table);
    while (!next.begun() && !observer.waits(next.session)) {
      LockSupport.parkNanos(200_000);
    }
    Writer before = inTheWay.put(table, next);
    long since = System.nanoTime();
    if (before != null) {
      before.close();
    }
    queued.add(new Queued(next, since));
  }

  private static long bound(Connection session) throws SQLException {
    try (Statement statement = session.createStatement();
        ResultSet row = statement.executeQuery("SELECT @@session.lock_wait_timeout")) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void setBound(Connection session, long seconds) throws SQLException {
    try (Statement statement = session.createStatement()) {
      statement.execute("SET SESSION lock_wait_timeout = " + seconds);
    }
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

  /** What it has must be declared; what it waits for as well, unless that is short. */
  private void look(Told told, Observer.Locks locks, @Nullable Set<String> tables) {
    boolean online = told.step() instanceof OnlineStep;
    if (tables != null) {
      // Nobody uses a table that the statement makes, or a name that it gives.
      locks.granted().keySet().retainAll(tables);
    }
    locks.granted().forEach((table, mode) -> judge(told, table, mode));
    locks
        .pending()
        .forEach(
            (table, mode) -> {
              if (online) {
                measured(told).lock(table, mode);
              } else {
                judge(told, table, mode);
              }
            });
  }

  private void judge(Told told, String table, Mode mode) {
    boolean named = declared(told.step(), table) != null;
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
    if (named || told.step() instanceof BackfillStep || mode.strongerThan(Mode.SHARED_WRITE)) {
      measured(told).lock(table, mode);
    }
  }

  private static Mode declared(Step step, String table) {
    Mode most = null;
    for (TableLock each : step.locks()) {
      Mode mode = Mode.valueOf(each.mode());
      String name = Declared.plain(each.table());
      if (name.substring(name.indexOf('.') + 1).equals(table)
          && (most == null || mode.strongerThan(most))) {
        most = mode;
      }
    }
    return most;
  }

  /** What a step declares; on other tables, what nobody waits for but other DDL. */
  private static Mode allowed(Step step, String table) {
    Mode most = declared(step, table);
    if (most != null) {
      return most;
    }
    return step instanceof BackfillStep ? Mode.SHARED_WRITE : Mode.SHARED_UPGRADABLE;
  }

  /** A statement that is said to be online has let a write begin in its middle. */
  private void requireWrites(Told told, Set<String> stopped) {
    if (!(told.step() instanceof OnlineStep)) {
      return;
    }
    for (TableLock each : told.step().locks()) {
      String name = Declared.plain(each.table());
      String table = name.substring(name.indexOf('.') + 1);
      if (stopped.contains(table) && !measured(told).letThrough().contains(table)) {
        violation(
            where(told) + " let no write to " + table + " begin before its end: " + told.sql());
      }
      if (!stopped.contains(table)) {
        violation(where(told) + " was nowhere looked at while it ran: " + told.sql());
      }
    }
  }

  /** Only what is said to take long may look at rows. */
  private void built(Told told, Measured.Built what) {
    measured(told).built(what);
    if (what != Measured.Built.NOTHING && told.step() instanceof DdlStep) {
      violation(where(told) + " wrote " + what.words + " anew: " + told.sql());
    }
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
    return measured.computeIfAbsent(told.key(), key -> new Measured());
  }

  private void violation(String what) {
    violations.add(what);
  }

  /** What was stronger than declared, not bounded, not let through, or not seen. */
  List<String> violations() {
    return List.copyOf(violations);
  }

  Map<Declared.Key, Measured> measured() {
    return measured;
  }

  /** Statements of steps. */
  int statements() {
    return measured.values().stream().mapToInt(Measured::statements).sum();
  }

  @Override
  public void close() throws SQLException {
    if (observer != null) {
      observer.close();
    }
  }
}
