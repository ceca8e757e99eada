package dev.zerodowntime.samples.rollingdeploy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Duration;
import javax.sql.DataSource;

/** A real PostgreSQL, started from Maven artifacts, and gone when it is closed. */
public final class Database implements AutoCloseable {

  private final EmbeddedPostgres postgres;

  private Database(EmbeddedPostgres postgres) {
    this.postgres = postgres;
  }

  /**
   * Starts one, on a free port.
   *
   * @return an empty database
   * @throws IOException if it can't be started
   */
  public static Database start() throws IOException {
    return new Database(
        EmbeddedPostgres.builder()
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            // Nothing here must survive a power cut. Locks are what a real server's are.
            .setServerConfig("fsync", "off")
            .setServerConfig("full_page_writes", "off")
            .setServerConfig("max_connections", "100")
            .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
            .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  /**
   * What an application is given.
   *
   * @return the URL, with the option that lets the driver prepare a statement anew when the columns
   *     of its result have changed
   */
  public String url() {
    String url = postgres.getJdbcUrl("postgres", "postgres");
    return url + (url.contains("?") ? "&" : "?") + "autosave=conservative";
  }

  DataSource dataSource() {
    return postgres.getPostgresDatabase();
  }

  @Override
  public void close() throws IOException {
    postgres.close();
  }
}
