package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlClient;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.testing.Driven;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Scripts are run with a shell and the server's own client, and nothing else moves meanwhile. */
@Timeout(300)
class MysqlScriptsTest {

  private static final String ID = "billing/script_me";

  /** More than two batches. */
  private static final int ROWS = 2_500;

  private static final int FEW = 50;

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "scripts");
    database.execute(
        "CREATE TABLE `us``ers` (tenant varchar(20) CHARACTER SET latin1, at datetime(3), id bigint,"
            + " name varchar(60) NOT NULL DEFAULT 'nobody', zip varchar(20), PRIMARY KEY (tenant,"
            + " at, id))",
        flavor == Flavor.MARIADB
            ? "SET SESSION max_recursive_iterations = 10000"
            : "SET SESSION cte_max_recursion_depth = 10000",
        "INSERT INTO `us``ers` WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n"
            + " WHERE n < "
            + ROWS
            + ") SELECT ELT(n % 4 + 1, '', 'it''s \\\\ $HOME', 'Käse `id`', 'b'), ELT(n % 2 + 1,"
            + " '2024-03-31 02:30:00.123', '0001-01-01 00:00:00'), n, CONCAT('name ', n), n FROM n");
    return database;
  }

  /** Drives as far as approvals let it. */
  private static <C extends Enum<C> & CodeStage> Orchestrator driven(
      MysqlDatabase database, Migration<C> migration, C stage, String to) {
    Orchestrator member =
        Members.producing(database, stage.name()).thisBuild(migration, stage).build();
    member.advance();
    member.adopted("billing");
    for (int i = 0; i < 20 && !phase(database).equals(to); i++) {
      member.drive();
    }
    assertThat(phase(database)).isEqualTo(to);
    return member;
  }

  private static String phase(MysqlDatabase database) {
    try (Orchestrator any = Members.producing(database, "0").role(Role.DRIVER).build()) {
      return any.status().migrations().get(0).phase();
    }
  }

  private static String run(MysqlDatabase database, String script) {
    MysqlClient.Result result = MysqlClient.run(database, script);
    assertThat(result.status()).as(result.output()).isZero();
    return result.output();
  }

  private static String one(MysqlDatabase database, String sql) {
    return database.rows(sql).get(0).get(0);
  }

  private static RenameColumn rename(String... approvals) {
    return RenameColumn.of(ID)
        .table("us`ers")
        .from("name")
        .to("full name")
        .approvalBefore(approvals)
        .build();
  }

  private static String copied(MysqlDatabase database) {
    return one(database, "SELECT count(*) FROM `us``ers` WHERE `full name` = CONCAT('name ', id)");
  }

  private static List<String> columns(MysqlDatabase database) {
    return database
        .rows(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND"
                + " TABLE_NAME = 'us`ers' ORDER BY 1")
        .stream()
        .map(row -> row.get(0))
        .toList();
  }

  private static String triggers(MysqlDatabase database) {
    return one(
        database,
        "SELECT count(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()");
  }

  @ParameterizedTest
  @EnumSource
  void aRenameIsFinishedAndTheEngineGoesOn(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      try (Orchestrator member =
          driven(database, rename("BACKFILL"), RenameColumn.Code.USES_OLD_NAME, "EXPAND")) {
        String script = member.finishScript(ID);
        assertThat(script)
            .contains("from EXPAND to CONTRACT", "code that fits: USES_NEW_NAME", "# Not done here")
            .startsWith("#!/bin/sh\n");
        assertThat(run(database, script)).contains("1000 rows changed", "500 rows changed");
      }
      assertThat(phase(database)).isEqualTo("CONTRACT");
      assertThat(copied(database)).isEqualTo(String.valueOf(ROWS));
      database.execute("DELETE FROM zdo_member", "DELETE FROM zdo_release");
      try (Orchestrator member =
          driven(database, rename("BACKFILL"), RenameColumn.Code.USES_NEW_NAME, "CONTRACT")) {
        database.execute("UPDATE `us``ers` SET `full name` = 'later' WHERE id = 1");
        run(database, member.rollbackScript(ID));
      }
      assertThat(phase(database)).isEqualTo("NOT_STARTED");
      assertThat(columns(database)).containsExactly("at", "id", "name", "tenant", "zip");
      assertThat(triggers(database)).isEqualTo("0");
      assertThat(one(database, "SELECT name FROM `us``ers` WHERE id = 1")).isEqualTo("later");
      assertThat(one(database, "SELECT count(*) FROM `us``ers` WHERE name = CONCAT('name ', id)"))
          .isEqualTo(String.valueOf(ROWS - 1));
    }
  }

  /** Cut after calls of the client, and run again as a whole. */
  @Tag("long")
  @ParameterizedTest
  @EnumSource
  void aScriptThatIsCutAnywhereIsRunAgain(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      database.execute("DELETE FROM `us``ers` WHERE id > " + FEW);
      try (Orchestrator member =
          driven(database, rename(), RenameColumn.Code.USES_OLD_NAME, "ENFORCE")) {
        String back = member.rollbackScript(ID);
        run(database, back);
        assertThat(triggers(database)).isEqualTo("0");
        String forth = member.finishScript(ID);
        int calls = calls(forth);
        assertThat(calls).isGreaterThan(20);
        int tried = 0;
        int stride = Boolean.getBoolean("crash.full") ? 1 : 1 + calls / 6;
        for (int cut = 1; cut <= calls; cut += stride) {
          MysqlClient.Result result = MysqlClient.run(database, cut(forth, cut));
          assertThat(result.status()).as(result.output()).isNotZero();
          run(database, forth);
          assertThat(phase(database)).isEqualTo("CONTRACT");
          assertThat(copied(database)).isEqualTo(String.valueOf(FEW));
          String undo = member.rollbackScript(ID);
          MysqlClient.run(database, cut(undo, 1 + (tried * 7) % calls(undo)));
          run(database, undo);
          assertThat(phase(database)).isEqualTo("NOT_STARTED");
          assertThat(columns(database)).containsExactly("at", "id", "name", "tenant", "zip");
          assertThat(triggers(database)).isEqualTo("0");
          tried++;
        }
        assertThat(tried).isGreaterThan(4);
      }
    }
  }

  private static int calls(String script) {
    return script.split("run \"\\$@\" <<", -1).length - 1;
  }

  /** The script, ended after so many calls that execute something. */
  private static String cut(String script, int calls) {
    return script.replaceFirst(
        "run\\(\\) \\{",
        "cut="
            + calls
            + "\ncount=\\$(mktemp)\nrun() { echo x >>\"\\$count\"; [ \"\\$(wc"
            + " -l <\"\\$count\")\" -le \\$cut ] || exit 9; ");
  }

  @ParameterizedTest
  @EnumSource
  void otherOperationsGoForthAndBack(Flavor flavor) {
    List<String> tried = new ArrayList<>();
    try (MysqlDatabase database = database(flavor)) {
      String before = shape(database);
      forthAndBack(
          database,
          tried,
          AddColumn.of(ID)
              .table("us`ers")
              .column("region", "varchar(30)")
              .notNull()
              .fillWithSql("CONCAT('r', COALESCE(zip, ''))")
              .approvalBefore("BACKFILL")
              .build(),
          AddColumn.Code.WRITES,
          "EXPAND",
          "SELECT count(*) = " + ROWS + " FROM `us``ers` WHERE region = CONCAT('r', zip)");
      forthAndBack(
          database,
          tried,
          CreateIndex.of(ID).table("us`ers").name("by zip").columns("zip").build(),
          CreateIndex.Code.UNAWARE,
          "DONE",
          "SELECT count(*) > 0 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()"
              + " AND INDEX_NAME = 'by zip'");
      forthAndBack(
          database,
          tried,
          SetNotNull.of(ID).table("us`ers").column("zip").approvalBefore("DONE").build(),
          SetNotNull.Code.CONFORMS,
          "ENFORCE",
          "SELECT IS_NULLABLE = 'NO' FROM information_schema.COLUMNS WHERE TABLE_SCHEMA ="
              + " DATABASE() AND COLUMN_NAME = 'zip'");
      forthAndBack(
          database,
          tried,
          AddCheck.of(ID)
              .table("us`ers")
              .name("zip")
              .expression("zip <> ';'")
              .approvalBefore("DONE")
              .build(),
          AddCheck.Code.CONFORMS,
          "ENFORCE",
          "SELECT count(*) = 1 FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA ="
              + " DATABASE() AND CHECK_CLAUSE LIKE '%;%'");
      assertThat(shape(database)).isEqualTo(before);
    }
    assertThat(tried).hasSize(4);
  }

  private static String shape(MysqlDatabase database) {
    // A column that is taken back is quarantined.
    return database
        .rows("SHOW CREATE TABLE `us``ers`")
        .get(0)
        .get(1)
        .replaceAll(" *`zdo_old_[^`]*_region`.*\n", "");
  }

  private static <C extends Enum<C> & CodeStage> void forthAndBack(
      MysqlDatabase database,
      List<String> tried,
      Migration<C> migration,
      C stage,
      String from,
      String then) {
    String before = shape(database);
    try (Orchestrator member = driven(database, migration, stage, from)) {
      run(database, member.finishScript(ID));
      assertThat(one(database, then)).as(then).isEqualTo("1");
      run(database, member.finishScript(ID));
      run(database, member.rollbackScript(ID));
      assertThat(phase(database)).isEqualTo("NOT_STARTED");
      assertThat(shape(database)).isEqualTo(before);
      assertThat(triggers(database)).isEqualTo("0");
    }
    tried.add(migration.id());
    database.execute(
        "DELETE FROM zdo_member", "DELETE FROM zdo_release", "DELETE FROM zdo_migration");
  }

  /** A foreign key is added by a session that doesn't look at the rows, which are proved then. */
  @ParameterizedTest
  @EnumSource
  void aRowThatIsWrongEndsItAndIsShown(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "CREATE TABLE zips (id int PRIMARY KEY)",
          "INSERT INTO zips VALUES (1), (2)",
          "CREATE TABLE towns (id int PRIMARY KEY, zip int, KEY (zip))",
          "INSERT INTO towns VALUES (1, 1), (2, NULL)");
      AddForeignKey migration =
          AddForeignKey.of(ID)
              .table("towns")
              .columns("zip")
              .references("zips", "id")
              .name("fk")
              .approvalBefore("ENFORCE")
              .build();
      try (Orchestrator member =
          Members.producing(database, "1")
              .thisBuild(migration, AddForeignKey.Code.CONFORMS)
              .build()) {
        member.advance();
        member.adopted("billing");
        Driven.drive(member, ID);
        member.approve(ID, "ENFORCE");
        Driven.drive(member, ID);
        run(database, member.rollbackScript(ID));
        database.execute("INSERT INTO towns VALUES (3, 7)");
        MysqlClient.Result result = MysqlClient.run(database, member.finishScript(ID));
        assertThat(result.status()).as(result.output()).isNotZero();
        assertThat(result.output())
            .contains("rows are left or different; look at them with: SELECT");
        assertThat(one(database, "SELECT status FROM zdo_migration")).isEqualTo("PAUSED");
        database.execute("DELETE FROM towns WHERE id = 3");
        run(database, member.finishScript(ID));
        assertThat(phase(database)).isEqualTo("DONE");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDropIsTakenBackUntilThePurge(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      DropColumn migration =
          DropColumn.of(ID).table("us`ers").column("zip").retention(Duration.ofDays(7)).build();
      try (Orchestrator member = driven(database, migration, DropColumn.Code.UNUSED, "CONTRACT")) {
        assertThat(member.finishScript(ID)).contains("# Not done here", "# ALTER TABLE");
        run(database, member.rollbackScript(ID));
        assertThat(one(database, "SELECT count(*) FROM `us``ers` WHERE zip = id"))
            .isEqualTo(String.valueOf(ROWS));
        assertThat(phase(database)).isEqualTo("NOT_STARTED");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatNeedsJavaIsRefusedByName(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      Backfill migration =
          Backfill.of(ID)
              .table("us`ers")
              .compute(
                  List.of("name"),
                  List.of("zip"),
                  "upper",
                  rows -> rows.forEach(row -> row.set("zip", "x")))
              .where("zip <> 'x'")
              .approvalBefore("BACKFILL")
              .build();
      try (Orchestrator member =
          driven(database, migration, Backfill.Code.UNAWARE, "NOT_STARTED")) {
        assertThatThrownBy(() -> member.finishScript(ID))
            .isInstanceOf(RefusedException.class)
            .hasMessageContainingAll(ID, "Java", "resume");
      }
    }
  }
}
