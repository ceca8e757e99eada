package dev.zerodowntime.samples.quickstart;

import com.mysql.cj.jdbc.MysqlDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL, started from Maven artifacts for this run alone; or a database on a server
 * that was named, which must be empty.
 */
final class Server implements AutoCloseable {

  private static final int FILLED_AT_ONCE = 1_000;

  private final @Nullable EmbeddedPostgres postgres;
  private final String url;
  private final DataSource database;

  private Server(@Nullable EmbeddedPostgres postgres, String url, DataSource database) {
    this.postgres = postgres;
    this.url = url;
    this.database = database;
  }

  static Server start() throws IOException {
    String named = Product.url();
    if (named != null) {
      MysqlDataSource database = new MysqlDataSource();
      database.setUrl(named);
      return new Server(null, named, database);
    }
    EmbeddedPostgres postgres =
        EmbeddedPostgres.builder()
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            // Nothing here must survive a power cut. Locks are what a real server's are.
            .setServerConfig("fsync", "off")
            .setServerConfig("full_page_writes", "off")
            .setServerConfig("max_connections", "100")
            .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
            .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
            .start();
    return new Server(
        postgres, postgres.getJdbcUrl("postgres", "postgres"), postgres.getPostgresDatabase());
  }

  String url() {
    return url;
  }

  DataSource database() {
    return database;
  }

  /** The table as it was before anybody wanted to change it, with its rows. */
  void createCustomers(long rows) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(Product.current().createCustomers());
      connection.setAutoCommit(false);
      try (PreparedStatement fill = connection.prepareStatement(Product.current().fill())) {
        for (long from = 1; from <= rows; from += FILLED_AT_ONCE) {
          fill.setLong(1, from);
          fill.setLong(2, Math.min(rows, from + FILLED_AT_ONCE - 1));
          fill.executeUpdate();
        }
      }
      connection.commit();
      connection.setAutoCommit(true);
      statement.execute("CREATE INDEX customers_by_name ON customers (name)");
      statement.execute(Product.current().analyze());
    }
  }

  @Override
  public void close() throws IOException {
    if (postgres != null) {
      postgres.close();
    }
  }
}
