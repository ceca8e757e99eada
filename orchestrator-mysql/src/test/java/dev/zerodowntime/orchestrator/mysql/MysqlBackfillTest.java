package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.testing.Driven;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Backfills from declaration to the last row, on either server. */
@Timeout(120)
class MysqlBackfillTest {

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private static final String ROWS =
      "INSERT INTO `us``ers` (id, name, big, price) SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n,"
          + " CONCAT('Müller ', a.n), 9007199254740993, 1.5 FROM d a, d b, d c, d d WHERE d.n < 3";

  private static MysqlDatabase database(MysqlServer.Flavor flavor) {
    MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "backfill");
    db.execute(
        "CREATE TABLE d (n int PRIMARY KEY)",
        "INSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
        "CREATE TABLE `us``ers` (id bigint PRIMARY KEY, name varchar(40) CHARACTER SET latin1,"
            + " `full``name` varchar(40) COLLATE utf8mb4_general_ci, big bigint, big2 bigint, price"
            + " decimal(10,2), n int NOT NULL DEFAULT 0, j json, raw varbinary(20), f float, touched"
            + " timestamp NOT NULL DEFAULT '2001-02-03 04:05:06' ON UPDATE CURRENT_TIMESTAMP)",
        ROWS);
    return db;
  }

  private static String advance(MysqlDatabase db, Backfill migration) {
    try (Orchestrator orchestrator =
        Orchestrator.builder(db.dataSource())
            .application("app")
            .release("1")
            .environment(Environment.DEVELOPMENT)
            .developmentOnExistingRows()
            .thisBuild(migration, Backfill.Code.UNAWARE)
            .build()) {
      String report = orchestrator.advance().toString();
      List<List<String>> status = db.rows("SELECT status FROM zdo_migration");
      return status.equals(List.of(List.of("DONE"))) ? "DONE" : report;
    } catch (RuntimeException e) {
      return e.toString();
    }
  }

  @ParameterizedTest
  @EnumSource
  void assignsExpressions(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      // Equal by collation, and by double: still not the same.
      db.execute(
          "UPDATE `us``ers` SET `full``name` = 'MULLER 1', big2 = 9007199254740992, touched ="
              + " touched WHERE id < 100");
      assertThat(
              advance(
                  db,
                  Backfill.of("app/names")
                      .table("us`ers")
                      .set("full`name", "name")
                      .set("big2", "big")
                      .set("raw", "x'00ff'")
                      .set("j", "CONCAT('{\"a\": [', id, ', 1.0]}')")
                      .build()))
          .isEqualTo("DONE");
      assertThat(
              db.rows(
                  "SELECT count(*) FROM `us``ers` WHERE BINARY `full``name` <=> BINARY CONVERT(name"
                      + " USING utf8mb4) AND big2 = 9007199254740993 AND raw = x'00ff' AND"
                      + " json_extract(j, '$.a[0]') = id"))
          .containsExactly(List.of("3000"));
      assertThat(db.rows("SELECT count(*) FROM `us``ers` WHERE touched > '2001-02-04'"))
          .containsExactly(List.of("0"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void assignsFromAnotherTableAndCopies(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      db.execute(
          "CREATE TABLE names (id bigint, name varchar(40), KEY (id))",
          "INSERT INTO names SELECT id, CONCAT('n', id) FROM `us``ers` WHERE id % 2 = 0",
          "INSERT INTO names SELECT id, CONCAT('m', id) FROM `us``ers` WHERE id % 4 = 0");
      assertThat(
              advance(
                  db,
                  Backfill.of("app/join")
                      .table("us`ers")
                      .join("names o", "o.id = `us``ers`.id")
                      .set("full`name", "o.name")
                      .build()))
          .isEqualTo("DONE");
      assertThat(db.rows("SELECT count(*), count(`full``name`) FROM `us``ers`"))
          .containsExactly(List.of("3000", "1500"));
    }
    try (MysqlDatabase db = database(flavor)) {
      db.execute(
          "CREATE TABLE copies (id bigint PRIMARY KEY, name varchar(60), more int)",
          "INSERT INTO copies VALUES (5, 'MULLER 5', 7), (6, 'other', 7)");
      assertThat(
              advance(
                  db,
                  Backfill.of("app/copy")
                      .table("us`ers")
                      .copyInto("copies", "id")
                      .set("id", "id")
                      .set("name", "CONCAT(name, '!')")
                      .build()))
          .isEqualTo("DONE");
      assertThat(
              db.rows(
                  "SELECT count(*), sum(more) FROM copies c JOIN `us``ers` u ON u.id = c.id AND"
                      + " BINARY c.name = BINARY CONVERT(CONCAT(u.name, '!') USING utf8mb4)"))
          .containsExactly(List.of("3000", "14"));
    }
  }

  /** What the server says of its load holds batches, with limits that an author may replace. */
  @ParameterizedTest
  @EnumSource
  void givesWayToTheServersLoad(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      Backfill numbers = Backfill.of("app/numbers").table("us`ers").set("n", "7").build();
      // Whoever asks runs, and there is no list that is shorter than none.
      held(db, numbers, "Threads_running", 0, "threads, limit 0 threads");
      held(db, numbers, "history list length", -1, "transactions, limit -1 transactions");
      assertThat(db.rows("SELECT count(*) FROM `us``ers` WHERE n = 7"))
          .containsExactly(List.of("0"));
      assertThatThrownBy(() -> held(db, numbers, "Threads_runing", 9, ""))
          .hasMessageContaining("loadLimit(\"Threads_runing\", ...)")
          .hasMessageContaining("It gives Threads_running, history list length");
      try (Orchestrator member =
          Members.producing(db, "1")
              .loadLimit("Threads_running", 1_000)
              .loadLimit("history list length", Double.POSITIVE_INFINITY)
              .thisBuild(numbers, Backfill.Code.UNAWARE)
              .build()) {
        member.advance();
        Driven.drive(member, numbers.id());
      }
      assertThat(db.rows("SELECT count(*) FROM `us``ers` WHERE n = 7"))
          .containsExactly(List.of("3000"));
    }
  }

  private static void held(
      MysqlDatabase db, Backfill migration, String signal, double limit, String said) {
    try (Orchestrator member =
        Members.producing(db, "1")
            .loadLimit(signal, limit)
            .thisBuild(migration, Backfill.Code.UNAWARE)
            .build()) {
      member.advance();
      member.adopted("billing");
      List<Wait> waits = List.of();
      // Until it was read, which a busy server may take longer for than anybody waits.
      for (int i = 0; i < 20 && !waits.toString().contains(" is "); i++) {
        waits = member.drive().migration(migration.id()).orElseThrow().waits();
      }
      assertThat(waits)
          .anySatisfy(
              wait -> {
                assertThat(wait.kind()).isEqualTo(Wait.Kind.LOAD);
                assertThat(wait.what()).contains("load signal " + signal + " is ", said);
              });
    } finally {
      db.execute("DELETE FROM zdo_member");
    }
  }

  /** A batch locks its rows until it commits, for no longer than the lock budget of 200 ms. */
  @ParameterizedTest
  @EnumSource
  void aBatchThatTakesTooLongIsCutOff(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      db.execute(
          "DELETE FROM `us``ers` WHERE id >= 100",
          "CREATE TABLE written (id bigint, at datetime(6))",
          "CREATE FUNCTION slowly (id bigint) RETURNS int DETERMINISTIC NO SQL RETURN SLEEP(0.01) +"
              + " id",
          "CREATE TRIGGER logs AFTER UPDATE ON `us``ers` FOR EACH ROW INSERT INTO written VALUES"
              + " (NEW.id, NOW(6))");
      Backfill slow =
          Backfill.of("app/slow")
              .table("us`ers")
              .set("n", "slowly(id)")
              .allowTriggers("logs")
              .pace(pace -> pace.fullSpeed())
              .build();
      assertThat(advance(db, slow)).isEqualTo("DONE");
      assertThat(db.rows("SELECT count(*) FROM `us``ers` WHERE n = id"))
          .containsExactly(List.of("100"));
      // Each row takes a twentieth of the budget at least; all would fit into the first batch.
      List<List<String>> batches = db.rows("SELECT count(*) FROM written GROUP BY at");
      assertThat(batches)
          .hasSizeGreaterThan(4)
          .allMatch(each -> Integer.parseInt(each.get(0)) <= 50);
    }
  }

  @ParameterizedTest
  @EnumSource
  void computesInJava(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      assertThat(
              advance(
                  db,
                  Backfill.of("app/java")
                      .table("us`ers")
                      .compute(
                          List.of("name"),
                          List.of("full`name"),
                          "upper",
                          rows ->
                              rows.forEach(
                                  row ->
                                      row.set("full`name", row.get("name").toUpperCase() + " 日本")))
                      .where("`full``name` IS NULL")
                      .build()))
          .isEqualTo("DONE");
      assertThat(
              db.rows(
                  "SELECT count(*) FROM `us``ers` WHERE BINARY `full``name` = BINARY"
                      + " CONCAT(UPPER(CONVERT(name USING utf8mb4)), ' 日本')"))
          .containsExactly(List.of("3000"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLockedRowIsNeitherWaitedForNorForgotten(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = database(flavor);
        Connection app = db.dataSource().getConnection();
        Statement statement = app.createStatement()) {
      app.setAutoCommit(false);
      statement.execute(
          "UPDATE `us``ers` SET name = 'while it ran', touched = touched WHERE id = 7");
      Backfill names = Backfill.of("app/locked").table("us`ers").set("full`name", "name").build();
      CompletableFuture<String> done =
          CompletableFuture.supplyAsync(() -> advance(db, names), Threads.ONE_EACH);
      // The others of its batch are done meanwhile.
      while (!db.rows("SELECT count(`full``name`) FROM `us``ers` WHERE id IN (6, 7, 8)")
          .equals(List.of(List.of("2")))) {
        assertThat(done.isDone() && !done.get().equals("DONE")).isFalse();
        LockSupport.parkNanos(20_000_000);
      }
      app.commit();
      String result = done.get();
      assertThat(result.equals("DONE") ? result : advance(db, names)).isEqualTo("DONE");
      assertThat(db.rows("SELECT id FROM `us``ers` WHERE NOT (`full``name` <=> name)")).isEmpty();
      assertThat(db.rows("SELECT `full``name` FROM `us``ers` WHERE id = 7"))
          .containsExactly(List.of("while it ran"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void theWayBackChangesRowsBack(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      Backfill twice =
          Backfill.of("app/undo").table("us`ers").set("price", "3.25").undo("price", "1.5").build();
      assertThat(advance(db, twice)).isEqualTo("DONE");
      assertThat(db.rows("SELECT DISTINCT price FROM `us``ers`")).containsExactly(List.of("3.25"));
      try (Orchestrator orchestrator =
          Orchestrator.builder(db.dataSource())
              .application("app")
              .release("1")
              .environment(Environment.DEVELOPMENT)
              .developmentOnExistingRows()
              .thisBuild(twice, Backfill.Code.UNAWARE)
              .build()) {
        orchestrator.advance();
        orchestrator.rollback("app/undo");
        for (int i = 0; i < 200; i++) {
          if (db.rows("SELECT DISTINCT price FROM `us``ers`").equals(List.of(List.of("1.50")))) {
            break;
          }
          LockSupport.parkNanos(50_000_000);
        }
      }
      assertThat(db.rows("SELECT DISTINCT price FROM `us``ers`")).containsExactly(List.of("1.50"));
      assertThat(db.rows("SELECT count(*) FROM `us``ers` WHERE touched > '2001-02-04'"))
          .containsExactly(List.of("0"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void onceAKey(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      assertThat(
              advance(
                  db,
                  Backfill.of("app/once").table("us`ers").set("n", "n + 1").oncePerKey().build()))
          .isEqualTo("DONE");
      assertThat(db.rows("SELECT n, count(*) FROM `us``ers` GROUP BY n"))
          .containsExactly(List.of("1", "3000"));
    }
  }

  /** 0.1 is another number in a column than in an expression. */
  @ParameterizedTest
  @EnumSource
  void aFloatHoldsWhatItCanOfAnExpression(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      assertThat(advance(db, users().set("f", "0.1").build())).isEqualTo("DONE");
      assertThat(db.rows("SELECT count(*) FROM `us``ers` WHERE f = CAST(0.1 AS FLOAT)"))
          .containsExactly(List.of("3000"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void refusals(MysqlServer.Flavor flavor) {
    try (MysqlDatabase db = database(flavor)) {
      db.execute(
          "CREATE TRIGGER tr AFTER UPDATE ON d FOR EACH ROW SET @x = 1",
          "CREATE TABLE nokey (a int, b int)",
          "CREATE TABLE two (id bigint PRIMARY KEY, u int UNIQUE, name varchar(60))",
          "CREATE TABLE parent (id int PRIMARY KEY, code int UNIQUE)",
          "CREATE TABLE child (id int PRIMARY KEY, code int, FOREIGN KEY (code) REFERENCES parent"
              + " (code) ON UPDATE CASCADE)");
      refused(db, users().set("n", "n + 1"), "again and again");
      refused(db, users().set("price", "price * 1.001"), "again and again");
      refused(db, users().set("full`name", "UUID()"), "again and again");
      refused(db, users().set("full`name", "nme"), "can't be executed");
      refused(db, users().set("full`name", "(SELECT 1"), "can't be executed");
      refused(db, users().set("gone", "1"), "no column \"gone\"");
      refused(db, users().set("id", "id"), "primary key");
      refused(db, users().set("n", "7").set("big2", "n + 1"), "names column \"n\"");
      refused(db, users().set("n", "n + 1").oncePerLedger(), "oncePerLedger");
      refused(
          db, users().compute(List.of("raw"), List.of("n"), "f", rows -> {}).where("n = 0"), "raw");
      refused(
          db,
          Backfill.of("app/x" + NUMBER.incrementAndGet()).table("nokey").set("a", "b"),
          "no primary key");
      refused(
          db,
          Backfill.of("app/x" + NUMBER.incrementAndGet()).table("parent").set("code", "1"),
          "foreign keys");
      refused(
          db,
          users().copyInto("two", "id").set("id", "id").set("name", "name"),
          "ON DUPLICATE KEY UPDATE");
    }
    try (MysqlDatabase db = database(flavor)) {
      db.execute(
          "ALTER TABLE d ADD v int", "CREATE TRIGGER tr AFTER UPDATE ON d FOR EACH ROW SET @x = 1");
      refused(
          db,
          Backfill.of("app/x" + NUMBER.incrementAndGet()).table("d").set("v", "1"),
          "allowTriggers(\"tr\")");
    }
  }

  private static Backfill.Builder users() {
    return Backfill.of("app/x" + NUMBER.incrementAndGet()).table("us`ers");
  }

  private static void refused(MysqlDatabase db, Backfill.Builder builder, String because) {
    List<List<String>> before = db.rows("CHECKSUM TABLE `us``ers`, d");
    assertThat(advance(db, builder.build())).contains(because);
    assertThat(db.rows("CHECKSUM TABLE `us``ers`, d")).isEqualTo(before);
  }
}
