package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;

/** What SQLSTATEs mean for the step that met them. */
final class PostgresErrors {

  static final String PRIVILEGE = "42501";
  static final String UNDEFINED_TABLE = "42P01";

  private PostgresErrors() {}

  static SqlErrorKind classify(SQLException error) {
    Throwable cause = error;
    // Bounded, because causes can form a circle.
    for (int depth = 0; cause != null && depth < 20; depth++) {
      SqlErrorKind kind = kind(cause);
      if (kind != SqlErrorKind.OTHER) {
        return kind;
      }
      cause = cause.getCause();
    }
    return SqlErrorKind.OTHER;
  }

  private static SqlErrorKind kind(Throwable cause) {
    if (cause instanceof SQLException sql) {
      SqlErrorKind kind = kind(sql.getSQLState());
      if (kind == SqlErrorKind.OTHER && sql instanceof SQLTransientConnectionException) {
        return SqlErrorKind.CONNECTION_LOST;
      }
      SQLException next = sql.getNextException();
      return kind == SqlErrorKind.OTHER && next != null ? kind(next.getSQLState()) : kind;
    }
    return cause instanceof IOException ? SqlErrorKind.CONNECTION_LOST : SqlErrorKind.OTHER;
  }

  private static SqlErrorKind kind(@Nullable String state) {
    if (state == null) {
      return SqlErrorKind.OTHER;
    }
    if (state.startsWith("08")) {
      return SqlErrorKind.CONNECTION_LOST;
    }
    return switch (state) {
      case "55P03" -> SqlErrorKind.LOCK_TIMEOUT;
      case "57014" -> SqlErrorKind.CANCELLED;
      case "40P01", "40001" -> SqlErrorKind.DEADLOCK;
      // Shut down, crashed, starting up, idle session, idle in transaction, transaction_timeout,
      // too many connections: each ends the session or never lets it begin.
      case "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "53300" ->
          SqlErrorKind.CONNECTION_LOST;
      case PRIVILEGE -> SqlErrorKind.PRIVILEGE;
      case UNDEFINED_TABLE, "3F000" -> SqlErrorKind.UNDEFINED_TABLE;
      case "25006" -> SqlErrorKind.READ_ONLY;
      default ->
          switch (state.substring(0, Math.min(2, state.length()))) {
            // Cardinality, data exception, integrity, check option, raised by a function.
            case "21", "22", "23", "44", "P0" -> SqlErrorKind.DATA;
            default -> SqlErrorKind.OTHER;
          };
    };
  }
}
