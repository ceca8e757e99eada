package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.util.Locale;

/**
 * What errors mean for the step that met them. The number counts, not the SQLSTATE, which is HY000
 * for most of what matters here; it decides only about what has no number of its own below.
 */
final class MysqlErrors {

  private static final int OPTION_PREVENTS = 1290;
  private static final int NOT_UNIQUE_NAME = 1052;

  private MysqlErrors() {}

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
      SqlErrorKind kind = byNumber(sql);
      if (kind == SqlErrorKind.OTHER) {
        kind = byState(sql);
      }
      SQLException next = sql.getNextException();
      return kind == SqlErrorKind.OTHER && next != null ? byNumber(next) : kind;
    }
    return cause instanceof IOException ? SqlErrorKind.CONNECTION_LOST : SqlErrorKind.OTHER;
  }

  private static SqlErrorKind byNumber(SQLException error) {
    return switch (error.getErrorCode()) {
      // Lock wait timeout; NOWAIT (MySQL); given up for somebody's ALTER.
      case 1205, 3572, 1689 -> SqlErrorKind.LOCK_TIMEOUT;
      // Deadlock; the row changed under a snapshot (MariaDB); deadlock of GET_LOCK; lost against
      // another member of the group at commit.
      case 1213, 1020, 3058, 3101 -> SqlErrorKind.DEADLOCK;
      // KILL QUERY; max_execution_time; max_statement_time (MariaDB).
      case 1317, 3024, 1969 -> SqlErrorKind.CANCELLED;
      // Shut down; idle for too long; gone; lost; killed (MariaDB); too many connections, of all
      // users or of this one; offline_mode.
      case 1053, 4031, 2006, 2013, 1927, 1040, 1203, 1226, 3032 -> SqlErrorKind.CONNECTION_LOST;
      case 1044, 1045, 1142, 1143, 1227, 1370, 1410, 1419, 1698 -> SqlErrorKind.PRIVILEGE;
      case 1146, 1049, 1051 -> SqlErrorKind.UNDEFINED_TABLE;
      case 1792, 1836 -> SqlErrorKind.READ_ONLY;
      // --read-only and --super-read-only, but also --secure-file-priv and the like.
      case OPTION_PREVENTS ->
          String.valueOf(error.getMessage())
                  .toLowerCase(Locale.ROOT)
                  .replace('_', '-')
                  .contains("read-only")
              ? SqlErrorKind.READ_ONLY
              : SqlErrorKind.OTHER;
      // NULL, duplicates, a subquery with two rows, no default, values that don't fit their column
      // or can't be converted,
      // division by zero, foreign keys, SIGNAL, checks (MySQL, MariaDB), JSON.
      case 1048,
          1062,
          1242,
          1264,
          1265,
          1292,
          1300,
          1364,
          1365,
          1366,
          1406,
          1411,
          1451,
          1452,
          1644,
          1690,
          1916,
          1977,
          3140,
          3819,
          3854,
          4025 ->
          SqlErrorKind.DATA;
      default -> SqlErrorKind.OTHER;
    };
  }

  private static SqlErrorKind byState(SQLException error) {
    if (error instanceof SQLTransientConnectionException) {
      return SqlErrorKind.CONNECTION_LOST;
    }
    if (error instanceof SQLTimeoutException) {
      return SqlErrorKind.CANCELLED;
    }
    String state = error.getSQLState();
    if (state == null || error.getErrorCode() == NOT_UNIQUE_NAME) {
      // A name that isn't unique is in class 23, and is the statement's mistake, not the data's.
      return SqlErrorKind.OTHER;
    }
    if (state.equals("40001")) {
      return SqlErrorKind.DEADLOCK;
    }
    if (state.startsWith("08")) {
      return SqlErrorKind.CONNECTION_LOST;
    }
    // Data exception, integrity; a condition that a trigger raised.
    return state.startsWith("22") || state.startsWith("23") || state.equals("45000")
        ? SqlErrorKind.DATA
        : SqlErrorKind.OTHER;
  }
}
