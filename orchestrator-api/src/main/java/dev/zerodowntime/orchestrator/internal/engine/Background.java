package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Wait;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Daemon threads: one heartbeats, on a connection of its own, so that neither a pool which is
 * exhausted nor a pass that takes long makes a living member look gone; the other drives when gates
 * open, and works on backfills in slices. Others work on backfills too, and online builds have a
 * thread of their own.
 */
final class Background implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Background.class);

  private final EngineContext ctx;
  private final Driver driver;
  private final Membership membership;
  private final Repeating heartbeat;
  private final Repeating driving;
  private final BackfillCrew crew;
  private boolean started;

  /** Of the heartbeat's thread alone. */
  private @Nullable Connection connection;

  private boolean autoCommitBefore;

  Background(EngineContext ctx, Driver driver, Membership membership, BackfillCrew crew) {
    this.crew = crew;
    this.ctx = ctx;
    this.driver = driver;
    this.membership = membership;
    long soon = ctx.timing().tick().toNanos();
    this.heartbeat = new Repeating("orchestrator-heartbeat " + ctx.application(), this::beat, soon);
    this.driving = new Repeating("orchestrator " + ctx.application(), this::drive, soon);
  }

  /** Starts the threads unless they run. */
  void start() {
    if (ctx.role().counted()) {
      heartbeat.start();
    }
    if (ctx.role().drives()) {
      driving.start();
    }
    if (!started) {
      started = true;
      crew.enter();
    }
  }

  private long beat() throws SQLException {
    try {
      membership.heartbeat(own());
    } catch (SQLException | RuntimeException e) {
      giveBack();
      throw e;
    }
    return ctx.timing().heartbeat().toNanos();
  }

  /** Kept from heartbeat to heartbeat: its session says that this process lives. */
  private Connection own() throws SQLException {
    Connection mine = connection;
    if (mine == null) {
      mine = ctx.dataSource().getConnection();
      autoCommitBefore = mine.getAutoCommit();
      connection = mine;
      if (!autoCommitBefore) {
        mine.setAutoCommit(true);
      }
    }
    return mine;
  }

  private void giveBack() {
    Connection mine = connection;
    connection = null;
    if (mine == null) {
      return;
    }
    try (mine) {
      if (!autoCommitBefore) {
        mine.setAutoCommit(false);
      }
    } catch (SQLException e) {
      LOG.debug("a broken connection is the pool's business", e);
    }
  }

  private long drive() throws SQLException {
    long tick = ctx.timing().tick().toNanos();
    Driver.Pass pass = driver.pass(true, System.nanoTime() + tick);
    if (pass.busy()) {
      return 0;
    }
    if (!pass.leading() && !pass.soon()) {
      // Everybody in a large fleet asks for the lease: not all at once, and not all the time.
      long third = Math.max(tick, ctx.timing().lease().toNanos() / 3);
      return third / 2 + ThreadLocalRandom.current().nextLong(third / 2 + 1);
    }
    boolean something = !pass.waits().values().stream().allMatch(Background::settled);
    return something || pass.running() || pass.soon()
        ? tick
        : Math.max(tick, ctx.timing().heartbeat().toNanos() / 4);
  }

  private static boolean settled(List<Wait> waits) {
    return waits.size() == 1 && waits.get(0).what().equals("done");
  }

  @Override
  public void close() {
    crew.close();
    driving.close();
    heartbeat.close();
    giveBack();
  }
}
