package dev.zerodowntime.orchestrator.postgres.oracle;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/**
 * An application's open transaction: what CONCURRENTLY waits for, at each of its stages. It has the
 * lock of a change of rows on every table, and a snapshot.
 */
final class Writer implements AutoCloseable {

  private final Connection connection;
  final int pid;

  private Writer(Connection connection) throws SQLException {
    this.connection = connection;
    this.pid = connection.unwrap(PGConnection.class).getBackendPID();
  }

  /** Opens one, or returns null where that had to wait for a lock. */
  static Writer open(DataSource database, List<String> tables) throws SQLException {
    Connection connection = database.getConnection();
    try (Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute(
          "LOCK TABLE " + String.join(", ", tables) + " IN ROW EXCLUSIVE MODE NOWAIT");
      statement.execute("SELECT count(*) FROM pg_catalog.pg_class");
      return new Writer(connection);
    } catch (SQLException e) {
      connection.close();
      if ("55P03".equals(e.getSQLState())) {
        return null;
      }
      throw e;
    }
  }

  @Override
  public void close() throws SQLException {
    connection.rollback();
    connection.close();
  }
}
