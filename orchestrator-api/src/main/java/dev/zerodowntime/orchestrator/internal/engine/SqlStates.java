package dev.zerodowntime.orchestrator.internal.engine;

import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import java.util.function.Predicate;

/**
 * What an SQL error says in every dialect. Pools wrap what the driver said, so causes count too.
 */
final class SqlStates {

  /** Causes can form a circle. */
  private static final int DEEPEST = 20;

  private SqlStates() {}

  /** Whether an error, one of its causes, or the one after it has such an SQLSTATE. */
  static boolean any(SQLException error, Predicate<String> state) {
    return matches(error, each -> each instanceof SQLException sql && has(sql, state), DEEPEST);
  }

  /** Whether there was no connection, rather than one that was refused. */
  static boolean unreachable(SQLException error) {
    return matches(
        error,
        each ->
            each instanceof IOException
                || each instanceof SQLTransientConnectionException
                || each instanceof SQLNonTransientConnectionException
                || (each instanceof SQLException sql && has(sql, it -> it.startsWith("08"))),
        DEEPEST);
  }

  private static boolean has(SQLException error, Predicate<String> state) {
    String found = error.getSQLState();
    return found != null && state.test(found);
  }

  private static boolean matches(Throwable error, Predicate<Throwable> what, int depth) {
    if (depth == 0) {
      return false;
    }
    Throwable cause = error.getCause();
    SQLException next = error instanceof SQLException sql ? sql.getNextException() : null;
    return what.test(error)
        || (cause != null && matches(cause, what, depth - 1))
        || (next != null && matches(next, what, depth - 1));
  }
}
