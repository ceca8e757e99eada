package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Control;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This process's place in the fleet. Thread-safe. */
final class Membership {

  private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

  private final EngineContext ctx;
  private final Registrar registrar;
  private final Declarer declarer;
  private volatile Map<String, String> stages = Map.of();
  private volatile boolean admitted;
  private volatile boolean fit;
  private final ReentrantLock turn = new ReentrantLock();
  private boolean closed;

  Membership(EngineContext ctx, Registrar registrar) {
    this.ctx = ctx;
    this.registrar = registrar;
    this.declarer = new Declarer(ctx);
  }

  /** Whether this process has ever been admitted. */
  boolean admitted() {
    return admitted;
  }

  /** Whether it is counted and fits, as of its last heartbeat. */
  boolean fit() {
    return fit;
  }

  /** The stages at which it was admitted, by migration key. */
  Map<String, String> stages() {
    return stages;
  }

  Registrar.Joined join() throws SQLException {
    turn.lock();
    try {
      if (closed) {
        throw new IllegalStateException("this orchestrator is closed");
      }
      Registrar.Joined joined = registrar.join(stages, admitted);
      if (joined.admitted()) {
        // Chosen once, and kept for life: code was told which side it is on.
        Map<String, String> all = new LinkedHashMap<>(joined.stages());
        all.putAll(stages);
        stages = Map.copyOf(all);
        admitted = true;
        fit = true;
      }
      return joined;
    } finally {
      turn.unlock();
    }
  }

  /** Says that this process is alive; registers again if it has been struck off. */
  void heartbeat() throws SQLException {
    Db.autoCommit(
        ctx.dataSource(),
        connection -> {
          heartbeat(connection);
          return true;
        });
  }

  /** The same over a connection in auto-commit mode. */
  void heartbeat(Connection connection) throws SQLException {
    turn.lock();
    try {
      if (!admitted) {
        return;
      }
      if (ctx.fleet().heartbeat(connection, ctx.member())) {
        check(connection);
        return;
      }
      LOG.warn("this member is not registered any more; registering again");
      // Its migrations may be gone as well, if the database was restored.
      declarer.declare();
      Registrar.Joined joined = join();
      if (!joined.admitted()) {
        fit = false;
        LOG.error(
            "this build no longer fits the schema and is not counted: {}; it should stop serving",
            joined.unfit().stream().map(each -> each.migration().id()).toList());
      }
    } finally {
      turn.unlock();
    }
  }

  /** Looks whether this build still fits where every migration is. */
  private void check(Connection connection) throws SQLException {
    List<String> unfit = new ArrayList<>();
    List<MigrationRow> rows = List.of();
    Control control = ctx.reader().control(connection);
    if (control.minReader() > ctx.tables().newest()) {
      unfit.add(
          "the control tables need a library that knows version "
              + control.minReader()
              + ", this one knows version "
              + ctx.tables().newest());
    } else {
      rows = ctx.reader().migrations(connection);
    }
    for (MigrationRow row : rows) {
      String stage = stages.get(row.key());
      if (stage != null && !ctx.rules().fits(row.stage(stage).span(), row.state())) {
        unfit.add(row.id() + " is at " + row.state() + ", this build at " + stage);
      }
    }
    if (fit && !unfit.isEmpty()) {
      LOG.error("this build no longer fits the schema and should stop serving: {}", unfit);
    }
    fit = unfit.isEmpty();
  }

  /** Stops serving: still counted for the drain time. Nobody registers after this. */
  void close() {
    boolean member;
    turn.lock();
    try {
      closed = true;
      member = admitted;
      admitted = false;
      fit = false;
    } finally {
      turn.unlock();
    }
    if (member) {
      try {
        Db.autoCommit(
            ctx.dataSource(),
            connection -> {
              ctx.fleet().closed(connection, ctx.member());
              return true;
            });
      } catch (SQLException e) {
        LOG.warn(
            "could not say goodbye; this member is counted until it expires: {}", e.getMessage());
      }
    }
  }
}
