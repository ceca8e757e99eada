package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The right to drive, with its fencing token. One per database; held from pass to pass by a
 * background driver, so that it is one observer that watches heartbeats stand still. Used by one
 * thread at a time.
 */
final class Lease {

  private final EngineContext ctx;
  private volatile @Nullable String token;

  Lease(EngineContext ctx) {
    this.ctx = ctx;
  }

  /** Takes or keeps the lease. */
  boolean hold() throws SQLException {
    long ttl = ctx.timing().lease().toMillis();
    return Db.autoCommit(
        ctx.dataSource(),
        connection -> {
          String mine = token;
          if (mine != null && ctx.fleet().renewLease(connection, mine, ttl)) {
            return true;
          }
          token = null;
          String fresh = UUID.randomUUID().toString();
          String name = ctx.application() + " " + ctx.release();
          if (ctx.fleet().acquireLease(connection, fresh, ctx.member(), name, ttl)) {
            token = fresh;
            return true;
          }
          return false;
        });
  }

  /** Keeps the lease during long work; says whether it is still ours. */
  boolean renew() throws SQLException {
    String mine = token;
    if (mine == null) {
      return false;
    }
    boolean kept =
        Db.autoCommit(
            ctx.dataSource(),
            connection ->
                ctx.fleet().renewLease(connection, mine, ctx.timing().lease().toMillis()));
    if (!kept) {
      token = null;
    }
    return kept;
  }

  /** Whether this process believes that it holds the lease. */
  boolean held() {
    return token != null;
  }

  /** Gives it back, if it is held. */
  void release() throws SQLException {
    String mine = token;
    if (mine != null) {
      token = null;
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            ctx.fleet().releaseLease(connection, mine);
            return true;
          });
    }
  }

  /** Forgets the token without telling the database. */
  void lose() {
    token = null;
  }

  /** The token, for statements that carry it. */
  String token() {
    String mine = token;
    if (mine == null) {
      throw new LeaseLostException();
    }
    return mine;
  }

  /**
   * Makes sure, within a transaction, that the lease is ours and stays so until the transaction
   * ends.
   */
  void require(Connection connection) throws SQLException {
    String mine = token();
    if (!ctx.fleet().holdsLease(connection, mine)) {
      token = null;
      throw new LeaseLostException();
    }
  }

  /**
   * Like {@link #require}, and makes sure that nobody has paused everything or this migration: a
   * pause takes effect at the next statement.
   */
  void requireRunning(Connection connection, MigrationRow row) throws SQLException {
    require(connection);
    if (!ctx.reader().running(connection, row, ctx.server())) {
      throw new PausedException();
    }
  }

  /** A person has paused what was about to be done. */
  static final class PausedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PausedException() {
      super("paused", null, false, false);
    }
  }

  /** Somebody else drives now: whatever was being done is theirs to continue. */
  static final class LeaseLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LeaseLostException() {
      super("the lease was taken over", null, false, false);
    }
  }
}
