package dev.zerodowntime.orchestrator.postgres.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * Two embedded servers: a primary, and a standby that streams from it. The embedded binaries have
 * no tool for base backups; a copy of a data directory whose server was shut down is one too.
 */
public final class PrimaryAndStandby implements AutoCloseable {

  private final Path folder;
  private final EmbeddedPostgres primary;
  private final EmbeddedPostgres standby;

  private PrimaryAndStandby(Path folder, EmbeddedPostgres primary, EmbeddedPostgres standby) {
    this.folder = folder;
    this.primary = primary;
    this.standby = standby;
  }

  /** Starts both; returns when the standby answers. */
  public static PrimaryAndStandby start() throws IOException {
    Path folder = Files.createTempDirectory("orchestrator-standby");
    Path original = folder.resolve("primary");
    Path copy = folder.resolve("standby");
    server(original).start().close();
    copy(original, copy);
    Files.createFile(copy.resolve("standby.signal"));
    EmbeddedPostgres primary = server(original).start();
    // Not on the command line, which is split at spaces. Queries win over replay, as where reports
    // run on a standby.
    Files.writeString(
        copy.resolve("postgresql.auto.conf"),
        "primary_conninfo = 'host=localhost user=postgres application_name=standby port="
            + primary.getPort()
            + "'\nmax_standby_streaming_delay = -1\n");
    EmbeddedPostgres standby = server(copy).start();
    return new PrimaryAndStandby(folder, primary, standby);
  }

  private static EmbeddedPostgres.Builder server(Path data) {
    return EmbeddedPostgres.builder()
        .setDataDirectory(data)
        .setCleanDataDirectory(false)
        .setLocaleConfig("locale", "C")
        .setPGStartupWait(Duration.ofSeconds(60))
        .setServerConfig("fsync", "off")
        // What is committed is not yet written: the hardest case for whoever asks for positions.
        .setServerConfig("synchronous_commit", "off");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : (Iterable<Path>) all::iterator) {
        Files.copy(each, to.resolve(from.relativize(each)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  public DataSource primary() {
    return primary.getPostgresDatabase();
  }

  public DataSource standby() {
    return standby.getPostgresDatabase();
  }

  /** Runs statements on one of the two. */
  public static void execute(DataSource server, String... statements) throws SQLException {
    try (Connection c = server.getConnection();
        Statement s = c.createStatement()) {
      for (String sql : statements) {
        s.execute(sql);
      }
    }
  }

  /** Whether a query of one boolean says so. */
  public static boolean is(DataSource server, String sql) throws SQLException {
    try (Connection c = server.getConnection();
        Statement s = c.createStatement();
        ResultSet row = s.executeQuery(sql)) {
      return row.next() && row.getBoolean(1);
    }
  }

  @Override
  public void close() throws IOException {
    standby.close();
    primary.close();
    List<Path> all;
    try (Stream<Path> walk = Files.walk(folder)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path each : all) {
      Files.deleteIfExists(each);
    }
  }
}
