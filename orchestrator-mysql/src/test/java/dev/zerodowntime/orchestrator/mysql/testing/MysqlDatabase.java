package dev.zerodowntime.orchestrator.mysql.testing;

import com.mysql.cj.jdbc.MysqlDataSource;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A fresh, empty database, so that tests don't see each other. Dropped by {@link #close}. */
public final class MysqlDatabase implements AutoCloseable {

  private static final AtomicInteger COUNTER = new AtomicInteger();
  // Several JVMs may share a server.
  private static final String RUN =
      Integer.toString(ThreadLocalRandom.current().nextInt(0x10000, 0x1000000), 36);

  private final MysqlServer server;
  private final String name;
  private static final int MANY = 60;

  private final MysqlDataSource dataSource;
  private @Nullable HikariDataSource pool;

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

  public MysqlServer server() {
    return server;
  }

  public String name() {
    return name;
  }

  MysqlServer.Flavor flavor() {
    return server.flavor();
  }

  /** Where it is, and as whom it is used. */
  MysqlDataSource source() {
    return dataSource;
  }

  /** A source with further options of the driver, such as {@code a=1&b=2}. */
  public MysqlDataSource source(String options) {
    return server.dataSource(name, options);
  }

  public DataSource dataSource() {
    return dataSource;
  }

  /** The pool that the processes of a test share, as those of an application would. */
  public synchronized DataSource pool() {
    if (pool == null) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(server.dataSource(name));
      config.setMaximumPoolSize(MANY);
      config.setMinimumIdle(0);
      config.setPoolName(name);
      pool = new HikariDataSource(config);
    }
    return pool;
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
  public synchronized void close() {
    if (pool != null) {
      pool.close();
    }
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
