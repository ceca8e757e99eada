package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.IllegalTransitionException;
import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.SessionGroup;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What people do: each call is one transaction and one event. */
final class Operator {

  private static final Logger LOG = LoggerFactory.getLogger(Operator.class);

  private final EngineContext ctx;
  private final ServerInfo server;
  private final Planner planner;
  private final Startup startup;
  private final Pins pins;

  Operator(EngineContext ctx, ServerInfo server, Planner planner, Startup startup) {
    this.ctx = ctx;
    this.server = server;
    this.planner = planner;
    this.startup = startup;
    this.pins = new Pins(ctx);
  }

  interface Change {
    void apply(Connection connection, MigrationRow row) throws SQLException;
  }

  boolean pause(String id) throws SQLException {
    return each(
        id,
        "PAUSE",
        (c, row) -> {
          if (!row.finished()) {
            ctx.migrations().status(c, row, MigrationStatus.PAUSED, null);
          }
        });
  }

  boolean resume(String id) throws SQLException {
    return each(
        id,
        "RESUME",
        (c, row) -> {
          // What was paused, or failed, goes on where it was going: also when that is down.
          Conflicts.requireNone(
              row.id(), row.schema(), row.table(), row.columns(), ctx.reader().migrations(c));
          boolean held = MigrationRow.ROLLBACK.equals(row.targetReason());
          if (held && row.status() == MigrationStatus.ACTIVE) {
            ctx.migrations().target(c, row, null, null, null);
          }
          if (!row.finished()) {
            boolean end = row.state().equals(State.at(row.lifecycle().last()));
            ctx.migrations()
                .status(c, row, end ? MigrationStatus.DONE : MigrationStatus.ACTIVE, null);
          }
        });
  }

  boolean rollback(String id, String phase) throws SQLException {
    return each(
        id,
        "ROLLBACK",
        (c, row) -> {
          int target = row.lifecycle().position(phase);
          int from = row.state().upper();
          if (target >= from && !(target == from && row.state().atRest())) {
            throw new IllegalTransitionException(
                row.id(), row.lifecycle().operation(), row.lifecycle().name(from), phase);
          }
          if (target < from && !row.lifecycle().reachable(from, target)) {
            throw new IllegalTransitionException(
                row.id(),
                row.lifecycle().operation(),
                row.lifecycle().name(from),
                row.lifecycle().name(target));
          }
          ctx.migrations()
              .target(
                  c, row, target, MigrationRow.ROLLBACK, ctx.application() + " " + ctx.release());
          ctx.migrations().status(c, row, MigrationStatus.ACTIVE, null);
        });
  }

  MigrationPlan abandon(String id) throws SQLException {
    each(
        id,
        "ABANDON",
        (c, row) -> ctx.migrations().status(c, row, MigrationStatus.ABANDONED, null));
    return planner.plan(rows(id).get(0));
  }

  boolean approve(String id, String phase) throws SQLException {
    return each(
        id,
        "APPROVE",
        (c, row) -> {
          int position = row.lifecycle().position(phase);
          if (position == 0 && row.state().upper() == 0) {
            throw new DeclarationException(
                ErrorCode.UNKNOWN_PHASE,
                "Nothing leads to " + phase + " of " + row.id() + ", which has not started",
                "Approve one of "
                    + row.lifecycle().phases().subList(1, row.lifecycle().last() + 1)
                    + ".");
          }
          String hash = Planner.hash(ctx, row, position);
          ctx.fleet()
              .approve(
                  c,
                  row,
                  row.lifecycle().name(position),
                  "PHASE",
                  hash,
                  ctx.application() + " " + ctx.release());
        });
  }

  boolean pauseAll(String reason) throws SQLException {
    return whole("PAUSE_ALL", reason, c -> ctx.fleet().pause(c, true, reason));
  }

  boolean resumeAll() throws SQLException {
    return whole("RESUME_ALL", "", c -> ctx.fleet().pause(c, false, null));
  }

  boolean pin(String application, String label) throws SQLException {
    return whole("PIN", application + ": " + label, c -> pins.pin(c, application, label));
  }

  boolean unpin(String application, String label) throws SQLException {
    return whole("UNPIN", application + ": " + label, c -> pins.unpin(c, application, label));
  }

  boolean adopted(String application) throws SQLException {
    startup.tables();
    boolean ended =
        ctx.transaction(
            connection -> {
              boolean was = pins.adopted(connection, application);
              if (was) {
                ctx.events()
                    .append(
                        connection,
                        null,
                        Event.of(
                            "UNPIN", null, application + ": " + ControlTables.BUILDS_BEFORE_US));
              }
              return was;
            });
    startup.tables();
    if (ended) {
      List<SessionGroup> strangers = Outsiders.strangers(ctx);
      if (!strangers.isEmpty()) {
        LOG.warn(
            "builds before the library count no longer for {}; these sessions belong to no member:"
                + " {}",
            application,
            strangers);
      }
    }
    return true;
  }

  boolean forgetRelease(String application, String release) throws SQLException {
    return whole(
        "FORGET_RELEASE",
        application + " " + release,
        c -> {
          if (ctx.fleet().forget(c, application, release) == 0) {
            throw new DeclarationException(
                ErrorCode.INVALID_DECLARATION,
                "No release " + release + " of " + application + " is known",
                "status() lists the releases that are.");
          }
        });
  }

  boolean moved() throws SQLException {
    return whole(
        "MOVED",
        server.identity(),
        c ->
            Db.update(
                c,
                "UPDATE " + ctx.tables().table("control") + " SET identity = ?",
                server.identity()));
  }

  boolean copied() throws SQLException {
    // Not startup.tables(): that refuses a copy of a database of another environment.
    boolean done =
        ctx.transaction(
            c -> {
              ctx.reader().lockFleetExclusive(c);
              for (String table : List.of("member", "release", "approval")) {
                Db.update(c, "DELETE FROM " + ctx.tables().table(table));
              }
              ctx.fleet().voidLease(c);
              Db.update(
                  c,
                  "UPDATE " + ctx.tables().table("control") + " SET identity = ?, environment = ?",
                  server.identity(),
                  ctx.environment().name());
              ctx.events().append(c, null, Event.of("COPIED", null, server.identity()));
              return true;
            });
    startup.tables();
    return done;
  }

  private interface Whole {
    void apply(Connection connection) throws SQLException;
  }

  private boolean whole(String kind, String detail, Whole change) throws SQLException {
    startup.tables();
    boolean done =
        ctx.transaction(
            connection -> {
              change.apply(connection);
              ctx.events().append(connection, null, Event.of(kind, null, detail));
              return true;
            });
    startup.tables();
    return done;
  }

  List<MigrationRow> rows(String id) throws SQLException {
    startup.tables();
    List<MigrationRow> rows =
        Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations).stream()
            .filter(each -> each.id().equals(id))
            .toList();
    if (rows.isEmpty()) {
      throw new DeclarationException(
          ErrorCode.UNKNOWN_MIGRATION,
          "No migration " + id + " is known in this database",
          "status() lists those that are.");
    }
    return rows;
  }

  /** Applies a change to a migration in every target schema it has. */
  boolean each(String id, String kind, Change change) throws SQLException {
    for (MigrationRow found : rows(id)) {
      ctx.transaction(
          connection -> {
            // Not while a phase is being entered: the decision reads what this changes.
            ctx.reader().lockFleetShared(connection);
            MigrationRow row =
                ctx.reader().migration(connection, found.id(), found.schema()).orElse(found);
            change.apply(connection, row);
            ctx.events().append(connection, row, Event.of(kind, null, null));
            return true;
          });
    }
    return true;
  }
}
