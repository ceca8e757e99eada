package dev.zerodowntime.orchestrator.mysql.testing;

import com.mysql.cj.jdbc.MysqlDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** A fresh, empty database, so that tests don't see each other. Dropped by {@link #close}. */
public final class MysqlDatabase implements AutoCloseable {

  private static final AtomicInteger COUNTER = new AtomicInteger();
  // Several JVMs may share a server.
  private static final String RUN =
      Integer.toString(ThreadLocalRandom.current().nextInt(0x10000, 0x1000000), 36);

  private final MysqlServer server;
  private final String name;
  private final MysqlDataSource dataSource;

  private MysqlDatabase(MysqlServer server, String name) {
    this.server = server;
    this.name = name;
    this.dataSource = server.dataSource(name);
  }

  /** Creates a database whose unique name contains the hint. */
  public static MysqlDatabase create(MysqlServer server, String hint) {
    String name = "t_" + hint + "_" + RUN + "_" + COUNTER.incrementAndGet();
    run(server.dataSource(null), "CREATE DATABASE " + name + " CHARACTER SET utf8mb4");
    return new MysqlDatabase(server, name);
  }

  public String name() {
    return name;
  }

  public DataSource dataSource() {
    return dataSource;
  }

  /** Runs statements one after the other, each committed on its own, in one new session. */
  public void execute(String... statements) {
    run(dataSource, statements);
  }

  /** All rows, each a list of its columns as text. */
  public List<List<String>> rows(String sql) {
    try (Connection c = dataSource.getConnection();
        Statement s = c.createStatement();
        ResultSet found = s.executeQuery(sql)) {
      int columns = found.getMetaData().getColumnCount();
      List<List<String>> rows = new ArrayList<>();
      while (found.next()) {
        List<String> row = new ArrayList<>(columns);
        for (int i = 1; i <= columns; i++) {
          row.add(found.getString(i));
        }
        rows.add(row);
      }
      return rows;
    } catch (SQLException e) {
      throw failed(sql, e);
    }
  }

  @Override
  public void close() {
    run(server.dataSource(null), "DROP DATABASE " + name);
  }

  private static void run(DataSource source, String... statements) {
    String last = "connect";
    try (Connection c = source.getConnection();
        Statement s = c.createStatement()) {
      for (String sql : statements) {
        last = sql;
        s.execute(sql);
      }
    } catch (SQLException e) {
      throw failed(last, e);
    }
  }

  private static IllegalStateException failed(String what, SQLException e) {
    return new IllegalStateException("failed: " + what + ": " + e.getMessage(), e);
  }
}
