package dev.zerodowntime.benchmarks;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A PostgreSQL for this run alone, that keeps what it is given as a real one does. */
final class Server implements AutoCloseable {

  /** What decides how fast an UPDATE can be; printed as the server itself sees it. */
  private static final List<String> SHOWN =
      List.of(
          "server_version",
          "shared_buffers",
          "max_wal_size",
          "min_wal_size",
          "checkpoint_timeout",
          "fsync",
          "synchronous_commit",
          "full_page_writes",
          "wal_compression",
          "autovacuum",
          "autovacuum_naptime");

  private static final long LOG_FILE = 16 * 1024 * 1024;

  private final EmbeddedPostgres postgres;
  private final Set<Long> templates = new HashSet<>();
  private int databases;

  private Server(EmbeddedPostgres postgres) {
    this.postgres = postgres;
  }

  static Server start(Settings settings) throws IOException {
    return new Server(
        EmbeddedPostgres.builder()
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            // The embedded server is started for tests, without these: say so, or nothing is
            // written to the disk.
            .setServerConfig("fsync", settings.durable() ? "on" : "off")
            .setServerConfig("synchronous_commit", "on")
            .setServerConfig("full_page_writes", "on")
            .setServerConfig(
                "shared_buffers", System.getProperty("benchmark.shared_buffers", "128MB"))
            // No checkpoint falls into one run because another one wrote a lot.
            .setServerConfig("max_wal_size", "16GB")
            .setServerConfig("min_wal_size", "8GB")
            .setServerConfig("max_connections", "100")
            .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
            .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  /**
   * Has the files there already that the log is going to be written to. A server that has run for a
   * while overwrites old ones; a new one has to make each of them first, and everybody who commits
   * waits for that.
   */
  void makeLogFiles(long bytes) throws SQLException {
    Database admin = new Database(this, "postgres");
    for (long made = 0; made < bytes; made += LOG_FILE) {
      admin.execute("SELECT pg_logical_emit_message(false, 'fill', ''), pg_switch_wal()");
    }
    admin.execute("CHECKPOINT");
  }

  String settings() throws SQLException {
    List<String> texts = new ArrayList<>();
    Database database = new Database(this, "postgres");
    for (String name : SHOWN) {
      texts.add(name + " = " + database.text("SELECT current_setting('" + name + "')"));
    }
    return String.join(", ", texts);
  }

  String url(String database) {
    // What the README asks of applications.
    return postgres.getJdbcUrl("postgres", database) + "&autosave=conservative";
  }

  /**
   * A database with a table of so many rows, that nobody has touched. It is copied file by file
   * from one that was filled, vacuumed and analyzed once: so every run begins with the very same
   * pages, and at the price of a copy.
   */
  Database fresh(long rows) throws SQLException {
    Database admin = new Database(this, "postgres");
    String template = "filled_" + rows;
    if (templates.add(rows)) {
      admin.execute("CREATE DATABASE " + template);
      Users.fill(new Database(this, template), rows);
    }
    String name = "run_" + ++databases;
    admin.execute("CREATE DATABASE " + name + " TEMPLATE " + template + " STRATEGY FILE_COPY");
    return new Database(this, name);
  }

  /** Makes room: only the tables of one size are needed at a time. */
  void forget(long rows) throws SQLException {
    if (templates.remove(rows)) {
      new Database(this, "postgres").execute("DROP DATABASE filled_" + rows + " WITH (FORCE)");
    }
  }

  @Override
  public void close() throws IOException {
    postgres.close();
  }
}
