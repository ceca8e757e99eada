package dev.zerodowntime.orchestrator.postgres.testing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A fresh, empty database on the shared server, so that tests don't see each other. Dropped by
 * {@link #close}.
 */
public final class TestDatabase implements AutoCloseable {

  private static final AtomicInteger COUNTER = new AtomicInteger();
  private static final int MANY = 60;
  private static final Map<DataSource, TestDatabase> BY_SOURCE =
      Collections.synchronizedMap(new IdentityHashMap<>());
  // Several JVMs may share a server that was given by its URL.
  private static final String RUN =
      Integer.toString(ThreadLocalRandom.current().nextInt(0x10000, 0x1000000), 36);

  private final PostgresServer server;
  private final String name;
  private final PGSimpleDataSource dataSource;
  private final Queue<HikariDataSource> pools = new ConcurrentLinkedQueue<>();
  private HikariDataSource applicationsPool;

  private TestDatabase(PostgresServer server, String name) {
    this.server = server;
    this.name = name;
    this.dataSource = server.dataSource(name);
    BY_SOURCE.put(dataSource, this);
  }

  /**
   * Creates a database whose unique name contains the hint, to tell them apart in pg_stat_activity.
   */
  public static TestDatabase create(String hint) {
    PostgresServer server = PostgresServer.get();
    String readable = hint.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]+", "_");
    if (readable.length() > 40) {
      readable = readable.substring(0, 40);
    }
    String name = "t_" + readable + "_" + RUN + "_" + COUNTER.incrementAndGet();
    // template0: a session in template1 would make this fail.
    administer(server, "create database " + name + " template template0");
    return new TestDatabase(server, name);
  }

  public PostgresServer server() {
    return server;
  }

  public String name() {
    return name;
  }

  /**
   * Unpooled: every connection is a new session. The same object each time; see {@link
   * #newDataSource}.
   */
  public PGSimpleDataSource dataSource() {
    return dataSource;
  }

  /** An unpooled source of the caller's own, to set driver properties on. */
  public PGSimpleDataSource newDataSource() {
    return server.dataSource(name);
  }

  /** A fixed-size pool, closed together with the database. */
  public HikariDataSource pool(int size) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(newDataSource());
    config.setMaximumPoolSize(size);
    config.setPoolName(name + "-" + (pools.size() + 1));
    HikariDataSource pool = new HikariDataSource(config);
    pools.add(pool);
    return pool;
  }

  /**
   * The pool that the processes of a test share, as those of an application would: a new session
   * costs the server more than what most of them are used for. Any other source than that of {@link
   * #dataSource} stays as it is.
   */
  public static DataSource pooled(DataSource source) {
    TestDatabase database = BY_SOURCE.get(source);
    return database == null ? source : database.applicationsPool();
  }

  private synchronized DataSource applicationsPool() {
    if (applicationsPool == null) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(newDataSource());
      config.setMaximumPoolSize(MANY);
      config.setMinimumIdle(0);
      config.setPoolName(name);
      applicationsPool = new HikariDataSource(config);
      pools.add(applicationsPool);
    }
    return applicationsPool;
  }

  /** The JDBC URL without credentials; {@link #user} and {@link #password} go with it. */
  public String url() {
    return dataSource.getURL();
  }

  public String user() {
    return dataSource.getUser();
  }

  public String password() {
    return dataSource.getPassword();
  }

  /** Runs statements one after the other, each committed on its own, in one new session. */
  public void execute(String... statements) {
    try (Connection c = dataSource.getConnection();
        Statement s = c.createStatement()) {
      for (String sql : statements) {
        try {
          s.execute(sql);
        } catch (SQLException e) {
          throw failed(sql, e);
        }
      }
    } catch (SQLException e) {
      throw failed("connect to " + name, e);
    }
  }

  /** The first column of the only row; fails on none or several. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  public <T> T queryOne(String sql) {
    List<List<Object>> rows = rows(sql);
    if (rows.size() != 1) {
      throw new IllegalStateException("Expected one row, got " + rows.size() + ": " + sql);
    }
    return (T) rows.get(0).get(0);
  }

  public long queryLong(String sql) {
    Number number = queryOne(sql);
    return number.longValue();
  }

  /** All rows, each a list of its columns as the driver gives them; SQL NULL is null. */
  public List<List<Object>> rows(String sql) {
    try (Connection c = dataSource.getConnection();
        Statement s = c.createStatement();
        ResultSet rs = s.executeQuery(sql)) {
      int columns = rs.getMetaData().getColumnCount();
      List<List<Object>> rows = new ArrayList<>();
      while (rs.next()) {
        List<Object> row = new ArrayList<>(columns);
        for (int i = 1; i <= columns; i++) {
          row.add(rs.getObject(i));
        }
        rows.add(row);
      }
      return rows;
    } catch (SQLException e) {
      throw failed(sql, e);
    }
  }

  /** Drops the database, whoever is still connected. Closing twice is harmless. */
  @Override
  public void close() {
    BY_SOURCE.remove(dataSource);
    for (HikariDataSource pool; (pool = pools.poll()) != null; ) {
      pool.close();
    }
    administer(server, "drop database if exists " + name + " with (force)");
  }

  @Override
  public String toString() {
    return name;
  }

  private static void administer(PostgresServer server, String sql) {
    try (Connection c = server.dataSource(null).getConnection();
        Statement s = c.createStatement()) {
      s.execute(sql);
    } catch (SQLException e) {
      throw failed(sql, e);
    }
  }

  private static IllegalStateException failed(String what, SQLException e) {
    return new IllegalStateException(
        what + ": " + e.getMessage() + " [" + e.getSQLState() + "]", e);
  }
}
