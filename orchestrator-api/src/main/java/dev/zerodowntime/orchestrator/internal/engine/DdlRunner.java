package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LockBudget;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs a {@link DdlStep}: one attempt within the lock budget. Where DDL is transactional, the
 * statements, the event and the pointer to the next step commit together, so that after a crash
 * either all of it happened or none; else see {@link CommittedDdlRunner}.
 */
final class DdlRunner {

  private static final LockBudget.Tables NO_TABLES = new LockBudget.Tables(Map.of(), Map.of());

  /** The outcome of a shortcut that is not taken. */
  private static final String SKIPPED = "SKIPPED";

  private final EngineContext ctx;
  private final Readers readers;

  DdlRunner(EngineContext ctx, Readers readers) {
    this.ctx = ctx;
    this.readers = readers;
  }

  Outcome run(StepContext step, DdlStep ddl) throws SQLException {
    Duration budget = ctx.timing().lockBudget();
    long start = System.nanoTime();
    try {
      List<Blocker> blockers =
          Db.autoCommit(
              ctx.ddlDataSource(),
              connection -> {
                step.claim(connection);
                if (StepContext.probe(connection, ddl.done())) {
                  // Nobody is in the way of what is there already; asked again below.
                  return List.of();
                }
                return ctx.dialect().lockBudget().blockers(connection, ddl, budget);
              });
      if (!blockers.isEmpty()) {
        String who = "not queueing behind " + describe(blockers) + "; needs " + ddl.lock();
        if (ddl.shortcut()) {
          return skip(step, who);
        }
        who += new BlockerEnd(ctx).end(step, blockers);
        step.waits("BLOCKED", who, 0L);
        return Outcome.retry(Wait.Kind.LOCK, who);
      }
      Outcome onReplica = readers.inTheWay(ddl);
      if (onReplica != null) {
        return ddl.shortcut() ? skip(step, "a transaction on a replica is in the way") : onReplica;
      }
      start = System.nanoTime();
      return ctx.dialect().transactionalDdl()
          ? inTransaction(step, ddl, budget)
          : new CommittedDdlRunner(ctx).attempt(step, ddl, budget);
    } catch (SQLException e) {
      SqlErrorKind kind = ctx.dialect().classify(e);
      if (kind == SqlErrorKind.LOCK_TIMEOUT
          || kind == SqlErrorKind.CANCELLED
          || kind == SqlErrorKind.DEADLOCK) {
        long waited = millisSince(start);
        if (ddl.shortcut()) {
          return skip(step, kind + " after " + waited + " ms");
        }
        String what =
            kind + " after " + waited + " ms; will try again for " + ddl.lock() + whoBlocks(ddl);
        step.waits(kind.name(), what, waited);
        return Outcome.retry(Wait.Kind.LOCK, what);
      }
      throw e;
    }
  }

  private Outcome inTransaction(StepContext step, DdlStep ddl, Duration budget)
      throws SQLException {
    ctx.ddlTransaction(
        connection -> {
          step.lease().requireRunning(connection, step.row());
          if (StepContext.probe(connection, ddl.done())) {
            step.confirm(connection, null, 0, "FOUND_DONE", ddl.summary());
            return true;
          }
          boolean check = ddl.check() != DdlStep.Check.NONE;
          LockBudget.Tables before =
              check ? ctx.dialect().lockBudget().tables(connection) : NO_TABLES;
          ctx.dialect().lockBudget().begin(connection, ddl, budget);
          long from = System.nanoTime();
          boolean first = true;
          for (String sql : ddl.sql()) {
            if (!first) {
              ctx.dialect().lockBudget().limit(connection, left(budget, from));
            }
            Db.execute(connection, step.tagged(sql));
            if (first && !holds(connection, ddl)) {
              step.confirm(connection, null, millisSince(from), SKIPPED, "no longer possible");
              return true;
            }
            first = false;
          }
          long millis = millisSince(from);
          if (!StepContext.probe(connection, ddl.done())) {
            throw new SQLException(
                "the statements succeeded, but the catalog does not show their effect;"
                    + " probe: "
                    + ddl.done().sql());
          }
          if (check) {
            boolean files = ddl.check() == DdlStep.Check.LOCKS_AND_FILES;
            requireAllowed(
                ctx.dialect().lockBudget().violation(connection, ddl.locks(), files, before));
          }
          step.confirm(connection, String.join(";\n", ddl.sql()), millis, "APPLIED", ddl.summary());
          return true;
        });
    return Outcome.DONE;
  }

  /** Whether a shortcut may be taken; asked under its lock. */
  private static boolean holds(Connection connection, DdlStep ddl) throws SQLException {
    Probe condition = ddl.onlyIf();
    return condition == null || StepContext.probe(connection, condition);
  }

  /** A shortcut is taken at once or not at all: the steps after it do the same. */
  private static Outcome skip(StepContext step, String why) throws SQLException {
    step.confirmAlone(null, 0, SKIPPED, why);
    return Outcome.DONE;
  }

  /** Else nothing of it commits. */
  static void requireAllowed(Optional<String> violation) throws SQLException {
    if (violation.isPresent()) {
      throw new SQLException(violation.get() + "; it was rolled back");
    }
  }

  /** Right after the fact: whoever was in the way mostly still is. */
  private String whoBlocks(DdlStep ddl) throws SQLException {
    List<Blocker> blockers =
        Db.autoCommit(
            ctx.ddlDataSource(),
            connection -> ctx.dialect().lockBudget().blockers(connection, ddl, Duration.ZERO));
    return blockers.isEmpty() ? "" : "; in the way: " + describe(blockers);
  }

  private static Duration left(Duration budget, long from) {
    Duration left = budget.minusNanos(System.nanoTime() - from);
    return left.compareTo(Duration.ofMillis(1)) < 0 ? Duration.ofMillis(1) : left;
  }

  static long millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1_000_000;
  }

  private static String describe(List<Blocker> blockers) {
    String first = blockers.get(0).describe();
    return blockers.size() == 1 ? first : first + " and " + (blockers.size() - 1) + " more";
  }
}
