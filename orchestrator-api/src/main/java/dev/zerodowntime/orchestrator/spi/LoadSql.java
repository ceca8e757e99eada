package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * What backfills ask the server to find out whether they are a burden. Positions are text that only
 * the dialect understands. Nothing here needs rights that not every user has, and nothing here
 * fails for lack of them.
 */
public interface LoadSql {

  /**
   * How far the primary has come, and the standbys that it knows of.
   *
   * @param primary a connection to it, in auto-commit mode
   * @return positions, all of the same moment
   * @throws SQLException if it can't be asked, or is no primary
   */
  Replication replication(Connection primary) throws SQLException;

  /**
   * How far a replica has come.
   *
   * @param reader a connection to it, in auto-commit mode
   * @return empty if it is no replica, or none any more: queries there see all that is written
   * @throws SQLException if it can't be asked
   */
  Optional<String> replayed(Connection reader) throws SQLException;

  /**
   * Tells which of two positions comes first.
   *
   * @param one a position
   * @param other another
   * @return negative, zero or positive, as of a comparator
   */
  int compare(String one, String other);

  /**
   * How many other sessions wait, at this moment, for locks of this connection's transaction: those
   * that wait for it directly, and those that queue behind them. Sessions that wait for somebody
   * else don't count.
   *
   * @param connection on which the transaction is open; it is asked itself, so that no second
   *     connection is needed
   * @return how many
   * @throws SQLException if it can't be asked
   */
  int sessionsWaiting(Connection connection) throws SQLException;

  /**
   * What else the server says of its load, besides replicas and waiting sessions. Backfills give
   * way to each as to a signal of the author's, and no long build begins above its limit; one that
   * runs is not cancelled for it, since it may well be what is measured.
   *
   * @return the gauges, none by default
   */
  default List<Gauge> gauges() {
    return List.of();
  }

  /**
   * Something that the server counts.
   *
   * @param name what it is called in status and log, and by an author who wants another limit
   * @param unit what is counted
   * @param limit the highest value at which batches run, unless the author says otherwise
   * @param reading asks the primary
   */
  record Gauge(String name, String unit, double limit, Reading reading) {}

  /** How a gauge is read. */
  @FunctionalInterface
  interface Reading {
    /**
     * Reads it.
     *
     * @param primary a connection to the primary, in auto-commit mode
     * @return its value now; 0 if this user may not read it
     * @throws SQLException if the server can't be asked
     */
    double read(Connection primary) throws SQLException;
  }

  /**
   * The primary and its standbys.
   *
   * @param position what of the primary's log can have reached others: a standby that has replayed
   *     it lacks nothing
   * @param standbys those that replay its log
   * @param hidden how many standbys there are besides whose position this user may not read
   * @param remedy what lets the user read them, as a statement; empty if nothing is hidden
   */
  record Replication(String position, List<Standby> standbys, int hidden, String remedy) {

    /** Copies the list. */
    public Replication {
      standbys = List.copyOf(standbys);
    }
  }

  /**
   * A standby as the primary sees it.
   *
   * @param name what it is called there
   * @param replayed up to where queries on it see what was written
   */
  record Standby(String name, String replayed) {}
}
