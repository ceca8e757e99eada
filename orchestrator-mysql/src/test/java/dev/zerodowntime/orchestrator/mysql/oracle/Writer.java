package dev.zerodowntime.orchestrator.mysql.oracle;

import com.mysql.cj.jdbc.JdbcConnection;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;

/**
 * An application's transaction that writes to a table: it has the metadata lock of a change of
 * rows, and locks no row. What is under way waits for it; or it waits for what is under way.
 */
final class Writer implements AutoCloseable {

  private final Connection connection;
  private final CompletableFuture<Long> begun = new CompletableFuture<>();
  private final Thread thread;
  final long session;

  /** Sends its first statement, which may have to wait. */
  Writer(DataSource database, String table) throws SQLException {
    connection = database.getConnection();
    session = connection.unwrap(JdbcConnection.class).getId();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET SESSION lock_wait_timeout = 60");
    }
    thread = new Thread(() -> begin(table), "oracle-writer");
    thread.setDaemon(true);
    thread.start();
  }

  private void begin(String table) {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1 FROM `" + table.replace("`", "``") + "` LIMIT 0 FOR UPDATE");
      begun.complete(System.nanoTime());
    } catch (SQLException | RuntimeException e) {
      // Such as a table that is gone meanwhile: then there is nothing to write to.
      begun.complete(System.nanoTime());
    }
  }

  boolean begun() {
    return begun.isDone();
  }

  /** When it began, once it has. */
  long await() {
    return begun.join();
  }

  @Override
  public void close() throws SQLException {
    await();
    connection.rollback();
    connection.close();
  }
}
