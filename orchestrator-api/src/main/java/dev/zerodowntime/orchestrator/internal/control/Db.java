package dev.zerodowntime.orchestrator.internal.control;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The little JDBC that everything here needs. Connections come from the application's pool and go
 * back as they were.
 */
public final class Db {

  /** Only for one transaction: nothing of it leaks back into the pool. */
  private static final List<String> READ_COMMITTED =
      List.of("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");

  private Db() {}

  /**
   * Work on a connection.
   *
   * @param <T> its result
   */
  @FunctionalInterface
  public interface Work<T> {
    /**
     * Does it.
     *
     * @param connection the connection
     * @return the result
     * @throws SQLException if the database objects
     */
    T run(Connection connection) throws SQLException;
  }

  /**
   * Maps a row.
   *
   * @param <T> to what
   */
  @FunctionalInterface
  public interface Row<T> {
    /**
     * Maps the current row.
     *
     * @param row positioned
     * @return what it holds
     * @throws SQLException if it can't be read
     */
    T map(ResultSet row) throws SQLException;
  }

  /** Runs work statement by statement, each in its own transaction. */
  public static <T> T autoCommit(DataSource dataSource, Work<T> work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      boolean before = connection.getAutoCommit();
      if (!before) {
        connection.setAutoCommit(true);
      }
      try {
        return work.run(connection);
      } finally {
        if (!before) {
          restore(connection, false);
        }
      }
    }
  }

  /** Runs work in one READ COMMITTED transaction, whatever the pool's default is. */
  public static <T> T transaction(DataSource dataSource, Work<T> work) throws SQLException {
    return transaction(dataSource, READ_COMMITTED, List.of(), work);
  }

  /**
   * Runs work in one transaction.
   *
   * @param begin what is executed first
   * @param end what puts back whatever of that outlives the transaction
   */
  public static <T> T transaction(
      DataSource dataSource, List<String> begin, List<String> end, Work<T> work)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      boolean before = connection.getAutoCommit();
      if (before) {
        connection.setAutoCommit(false);
      }
      try {
        for (String sql : begin) {
          execute(connection, sql);
        }
        T result = work.run(connection);
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException | Error e) {
        try {
          connection.rollback();
        } catch (SQLException onRollback) {
          e.addSuppressed(onRollback);
        }
        throw e;
      } finally {
        if (before) {
          restore(connection, true);
        }
        putBack(connection, end);
      }
    }
  }

  /** Whoever gets the connection next must not meet our settings. */
  private static void putBack(Connection connection, List<String> end) {
    try {
      for (String sql : end) {
        execute(connection, sql);
      }
    } catch (SQLException e) {
      abort(connection);
    }
  }

  /**
   * Closes a connection for good. A pool that isn't told would hand it out again: so it is used
   * once more, which fails, and pools look at what fails.
   */
  public static void abort(Connection connection) {
    try {
      connection.abort(Runnable::run);
      connection.createStatement().close();
    } catch (SQLException e) {
      // That was to be expected.
    }
  }

  /** Runs work in a transaction that leaves nothing behind, whether it succeeds or not. */
  public static <T> T rolledBack(DataSource dataSource, Work<T> work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      boolean before = connection.getAutoCommit();
      if (before) {
        connection.setAutoCommit(false);
      }
      try {
        for (String sql : READ_COMMITTED) {
          execute(connection, sql);
        }
        return work.run(connection);
      } finally {
        try {
          connection.rollback();
        } catch (SQLException e) {
          // Broken: nothing is left of it on the server either.
        }
        if (before) {
          restore(connection, true);
        }
      }
    }
  }

  private static void restore(Connection connection, boolean autoCommit) {
    try {
      connection.setAutoCommit(autoCommit);
    } catch (SQLException e) {
      // Broken: the pool finds out by itself, and what was thrown before matters more.
    }
  }

  /** Runs a statement without parameters. */
  public static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Runs an INSERT, UPDATE or DELETE. */
  public static int update(Connection connection, String sql, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      bind(statement, parameters);
      return statement.executeUpdate();
    }
  }

  /** Runs a query. */
  public static <T> List<T> query(
      Connection connection, String sql, Row<T> row, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      bind(statement, parameters);
      List<T> rows = new ArrayList<>();
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          rows.add(row.map(result));
        }
      }
      return rows;
    }
  }

  /** Runs a query of at most one row. */
  public static <T> Optional<T> queryOne(
      Connection connection, String sql, Row<T> row, @Nullable Object... parameters)
      throws SQLException {
    List<T> rows = query(connection, sql, row, parameters);
    return rows.isEmpty() ? Optional.empty() : Optional.of(rows.get(0));
  }

  /** A nullable number. */
  public static @Nullable Long nullableLong(ResultSet row, String column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? null : value;
  }

  /** Sets the parameters of a statement, in their order. */
  public static void bind(PreparedStatement statement, @Nullable Object... parameters)
      throws SQLException {
    for (int i = 0; i < parameters.length; i++) {
      Object parameter = parameters[i];
      if (parameter instanceof String text) {
        statement.setString(i + 1, text);
      } else if (parameter instanceof Long number) {
        statement.setLong(i + 1, number);
      } else if (parameter instanceof Integer number) {
        statement.setInt(i + 1, number);
      } else if (parameter instanceof Double number) {
        statement.setDouble(i + 1, number);
      } else if (parameter instanceof Boolean flag) {
        statement.setBoolean(i + 1, flag);
      } else if (parameter instanceof byte[] bytes) {
        statement.setBytes(i + 1, bytes);
      } else if (parameter instanceof BigDecimal number) {
        statement.setBigDecimal(i + 1, number);
      } else if (parameter == null) {
        // Untyped, so that it suits a column of any type.
        statement.setNull(i + 1, java.sql.Types.NULL);
      } else {
        throw new IllegalArgumentException("can't bind " + parameter.getClass());
      }
    }
  }
}
