package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.PlanPhase;
import java.sql.Statement;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlPhasePlanTest {

  enum Code implements CodeStage {
    USES_TWO,
    READS_FULL
  }

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "plan");
    database.execute(
        "CREATE TABLE `us``ers` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, first VARCHAR(20),"
            + " last VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)",
        "INSERT INTO `us``ers` (first, last) VALUES ('Bob', 'it''s'), ('\u00c4', NULL)",
        "CREATE TABLE counted (id INT PRIMARY KEY, n INT)");
    for (int i = 0; i < 8; i++) {
      database.execute("INSERT INTO `us``ers` (first, last) SELECT first, last FROM `us``ers`");
    }
    return database;
  }

  private static String column(String condition) {
    return "SELECT EXISTS (SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA ="
        + " '{schema}' AND TABLE_NAME = 'us`ers' AND COLUMN_NAME = 'full'"
        + condition
        + ")";
  }

  private static String trigger(String name) {
    return "SELECT EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA ="
        + " '{schema}' AND TRIGGER_NAME = '"
        + name
        + "')";
  }

  private static String createTrigger(String name, String when) {
    return "CREATE TRIGGER {schema}."
        + name
        + " BEFORE "
        + when
        + " ON {schema}.`us``ers` FOR EACH ROW BEGIN IF NEW.full IS NULL"
        + (when.equals("UPDATE")
            ? " OR NOT (NEW.first <=> OLD.first AND NEW.last <=> OLD.last)"
            : "")
        + " THEN SET NEW.full = CONCAT_WS(' ', NEW.first, NEW.last); END IF; END";
  }

  private static PhasePlan<Code> merge() {
    return PhasePlan.of("billing/merge", Code.class)
        .table("us`ers")
        .columns("first", "last", "full")
        .allowTriggers("full_insert", "full_update")
        .phase(
            "EXPAND",
            p ->
                p.ddl(
                        "add full",
                        "ALTER TABLE {schema}.`us``ers` ADD COLUMN `full` VARCHAR(41) INVISIBLE,"
                            + " ALGORITHM=INSTANT")
                    .probe(column(""))
                    .undo("ALTER TABLE {schema}.`us``ers` DROP COLUMN `full`, ALGORITHM=INSTANT")
                    .override("drop-column", "it was never read")
                    .ddl("fill inserted", createTrigger("full_insert", "INSERT"))
                    .probe(trigger("full_insert"))
                    .undo("DROP TRIGGER {schema}.full_insert")
                    .ddl("fill updated", createTrigger("full_update", "UPDATE"))
                    .probe(trigger("full_update"))
                    .undo("DROP TRIGGER {schema}.full_update"))
        .phase(
            "BACKFILL",
            p ->
                p.backfill(
                        "merge",
                        rows ->
                            rows.set("full", "CONCAT_WS(' ', first, last)").where("full IS NULL"))
                    .java(
                        "count",
                        connection -> {
                          try (Statement statement = connection.createStatement()) {
                            statement.execute("REPLACE INTO counted VALUES (1, 1)");
                          }
                        })
                    .undo(
                        connection -> {
                          try (Statement statement = connection.createStatement()) {
                            statement.execute("DELETE FROM counted");
                          }
                        }))
        .phase(
            "ENFORCE",
            p ->
                p.verify("all have it", "us`ers", "full IS NULL")
                    .online(
                        "not null",
                        "ALTER TABLE {schema}.`us``ers` ADD KEY by_full (full), ALGORITHM=INPLACE,"
                            + " LOCK=NONE")
                    .probe(
                        "SELECT EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE"
                            + " TABLE_SCHEMA = '{schema}' AND INDEX_NAME = 'by_full')")
                    .undo(
                        "ALTER TABLE {schema}.`us``ers` DROP KEY by_full, ALGORITHM=INPLACE,"
                            + " LOCK=NONE")
                    .override("drop-column", "it is an index"))
        .stage(Code.USES_TWO, "NOT_STARTED", "ENFORCE")
        .stage(Code.READS_FULL, "ENFORCE", "ENFORCE")
        .build();
  }

  private static String definition(MysqlDatabase database) {
    return database
        .rows("SHOW CREATE TABLE `us``ers`")
        .get(0)
        .get(1)
        .replaceAll(" AUTO_INCREMENT=\\d+", "");
  }

  @ParameterizedTest
  @EnumSource
  void aPlanIsCarriedOutAndBackWhileOldAndNewCodeWrites(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      PhasePlan<Code> plan = merge();
      assertThat(Members.run(database, "1", plan, Code.USES_TWO)).isEqualTo("ENFORCE");
      assertThat(definition(database)).contains("`full` varchar(41)", "KEY `by_full`");
      database.execute(
          "INSERT INTO `us``ers` VALUES (100000, 'old', 'code')",
          "UPDATE `us``ers` SET last = 'new' WHERE id = 100000",
          "UPDATE `us``ers` SET full = 'by hand' WHERE id = 1");
      assertThat(Members.run(database, "2", plan, Code.READS_FULL)).isEqualTo("ENFORCE");
      assertThat(
              database
                  .rows("SELECT full FROM `us``ers` WHERE id IN (1, 2, 100000) ORDER BY id")
                  .toString())
          .isEqualTo("[[by hand], [\u00c4], [old new]]");
      assertThat(database.rows("SELECT * FROM `us``ers` WHERE id = 1").get(0)).hasSize(3);
      assertThat(
              database.rows("SELECT COUNT(*) FROM `us``ers` WHERE full IS NULL").toString()
                  + database.rows("SELECT n FROM counted"))
          .isEqualTo("[[0]][[1]]");
      assertThat(Members.back(database, "2", plan, Code.USES_TWO, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(definition(database)).isEqualTo(before);
      assertThat(database.rows("SELECT * FROM counted")).isEmpty();
      assertThat(
              database.rows(
                  "SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()"))
          .isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void tablesComeAndGo(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      PhasePlan<Code> plan =
          plan(
              p ->
                  p.ddl("it", "CREATE TABLE {schema}.`le``vels` (level INT PRIMARY KEY)")
                      .probe(
                          "SELECT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE"
                              + " TABLE_SCHEMA = '{schema}' AND TABLE_NAME = 'le`vels')")
                      .undo("DROP TABLE {schema}.`le``vels`"));
      assertThat(Members.run(database, "1", plan, Code.USES_TWO)).isEqualTo("DONE");
      database.execute("INSERT INTO `le``vels` VALUES (1)");
      assertThat(Members.back(database, "1", plan, Code.USES_TWO, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThatThrownBy(() -> database.execute("INSERT INTO `le``vels` VALUES (1)"))
          .hasMessageContaining("doesn't exist");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRowThatIsWrongStopsIt(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String last = database.rows("SELECT MAX(id) FROM `us``ers`").get(0).get(0);
      PhasePlan<Code> plan =
          plan(p -> p.verify("named", "us`ers", "first = '\u00c4' AND id = " + last));
      try (Orchestrator member =
          Members.member(database, "1").thisBuild(plan, Code.USES_TWO).build()) {
        member.advance();
        AdvanceReport report = member.drive();
        assertThat(report.migration(plan.id()).orElseThrow().status())
            .isEqualTo(MigrationStatus.FAILED);
        assertThat(report.toString()).contains("named", "[" + last + "]");
      }
    }
  }

  private static PhasePlan<Code> plan(Consumer<PlanPhase.Builder> phase) {
    return PhasePlan.of("billing/plan", Code.class)
        .table("us`ers")
        .phase("DONE", phase)
        .stage(Code.USES_TWO, "NOT_STARTED", "DONE")
        .stage(Code.READS_FULL, "DONE", "DONE")
        .build();
  }

  private static PhasePlan<Code> ddl(String... sql) {
    return plan(
        p ->
            p.ddl("it", sql)
                .probe("SELECT FALSE")
                .override("create-index", "tried")
                .override("several-ddl", "tried")
                .override("drop", "tried")
                .undoNothing());
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      for (PhasePlan<Code> plan :
          List.of(
              ddl("ALTER TABLE {schema}.`us``ers` ADD COLUMN x INT"),
              ddl("ALTER TABLE {schema}.`us``ers` ADD COLUMN x INT, ALGORITHM=COPY"),
              ddl("ALTER TABLE {schema}.`us``ers` ADD COLUMN x INT, ALGORITHM=INPLACE"))) {
        refused(database, plan, "by a copy of the table");
      }
      refused(
          database,
          ddl(
              "ALTER TABLE {schema}.`us``ers` ADD COLUMN x INT, ALGORITHM=INSTANT",
              "ALTER TABLE {schema}.`us``ers` ADD COLUMN y INT, ALGORITHM=INSTANT"),
          "2 statements");
      refused(database, ddl("CREATE INDEX i ON {schema}.`us``ers` (first)"), "ADD KEY");
      refused(database, ddl("ANALYZE TABLE {schema}.`us``ers`"), "no DDL that is known");
      refused(
          database,
          plan(p -> p.verify("gone", "us`ers", "nothing = 1")),
          "can't be computed from a row");
      refused(
          database,
          plan(
              p ->
                  p.ddl("it", "CREATE TABLE {schema}.x (id INT PRIMARY KEY)")
                      .probe("SELECT nothing FROM nowhere")
                      .undo("DROP TABLE {schema}.x")),
          "can't be asked");
      // Rows are for other kinds of steps.
      assertThatThrownBy(
              () -> plan(p -> p.ddl("it", "UPDATE `us``ers` SET first = 'x'").undoNothing()))
          .isInstanceOf(DeclarationException.class);
      assertThat(database.rows("SELECT * FROM `us``ers` WHERE id = 1").get(0)).hasSize(3);
    }
  }

  private static void refused(MysqlDatabase database, PhasePlan<Code> plan, String why) {
    assertThatThrownBy(
            () -> new MysqlSteps<PhasePlan<?>>(database, MysqlPhasePlan::new, plan).preflight())
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(why);
  }
}
