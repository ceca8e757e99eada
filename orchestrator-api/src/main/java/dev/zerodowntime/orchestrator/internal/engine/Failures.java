package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Turns SQL errors that nobody handled into exceptions that say what to do. */
final class Failures {

  private Failures() {}

  /**
   * A call of the public API.
   *
   * @param <T> its result
   */
  @FunctionalInterface
  interface Call<T> {
    T run() throws SQLException;
  }

  static <T> T translate(
      Engine.Configuration configuration, Supplier<@Nullable Connected> connected, Call<T> call) {
    try {
      return call.run();
    } catch (SQLException e) {
      // Asked only now: it is the first call that connects.
      throw translate(configuration, connected.get(), e);
    }
  }

  /** The same where nothing is known of the database. */
  static DatabaseException untold(Engine.Configuration configuration, SQLException e) {
    return translate(configuration, null, e);
  }

  private static DatabaseException translate(
      Engine.Configuration configuration, @Nullable Connected connected, SQLException e) {
    String problem = e.getMessage() + " [SQLSTATE " + e.getSQLState() + "]";
    // Whoever is not let in can't have been told apart by a dialect: these are standard.
    if (SqlStates.any(e, state -> state.startsWith("28"))) {
      return new DatabaseException(
          ErrorCode.LOGIN_REFUSED,
          "The server refuses the user or its password: " + problem,
          "Check the DataSource's user and password, and that the server lets this user in from"
              + " here.",
          e);
    }
    if (SqlStates.any(e, "3D000"::equals)) {
      return new DatabaseException(
          ErrorCode.NO_SUCH_DATABASE,
          "The server has no such database: " + problem,
          "Check the database's name in the DataSource's address, or create it.",
          e);
    }
    if (e instanceof SQLTransientConnectionException && e.getSQLState() == null) {
      return new DatabaseException(
          ErrorCode.DATABASE_UNREACHABLE,
          "No connection could be had from the pool: " + e.getMessage(),
          "All are in use, or the database doesn't answer; heartbeats, DDL and its watcher need up"
              + " to three at once, beside the application's own.",
          e);
    }
    SqlErrorKind kind =
        connected != null
            ? connected.dialect().classify(e)
            : configuration.dialect() != null
                ? configuration.dialect().classify(e)
                : SqlStates.unreachable(e) ? SqlErrorKind.CONNECTION_LOST : SqlErrorKind.OTHER;
    String schema = connected != null ? connected.controlSchema() : configuration.controlSchema();
    String where = schema == null ? "" : " in schema " + schema;
    return switch (kind) {
      case CONNECTION_LOST ->
          new DatabaseException(
              ErrorCode.DATABASE_UNREACHABLE,
              "The database does not answer: " + problem,
              "Check its address and that it is up; calling again is always safe.",
              e);
      case PRIVILEGE ->
          new DatabaseException(
              ErrorCode.MISSING_PRIVILEGE,
              "The database user lacks a privilege: " + problem,
              "Members need what these give: "
                  + grants(connected)
                  + "; drivers also what changing the application's tables takes.",
              e);
      case LOCK_TIMEOUT ->
          new DatabaseException(
              ErrorCode.SQL,
              "A row of the control tables is locked by another session: " + problem,
              (connected == null
                      ? "Look for its session; "
                      : "Look for its session with "
                          + connected.dialect().openTransactions()
                          + "; ")
                  + "calling again is always safe.",
              e);
      case READ_ONLY ->
          new DatabaseException(
              ErrorCode.READ_ONLY_DATABASE,
              "The database refuses writes: " + problem,
              "Give the builder a DataSource of the primary.",
              e);
      case UNDEFINED_TABLE ->
          new DatabaseException(
              ErrorCode.CONTROL_TABLES,
              "A control table is missing: " + problem,
              "Restore the control tables"
                  + where
                  + " from a backup; or, if it was dropped on purpose, start the process"
                  + " anew to install it.",
              e);
      default ->
          new DatabaseException(
              ErrorCode.SQL,
              "Unexpected SQL error: " + problem,
              "Calling again is safe; if it stays, its cause is in the message.",
              e);
    };
  }

  private static String grants(@Nullable Connected connected) {
    return connected == null
        ? "SELECT, INSERT, UPDATE and DELETE on the control tables"
        : String.join("; ", connected.grants("…"));
  }
}
