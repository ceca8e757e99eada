package dev.zerodowntime.orchestrator.mysql.crash;

import static org.assertj.core.api.Assertions.assertThat;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.mysql.MysqlDialect;
import dev.zerodowntime.orchestrator.mysql.testing.CopyTools;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.crash.Doomed;
import dev.zerodowntime.orchestrator.testing.crash.Spawn;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;

/**
 * A process dies while its tool copies a table, and the tool goes on without it. Whoever comes next
 * finds that, waits for it, and goes on with what it has copied.
 */
@Tag("crash")
@Timeout(120)
class CopyKillTest {

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource
  void whatTheToolGoesOnWithIsWaitedFor(MysqlServer.Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    Path slow = slow(CopyTools.path());
    try (MysqlDatabase database = MysqlDatabase.create(server, "copykill")) {
      database.execute(
          "CREATE TABLE items (id bigint AUTO_INCREMENT PRIMARY KEY, body varchar(300), n int)");
      for (int i = 0; i < 5; i++) {
        database.execute(
            "INSERT INTO items (body, n) SELECT SHA2(i, 512), i FROM ("
                + MysqlApplication.numbers(1, 1000)
                + ") numbers");
      }
      database.rows("ANALYZE TABLE items");
      install(database);
      CopyTool tool = CopyTools.of(database);
      kill(server, database, tool, slow);
      // Else nothing is shown below.
      assertThat(count(database, copy(database))).isLessThan(5000);
      carryOn(database, tool);
      assertThat(
              database.rows(
                  "SELECT outcome FROM zdo_event WHERE kind = 'STEP' AND step = 'copy-rows'"))
          .containsExactly(List.of("FOUND_DONE"));
      assertThat(database.rows("SHOW CREATE TABLE items").get(0).get(1))
          .containsPattern("`n` int(\\(11\\))? NOT NULL");
      assertThat(count(database, "items")).isEqualTo(5000);
      assertThat(copies(database)).isEmpty();
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
    }
  }

  private Path slow(Path tool) throws Exception {
    Path script = directory.resolve("slow-tool");
    Files.writeString(
        script,
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '"
            + tool
            + "' --version\nexec '"
            + tool
            + "' \"$@\" --chunk-time 0 --sleep 1\n");
    return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
  }

  private static void install(MysqlDatabase database) {
    try (Orchestrator job =
        Orchestrator.builder(database.dataSource())
            .application("billing")
            .release("job")
            .role(Role.DRIVER)
            .background(false)
            .timing(Doomed::quick)
            .build()) {
      job.advance();
      job.adopted("billing");
    }
  }

  private void kill(MysqlServer server, MysqlDatabase database, CopyTool tool, Path slow)
      throws Exception {
    MysqlDataSource source = server.dataSource(database.name());
    Spawn spawn =
        new Spawn(
            DoomedCopier.class,
            List.of(
                place(Orchestrator.class),
                place(MysqlDialect.class),
                place(DoomedCopier.class),
                place(Doomed.class),
                place(MysqlDataSource.class),
                place(Logger.class)),
            directory);
    Process process =
        spawn.start(
            "copier",
            source.getUrl(),
            server.user(),
            server.password(),
            slow.toString(),
            tool.host(),
            Integer.toString(tool.port()));
    try {
      while (copies(database).size() != 1 || count(database, copy(database)) == 0) {
        if (!process.isAlive()) {
          throw new AssertionError("it ended by itself: " + spawn.said("copier"));
        }
        Thread.sleep(5);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static Path place(Class<?> type) {
    return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
  }

  private static List<List<String>> copies(MysqlDatabase database) {
    return database.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND"
            + " (table_name LIKE 'zdo\\_copy%' OR table_name LIKE 'zdo\\_replaced%')");
  }

  private static String copy(MysqlDatabase database) {
    return copies(database).get(0).get(0);
  }

  private static long count(MysqlDatabase database, String table) {
    return Long.parseLong(database.rows("SELECT COUNT(*) FROM " + table).get(0).get(0));
  }

  /** A new process, at once; it has nothing but the catalog and the server's locks to go by. */
  private static void carryOn(MysqlDatabase database, CopyTool tool) {
    try (Orchestrator next = DoomedCopier.member(database.dataSource(), tool).build()) {
      next.advance();
      MigrationReport report;
      do {
        report = next.drive().migration(DoomedCopier.ID).orElseThrow();
        assertThat(report.status().name()).as(report.toString()).isNotEqualTo("FAILED");
      } while (!report.finished());
    }
  }
}
