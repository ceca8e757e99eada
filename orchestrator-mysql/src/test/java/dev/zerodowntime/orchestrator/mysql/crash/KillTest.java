package dev.zerodowntime.orchestrator.mysql.crash;

import static org.assertj.core.api.Assertions.assertThat;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.mysql.MysqlDialect;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.crash.Doomed;
import dev.zerodowntime.orchestrator.testing.crash.Spawn;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;

/**
 * A process dies in the middle of a long build, and the server goes on with it. Whoever comes next
 * finds that, waits for it, and reads from the catalog what became of it.
 */
@Tag("crash")
@Timeout(900)
class KillTest {

  private static final int DOUBLINGS = Integer.getInteger("kill.doublings", 8);

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource
  void whatTheServerGoesOnWithIsWaitedFor(MysqlServer.Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase database = MysqlDatabase.create(server, "kill")) {
      fill(database);
      install(database);
      String dead = kill(server, database);
      // Else nothing is shown below: the server had nothing left to do.
      assertThat(building(server, database)).containsExactly(dead);
      carryOn(database);
      assertThat(building(server, database)).isEmpty();
      // It was not built again, but found: there are no two builds.
      assertThat(
              database.rows(
                  "SELECT outcome FROM zdo_event WHERE kind = 'STEP' AND migration = '"
                      + DoomedBuilder.ID
                      + "'"))
          .containsExactly(List.of("FOUND_DONE"));
      assertThat(indexes(database)).containsExactlyInAnyOrder("PRIMARY", DoomedBuilder.INDEX);
      assertThat(
              database.rows(
                  "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                      + " AND table_name LIKE '#%'"))
          .isEmpty();
      assertThat(sessions(server, database)).isEmpty();
    }
  }

  /** Big enough that an index takes a second or two. */
  private static void fill(MysqlDatabase database) {
    List<String> statements = new ArrayList<>();
    statements.add(
        "CREATE TABLE items (id bigint AUTO_INCREMENT PRIMARY KEY, body varchar(300), n int)");
    statements.add(
        "INSERT INTO items (body, n) SELECT CONCAT(SHA2(i, 512), SHA2(-i, 512)), i FROM ("
            + MysqlApplication.numbers(1, 1000)
            + ") numbers");
    for (int i = 0; i < DOUBLINGS; i++) {
      statements.add(
          "INSERT INTO items (body, n) SELECT CONCAT(SHA2(id, 512), SHA2(-id, 512)), id FROM"
              + " items");
    }
    database.execute(statements.toArray(String[]::new));
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

  /** Starts a process, and kills it when its build runs; returns the session that is left. */
  private String kill(MysqlServer server, MysqlDatabase database) throws Exception {
    MysqlDataSource source = server.dataSource(database.name());
    Spawn spawn =
        new Spawn(
            DoomedBuilder.class,
            List.of(
                place(Orchestrator.class),
                place(MysqlDialect.class),
                place(DoomedBuilder.class),
                place(MysqlDataSource.class),
                place(Logger.class)),
            directory);
    String password = source.getPassword();
    Process process =
        spawn.start("builder", source.getUrl(), source.getUser(), password == null ? "" : password);
    try {
      List<String> found = List.of();
      while (found.isEmpty()) {
        if (!process.isAlive()) {
          throw new AssertionError("it ended by itself: " + spawn.said("builder"));
        }
        LockSupport.parkNanos(2_000_000);
        found = building(server, database);
      }
      return found.get(0);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static Path place(Class<?> type) {
    return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
  }

  /** Sessions that change the table. */
  private static List<String> building(MysqlServer server, MysqlDatabase database) {
    return database
        .rows(
            "SELECT id FROM "
                + MysqlHand.processes(server)
                + " WHERE db = DATABASE() AND command <> 'Sleep' AND info LIKE '%"
                + DoomedBuilder.INDEX
                + "%' AND info REGEXP '(ALTER TABLE|CREATE INDEX) ' AND id <> CONNECTION_ID()"
                + " AND info NOT LIKE '%processlist%'")
        .stream()
        .map(row -> row.get(0))
        .toList();
  }

  private static List<String> sessions(MysqlServer server, MysqlDatabase database) {
    List<String> sessions = List.of("");
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (!sessions.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(2_000_000);
      sessions =
          database
              .rows(
                  "SELECT CONCAT(id, ' ', COALESCE(info, '')) FROM "
                      + MysqlHand.processes(server)
                      + " WHERE db = DATABASE() AND id <> CONNECTION_ID()")
              .stream()
              .map(row -> row.get(0))
              .toList();
    }
    return sessions;
  }

  private static List<String> indexes(MysqlDatabase database) {
    return database
        .rows(
            "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema ="
                + " DATABASE() AND table_name = 'items'")
        .stream()
        .map(row -> row.get(0))
        .toList();
  }

  /** A new process, at once; it has nothing but the catalog and the server's locks to go by. */
  private static void carryOn(MysqlDatabase database) {
    try (Orchestrator next = DoomedBuilder.member(database.dataSource()).build()) {
      next.advance();
      MigrationReport report;
      do {
        report = next.drive().migration(DoomedBuilder.ID).orElseThrow();
        assertThat(report.status().name()).isNotEqualTo("FAILED");
      } while (report.state().reached() < last() || !report.state().atRest());
    }
  }

  private static int last() {
    return DoomedBuilder.migration().lifecycle().last();
  }
}
