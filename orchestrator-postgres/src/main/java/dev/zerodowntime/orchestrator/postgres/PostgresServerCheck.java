package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the server, in a few round trips, and refuses what can't be worked with.
 *
 * <p>Pooling is judged by three things. A transaction of two statements must keep a setting that is
 * local to it, else statements are pooled. Outside a transaction the backend must stay the same.
 * And the backend that the driver was told of when it connected must be the one that answers:
 * PgBouncer and its kind hand out keys of their own, so a difference means a pooler even while, for
 * want of other clients, every transaction happens to meet the same backend. Whether such a pooler
 * keeps a session together can't be told through one connection; so it counts as one that doesn't.
 */
final class PostgresServerCheck {

  private static final int OLDEST = 140_000;

  private static final String FACTS =
      "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
          + " pg_catalog.pg_is_in_recovery(), current_setting('transaction_read_only'),"
          + " current_schema(), current_database(),"
          + " (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()),"
          + " %s, pg_catalog.pg_backend_pid(), set_config('zdo.probe', '%s', true)";

  private static final String AGAIN =
      "SELECT coalesce(current_setting('zdo.probe', true), ''), pg_catalog.pg_backend_pid()";

  private PostgresServerCheck() {}

  private record Facts(
      String version,
      @Nullable String schema,
      String database,
      String databaseOid,
      String incarnation,
      String backend) {}

  static ServerInfo inspect(Connection connection) throws SQLException {
    Facts facts = inTransaction(connection);
    String system = ask(connection, "SELECT system_identifier FROM pg_catalog.pg_control_system()");
    String backend = ask(connection, "SELECT pg_catalog.pg_backend_pid()");
    String told = PostgresDriver.backend(connection);
    if (facts.schema() == null) {
      throw new DatabaseException(
          ErrorCode.SQL,
          "The connection has no current schema: its search_path names none that exists",
          "Set search_path for the user or in the JDBC URL (currentSchema=...).",
          null);
    }
    return new ServerInfo(
        "PostgreSQL " + facts.version(),
        (system == null ? "database " + facts.database() : "system " + system)
            + " / "
            + facts.databaseOid(),
        facts.incarnation(),
        facts.schema(),
        facts.backend().equals(backend) && (told == null || told.equals(facts.backend())));
  }

  private static Facts inTransaction(Connection connection) throws SQLException {
    String mark = UUID.randomUUID().toString();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      Facts facts;
      try (ResultSet row =
          statement.executeQuery(FACTS.formatted(new PostgresControlSql().incarnation(), mark))) {
        facts = facts(row);
      }
      try (ResultSet row = statement.executeQuery(AGAIN)) {
        row.next();
        if (!mark.equals(row.getString(1)) || !facts.backend().equals(row.getString(2))) {
          throw statementPooling(null);
        }
      }
      return facts;
    } catch (SQLException e) {
      // PgBouncer in statement mode ends the session at BEGIN.
      if (String.valueOf(e.getMessage()).contains("statement pooling")) {
        throw statementPooling(e);
      }
      throw e;
    } finally {
      leave(connection);
    }
  }

  private static Facts facts(ResultSet row) throws SQLException {
    row.next();
    if (row.getInt(1) < OLDEST) {
      throw new DatabaseException(
          ErrorCode.UNSUPPORTED_SERVER,
          "The server is PostgreSQL " + row.getString(2),
          "Use PostgreSQL 14 or newer.",
          null);
    }
    if (row.getBoolean(3)) {
      throw readOnly("The server is a replica: it is in recovery");
    }
    if ("on".equals(row.getString(4))) {
      throw readOnly(
          "Transactions of this connection are read-only (default_transaction_read_only, or a"
              + " read-only connection)");
    }
    return new Facts(
        row.getString(2),
        row.getString(5),
        row.getString(6),
        row.getString(7),
        row.getString(8),
        row.getString(9));
  }

  private static void leave(Connection connection) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      // The connection is broken, and what broke it is being thrown already.
    }
  }

  /** A value the server may not want to tell everybody. */
  private static @Nullable String ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : null;
    } catch (SQLException e) {
      if (PostgresErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
        throw e;
      }
      return null;
    }
  }

  private static DatabaseException readOnly(String problem) {
    return new DatabaseException(
        ErrorCode.READ_ONLY_DATABASE,
        problem,
        "Connect to the primary, read-write (targetServerType=primary in the JDBC URL).",
        null);
  }

  private static DatabaseException statementPooling(@Nullable SQLException cause) {
    return new DatabaseException(
        ErrorCode.UNSUPPORTED_POOLING,
        "The connection goes through a pooler in statement mode: a transaction does not keep its"
            + " session",
        "Use transaction or session pooling (pool_mode), or connect to the server directly.",
        cause);
  }
}
