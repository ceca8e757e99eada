package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * One step of one movement, being run under a lease.
 *
 * @param ctx the engine
 * @param row the migration
 * @param phase name of the phase being entered
 * @param step the step
 * @param next name of the step after it, or {@link StepRunner#END}
 * @param lease the lease
 */
record StepContext(
    EngineContext ctx, MigrationRow row, String phase, Step step, String next, Lease lease) {

  /** Claims the step in a transaction of its own: who died here is seen to have tried. */
  void claim(Connection connection) throws SQLException {
    if (!ctx.migrations().claim(connection, row, step.name(), lease.token())) {
      lease.lose();
      throw new Lease.LeaseLostException();
    }
  }

  /** Claims the step: it waits for nothing any more. */
  void begin() throws SQLException {
    ctx.transaction(
        connection -> {
          claim(connection);
          ctx.migrations().waits(connection, row, null);
          return true;
        });
  }

  /**
   * Notes in a transaction of its own that the step happened, if the lease is still ours and the
   * catalog still shows it: since a thread of its own ended, anything may have happened.
   *
   * @param found whether it was there before
   * @return false if it is gone again
   */
  boolean confirmIfShown(Probe done, String sql, boolean found, long millis) throws SQLException {
    return ctx.transaction(
        connection -> {
          lease.require(connection);
          if (!probe(connection, done)) {
            return false;
          }
          confirm(
              connection,
              found ? null : sql,
              millis,
              found ? "FOUND_DONE" : "APPLIED",
              step.summary());
          return true;
        });
  }

  /** Lets others read what came of an attempt that is not the end of it. */
  Outcome told(Outcome outcome) throws SQLException {
    Wait wait = outcome.waiting();
    waits(outcome.kind().name(), wait == null ? "" : wait.toString(), null);
    return outcome;
  }

  /** Notes, in the caller's transaction, that the step happened. */
  void confirm(
      Connection connection, @Nullable String sql, long millis, String outcome, String detail)
      throws SQLException {
    event(connection, "STEP", sql, millis, null, outcome, detail);
    ctx.migrations().nextStep(connection, row, next);
  }

  /** Notes in a transaction of its own that the step happened, if the lease is still ours. */
  void confirmAlone(@Nullable String sql, long millis, String outcome, String detail)
      throws SQLException {
    ctx.transaction(
        connection -> {
          lease.require(connection);
          confirm(connection, sql, millis, outcome, detail);
          return true;
        });
  }

  /** It goes on. */
  void waitsForNothing() throws SQLException {
    Db.autoCommit(
        ctx.dataSource(),
        connection -> {
          ctx.migrations().waits(connection, row, null);
          return true;
        });
  }

  /** Appends an event about the step. */
  void event(
      Connection connection,
      String kind,
      @Nullable String sql,
      @Nullable Long millis,
      @Nullable Long lockWait,
      String outcome,
      String detail)
      throws SQLException {
    ctx.events()
        .append(
            connection,
            row,
            new Event(
                kind,
                phase,
                step.name(),
                sql,
                millis,
                lockWait,
                outcome,
                detail,
                lease.held() ? lease.token() : null));
  }

  /** Appends an event and stores what the step waits for. */
  void waits(String outcome, String what, @Nullable Long lockWait) throws SQLException {
    Db.autoCommit(
        ctx.dataSource(),
        connection -> {
          // The figures in it change with every attempt; the log is for what is new.
          if (!firstWord(what).equals(firstWord(row.waiting()))) {
            event(connection, "WAIT", null, null, lockWait, outcome, what);
          }
          ctx.migrations().waits(connection, row, what);
          return true;
        });
  }

  private static String firstWord(@Nullable String text) {
    return text == null ? "" : text.split(" ", 2)[0];
  }

  /** Asks the catalog. */
  static boolean probe(Connection connection, Probe probe) throws SQLException {
    return Db.queryOne(connection, probe.sql(), row -> row.getBoolean(1)).orElse(false);
  }

  /**
   * A statement that says whose it is, for whoever looks at the server's list of sessions. Names of
   * steps may hold names of indexes, which may hold anything.
   */
  String tagged(String sql) {
    String whose =
        "orchestrator " + row.id() + " " + phase + " " + step.name() + " token=" + lease.token();
    return "/* " + whose.replace("/*", "/ *").replace("*/", "* /") + " */ " + sql;
  }

  /**
   * Names the migration for session locks, the same for every driver: one lock for whatever runs
   * outside of transactions, so that a build and the drop that undoes it exclude each other too.
   */
  String lockKey() {
    return lockKey(ctx, row);
  }

  static String lockKey(EngineContext ctx, MigrationRow row) {
    return ctx.tables().schema() + "|" + row.key();
  }

  /** Names the step within one movement under one token. */
  String runKey() {
    return row.state() + " " + step.name() + " " + lease.token();
  }
}
