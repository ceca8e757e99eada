package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.LoadSql;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;

/**
 * Asks for positions in the binary log, and for waiting sessions where this user may see them. A
 * primary doesn't know how far its replicas are; it knows how many there are, and shows that to a
 * user with REPLICATION SLAVE (MariaDB: REPLICATION MASTER ADMIN). To others there seem to be none.
 */
final class MysqlLoadSql implements LoadSql {

  private static final int TIMEOUT_SECONDS = 5;

  private static final String WAITING_MYSQL =
      "WITH RECURSIVE zdo_waiting (id) AS (SELECT PS_CURRENT_THREAD_ID() UNION SELECT"
          + " zdo_l.REQUESTING_THREAD_ID FROM zdo_waiting JOIN performance_schema.data_lock_waits"
          + " zdo_l ON zdo_l.BLOCKING_THREAD_ID = zdo_waiting.id) SELECT count(*) - 1 FROM"
          + " zdo_waiting";

  /** InnoDB looks anew only when nobody has asked for a tenth of a second: else this is old. */
  private static final String WAITING_MARIADB =
      "WITH RECURSIVE zdo_waiting (id) AS (SELECT trx_id FROM information_schema.innodb_trx WHERE"
          + " trx_mysql_thread_id = CONNECTION_ID() UNION SELECT zdo_l.requesting_trx_id FROM"
          + " zdo_waiting JOIN information_schema.innodb_lock_waits zdo_l ON zdo_l.blocking_trx_id ="
          + " zdo_waiting.id) SELECT greatest(count(*) - 1, 0) FROM zdo_waiting";

  private final MysqlVersion version;
  private final Positions positions;

  MysqlLoadSql(MysqlVersion version) {
    this.version = version;
    this.positions = new Positions(version);
  }

  @Override
  public Replication replication(Connection primary) throws SQLException {
    return new Replication(
        positions.written(primary),
        List.of(),
        replicas(primary),
        "no privilege shows it on the primary");
  }

  private int replicas(Connection primary) throws SQLException {
    try (Statement statement = primary.createStatement()) {
      statement.setQueryTimeout(TIMEOUT_SECONDS);
      try (ResultSet row =
          statement.executeQuery(version.mariadb() ? "SHOW REPLICA HOSTS" : "SHOW REPLICAS")) {
        int count = 0;
        while (row.next()) {
          count++;
        }
        return count;
      }
    } catch (SQLException e) {
      return unlessForbidden(e);
    }
  }

  @Override
  public Optional<String> replayed(Connection reader) throws SQLException {
    return positions.replayed(reader);
  }

  @Override
  public int compare(String one, String other) {
    return Positions.compare(one, other);
  }

  @Override
  public int sessionsWaiting(Connection connection) throws SQLException {
    if (!version.mariadb() && !version.performanceSchema()) {
      return 0;
    }
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(version.mariadb() ? WAITING_MARIADB : WAITING_MYSQL)) {
      row.next();
      return row.getInt(1);
    } catch (SQLException e) {
      return unlessForbidden(e);
    }
  }

  /**
   * At half of the limit, where batches begin to be rarer, other tools stop by default.
   *
   * @see <a
   *     href="https://docs.percona.com/percona-toolkit/pt-online-schema-change.html">--max-load</a>
   */
  private static final Gauge RUNNING =
      new Gauge(
          "Threads_running",
          "threads",
          50,
          primary -> number(primary, "SHOW GLOBAL STATUS LIKE 'Threads_running'", 2));

  /** What a long transaction keeps from being purged, to which each batch adds its rows. */
  private static final String HISTORY = "history list length";

  private static final double MOST_HISTORY = 1_000_000;

  @Override
  public List<Gauge> gauges() {
    String history =
        version.mariadb()
            ? "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'"
            : "SELECT name, count FROM information_schema.innodb_metrics WHERE name ="
                + " 'trx_rseg_history_len'";
    return List.of(
        RUNNING,
        new Gauge(HISTORY, "transactions", MOST_HISTORY, primary -> number(primary, history, 2)));
  }

  private static double number(Connection primary, String query, int column) throws SQLException {
    try (Statement statement = primary.createStatement()) {
      statement.setQueryTimeout(TIMEOUT_SECONDS);
      try (ResultSet row = statement.executeQuery(query)) {
        return row.next() ? row.getDouble(column) : 0;
      }
    } catch (SQLException e) {
      return unlessForbidden(e);
    }
  }

  private static int unlessForbidden(SQLException e) throws SQLException {
    if (MysqlErrors.classify(e) != SqlErrorKind.PRIVILEGE) {
      throw e;
    }
    return 0;
  }
}
