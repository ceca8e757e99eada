package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.mysql.testing.CopyTools;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.spi.CopyStep;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.testing.Driven;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The tool is killed, or its driver; people write meanwhile. */
@Timeout(240)
class CopyRouteFaultTest {

  private static final String ID = "billing/there";

  @TempDir Path folder;

  /** The tool itself, with small chunks and a second between them: there is a middle to hit. */
  private CopyTool slow(MysqlDatabase database) throws IOException {
    return wrapped(database, "exec '" + CopyTools.path() + "' \"$@\" --chunk-time 0 --sleep 1");
  }

  private CopyTool wrapped(MysqlDatabase database, String script) throws IOException {
    Path tool = folder.resolve("slow");
    Files.writeString(
        tool,
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '"
            + CopyTools.path()
            + "' --version\n"
            + script
            + "\n");
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwx------"));
    return CopyTools.at(tool, database.server());
  }

  private static SetNotNull migration() {
    return SetNotNull.of(ID)
        .table("Kauf é-x")
        .column("na me',\"é")
        .builds(limits -> limits.retryAfter(Duration.ZERO))
        .byCopy()
        .build();
  }

  private static String copy(MysqlDatabase database) {
    return new CopySteps(ID, database.name(), "Kauf é-x", "up", Map.of()).tables().get(0);
  }

  private static boolean copying(MysqlDatabase database) {
    try {
      return !database.rows("SELECT 1 FROM " + copy(database) + " LIMIT 1").isEmpty();
    } catch (IllegalStateException e) {
      return false;
    }
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    while (!condition.call()) {
      Thread.sleep(5);
    }
  }

  private static void awaitCopy(MysqlDatabase database, Future<AdvanceReport> driving)
      throws Exception {
    await(() -> copying(database) || driving.isDone());
    assertThat(driving.isDone()).as("it ended before there was a copy").isFalse();
  }

  private static List<String> toolSessions(MysqlDatabase database) {
    List<String> sessions = new ArrayList<>();
    String step = MysqlLongStatements.name(database.name() + "|" + database.name() + "|" + ID);
    for (String lock : List.of("_main", "_other")) {
      String id = database.rows("SELECT IS_USED_LOCK('" + step + lock + "')").get(0).get(0);
      if (id != null) {
        sessions.add(id);
      }
    }
    return sessions;
  }

  private static List<String> outcomes(MysqlDatabase database, String step) {
    return database
        .rows(
            "SELECT CONCAT(kind, ' ', outcome) FROM zdo_event WHERE step = '"
                + step
                + "' AND kind <> 'WAIT' ORDER BY id")
        .stream()
        .map(each -> each.get(0))
        .toList();
  }

  @ParameterizedTest
  @EnumSource
  void aSessionOfTheToolIsKilledAndItBeginsAnew(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      List<List<String>> rows = CopyRouteTest.rows(database);
      CopyTool slow = slow(database);
      ExecutorService thread = Executors.newSingleThreadExecutor();
      try (Orchestrator member =
          Members.member(database, "1")
              .copyTool(slow)
              .thisBuild(migration(), SetNotNull.Code.CONFORMS)
              .build()) {
        Future<AdvanceReport> first =
            thread.submit(
                () -> {
                  member.advance();
                  return member.drive();
                });
        awaitCopy(database, first);
        // From now on it isn't slow.
        Files.writeString(slow.path(), "#!/bin/sh\nexec '" + CopyTools.path() + "' \"$@\"\n");
        database.execute("KILL " + toolSessions(database).get(0));
        first.get();
        AdvanceReport report = Driven.report(member, ID);
        assertThat(report.migration(ID).orElseThrow().phase())
            .as(report.toString())
            .isEqualTo("DONE");
      } finally {
        thread.shutdown();
      }
      assertThat(outcomes(database, "copy-rows"))
          .containsSubsequence("REPAIR APPLIED", "CANCEL CANCELLED", "STEP APPLIED");
      assertThat(CopyRouteTest.rows(database)).isEqualTo(rows);
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
      assertThat(CopyRouteTest.definition(database)).contains("latin1_german1_ci NOT NULL");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aToolThatFailsIsAnErrorAndLeavesNothing(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      String before = CopyRouteTest.definition(database);
      CopyTool bad = wrapped(database, "echo 'it broke'; exit 3");
      AdvanceReport report =
          CopyRouteTest.drive(database, bad, migration(), SetNotNull.Code.CONFORMS);
      assertThat(report.migration(ID).orElseThrow().status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.toString()).contains("it broke", "ended with 3");
      CopyTool wrong =
          CopyTool.ptOnlineSchemaChange(
              CopyTools.path(), "127.0.0.1", 1, "nobody", () -> "a\"b\\c#d'e");
      database.execute("UPDATE zdo_migration SET status = 'ACTIVE'");
      report = CopyRouteTest.drive(database, wrong, migration(), SetNotNull.Code.CONFORMS);
      assertThat(report.migration(ID).orElseThrow().status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.toString()).contains("connect").doesNotContain("a\"b");
      assertThat(CopyRouteTest.definition(database)).isEqualTo(before);
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPasswordIsWrittenAsTheToolReadsIt(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      String user = "zdo_" + Sql.hash8(database.name());
      String password = "a\"b\\c#d'e; f\u00e9=";
      database.execute(
          "CREATE USER " + user + " IDENTIFIED BY 'a\"b\\\\c#d''e; f\u00e9='",
          "GRANT ALL ON *.* TO " + user);
      try {
        CopyTool given = CopyTools.of(database);
        CopyTool tool =
            CopyTool.ptOnlineSchemaChange(
                given.path(), given.host(), given.port(), user, () -> password);
        AdvanceReport report =
            CopyRouteTest.drive(
                database,
                tool.load("Threads_running=500", "Threads_running=900"),
                migration(),
                SetNotNull.Code.CONFORMS);
        assertThat(report.migration(ID).orElseThrow().phase())
            .as(report.toString())
            .isEqualTo("DONE");
      } finally {
        database.execute("DROP USER " + user);
      }
    }
  }

  /** A pause reaches the tool at once, and what it has copied is kept. */
  @ParameterizedTest
  @EnumSource
  void aPauseHoldsTheTool(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      ExecutorService thread = Executors.newSingleThreadExecutor();
      try (Orchestrator member =
          Members.member(database, "1")
              .copyTool(slow(database))
              .thisBuild(migration(), SetNotNull.Code.CONFORMS)
              .build()) {
        Future<AdvanceReport> first =
            thread.submit(
                () -> {
                  member.advance();
                  return member.drive();
                });
        awaitCopy(database, first);
        member.pause(ID);
        first.get();
        String count = "SELECT COUNT(*) FROM " + copy(database);
        await(
            () -> {
              String now = database.rows(count).toString();
              // Two of its chunks would come in this time.
              LockSupport.parkNanos(2_500_000_000L);
              return database.rows(count).toString().equals(now);
            });
        assertThat(database.rows(count).get(0).get(0))
            .as(first.get() + " " + database.rows("SELECT kind, outcome, detail FROM zdo_event"))
            .isNotEqualTo(database.rows("SELECT COUNT(*) FROM `Kauf é-x`").get(0).get(0));
        assertThat(toolSessions(database)).hasSize(2);
        member.resume(ID);
        AdvanceReport report = Driven.report(member, ID);
        assertThat(report.migration(ID).orElseThrow().phase())
            .as(report.toString())
            .isEqualTo("DONE");
        // Found, where the lease was given back meanwhile.
        assertThat(outcomes(database, "copy-rows"))
            .hasSize(1)
            .containsAnyOf("STEP APPLIED", "STEP FOUND_DONE");
      } finally {
        thread.shutdown();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoTurnsRoundEndsTheCopyAndCleansUp(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      String before = CopyRouteTest.definition(database);
      ExecutorService thread = Executors.newSingleThreadExecutor();
      try (Orchestrator member =
          Members.member(database, "1")
              .copyTool(slow(database))
              .thisBuild(migration(), SetNotNull.Code.CONFORMS)
              .build()) {
        Future<AdvanceReport> first =
            thread.submit(
                () -> {
                  member.advance();
                  return member.drive();
                });
        awaitCopy(database, first);
        member.rollback(ID, "NOT_STARTED");
        first.get();
        AdvanceReport report = Driven.report(member, ID);
        assertThat(report.migration(ID).orElseThrow().phase())
            .as(report.toString())
            .isEqualTo("NOT_STARTED");
      } finally {
        thread.shutdown();
      }
      // Nothing was copied for that.
      assertThat(outcomes(database, "copy-rows")).doesNotContain("STEP APPLIED");
      assertThat(toolSessions(database)).isEmpty();
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
      assertThat(CopyRouteTest.definition(database)).isEqualTo(before);
    }
  }

  /** A tool as a driver that died has left it: its session is gone, the tool is not. */
  private static CopyProcess orphan(MysqlDatabase database, CopyTool tool) throws Exception {
    CopyRouteTest.drive(database, tool, migration(), SetNotNull.Code.MAY_VIOLATE);
    String step = MysqlLongStatements.name(database.name() + "|" + database.name() + "|" + ID);
    CopyStep copy = copyStep(database);
    try (Connection dead = database.dataSource().getConnection();
        Statement statement = dead.createStatement()) {
      statement.execute("SELECT GET_LOCK('" + step + "', 0)");
      long id = Long.parseLong(one(dead, "SELECT CONNECTION_ID()"));
      CopyProcess process =
          CopyProcess.start(
              MysqlVersion.of(dead),
              tool,
              copy,
              new CopyProcess.Locks(step, step + "_main", step + "_other", id));
      await(() -> copying(database) || process.waitFor(1));
      return process;
    }
  }

  private static CopyStep copyStep(MysqlDatabase database) throws SQLException {
    Map<String, Object> facts;
    try (Connection c = database.dataSource().getConnection()) {
      c.setAutoCommit(false);
      Target target = new Target(ID, database.name(), database.name());
      MysqlSetNotNull operation =
          new MysqlSetNotNull(MysqlVersion.of(c), new CopyRoute(CopyTools.of(database)));
      facts = operation.preflight(migration(), target, 1, Map.of(), c);
      return operation.steps(migration(), target, facts, SetNotNull.ENFORCE, Direction.UP).stream()
          .filter(CopyStep.class::isInstance)
          .map(CopyStep.class::cast)
          .findFirst()
          .orElseThrow();
    }
  }

  private static String one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void theToolOfADriverThatDiedIsWaitedFor(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      List<List<String>> rows = CopyRouteTest.rows(database);
      CopyTool tool = slow(database);
      try (CopyProcess orphan = orphan(database, tool)) {
        AdvanceReport report =
            CopyRouteTest.drive(
                database, CopyTools.of(database), migration(), SetNotNull.Code.CONFORMS);
        assertThat(report.migration(ID).orElseThrow().phase())
            .as(report.toString())
            .isEqualTo("DONE");
        assertThat(orphan.waitFor(10_000)).isTrue();
        assertThat(orphan.exit()).isZero();
      }
      assertThat(outcomes(database, "copy-rows")).containsExactly("STEP FOUND_DONE");
      assertThat(CopyRouteTest.rows(database)).isEqualTo(rows);
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aToolThatIsKilledWithItsDriverIsCleanedUpAfter(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      List<List<String>> rows = CopyRouteTest.rows(database);
      try (CopyProcess orphan = orphan(database, slow(database))) {
        orphan.kill();
      }
      AdvanceReport report =
          CopyRouteTest.drive(
              database, CopyTools.of(database), migration(), SetNotNull.Code.CONFORMS);
      assertThat(report.migration(ID).orElseThrow().phase())
          .as(report.toString())
          .isEqualTo("DONE");
      assertThat(outcomes(database, "copy-rows")).containsExactly("REPAIR APPLIED", "STEP APPLIED");
      assertThat(CopyRouteTest.rows(database)).isEqualTo(rows);
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
    }
  }

  /** It comes too late: whoever started it is not there any more. */
  @ParameterizedTest
  @EnumSource
  void aToolWithoutItsDriverTouchesNothing(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      CopyStep copy = copyStep(database);
      String step = MysqlLongStatements.name("gone");
      try (Connection c = database.dataSource().getConnection();
          CopyProcess late =
              CopyProcess.start(
                  MysqlVersion.of(c),
                  CopyTools.of(database),
                  copy,
                  new CopyProcess.Locks(step, step + "_main", step + "_other", 1))) {
        assertThat(late.waitFor(60_000)).isTrue();
        late.read();
        assertThat(late.exit()).isEqualTo(75);
        assertThat(late.failure(75).getMessage()).contains("not there any more");
      }
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
    }
  }

  /** Each writer knows what its rows must be in the end. */
  @ParameterizedTest
  @EnumSource
  void writersGoOnAndLoseNothing(Flavor flavor) throws Exception {
    try (MysqlDatabase database = CopyRouteTest.database(flavor)) {
      AtomicBoolean stop = new AtomicBoolean();
      ExecutorService threads = Executors.newFixedThreadPool(3);
      List<Future<Map<Long, Integer>>> writers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        int writer = i;
        writers.add(threads.submit(() -> write(database, writer, stop)));
      }
      AdvanceReport report;
      try {
        report =
            CopyRouteTest.drive(
                database, CopyTools.of(database), migration(), SetNotNull.Code.CONFORMS);
      } finally {
        stop.set(true);
        threads.shutdown();
      }
      assertThat(report.migration(ID).orElseThrow().phase())
          .as(report.toString())
          .isEqualTo("DONE");
      assertThat(CopyRouteTest.leftovers(database)).isEmpty();
      for (int i = 0; i < 3; i++) {
        List<String> expected = new ArrayList<>();
        writers.get(i).get().forEach((id, n) -> expected.add(id + "=" + n));
        List<String> found =
            database
                .rows(
                    "SELECT CONCAT(id, '=', n) FROM `Kauf é-x` WHERE kind = 'a' AND f = "
                        + (1000 + i))
                .stream()
                .map(row -> row.get(0))
                .toList();
        assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(expected).isNotEmpty();
      }
    }
  }

  /**
   * In transactions of several statements, which may meet the tool's chunks in another order: a
   * deadlock is tried again, as it always must be. Any other error is one too many.
   */
  private static Map<Long, Integer> write(MysqlDatabase database, int writer, AtomicBoolean stop)
      throws SQLException {
    Map<Long, Integer> rows = new TreeMap<>();
    Random random = new Random(writer);
    try (Connection c = database.dataSource().getConnection()) {
      c.setAutoCommit(false);
      for (int i = 0; !stop.get() || i < 20; i++) {
        Map<Long, Integer> next = new TreeMap<>(rows);
        try {
          transaction(c, writer, i, random, next);
          c.commit();
          rows = next;
        } catch (SQLTransactionRollbackException e) {
          c.rollback();
        }
        LockSupport.parkNanos(1_000_000);
      }
    }
    return rows;
  }

  private static void transaction(
      Connection c, int writer, int i, Random random, Map<Long, Integer> rows) throws SQLException {
    try (PreparedStatement insert =
            c.prepareStatement(
                "INSERT INTO `Kauf é-x` (`na me',\"é`, n, kind, f) VALUES ('w', ?, 'a', ?)",
                Statement.RETURN_GENERATED_KEYS);
        PreparedStatement update = c.prepareStatement("UPDATE `Kauf é-x` SET n = ? WHERE id = ?");
        PreparedStatement delete = c.prepareStatement("DELETE FROM `Kauf é-x` WHERE id = ?")) {
      insert.setInt(1, i);
      insert.setInt(2, 1000 + writer);
      insert.executeUpdate();
      try (ResultSet keys = insert.getGeneratedKeys()) {
        keys.next();
        rows.put(keys.getLong(1), i);
      }
      long other = pick(rows, random);
      update.setInt(1, -i);
      update.setLong(2, other);
      assertThat(update.executeUpdate()).isLessThanOrEqualTo(1);
      rows.put(other, -i);
      if (i % 3 == 0) {
        long gone = pick(rows, random);
        delete.setLong(1, gone);
        assertThat(delete.executeUpdate()).isEqualTo(1);
        rows.remove(gone);
      }
    }
  }

  private static long pick(Map<Long, Integer> rows, Random random) {
    List<Long> ids = List.copyOf(rows.keySet());
    return ids.get(random.nextInt(ids.size()));
  }
}
