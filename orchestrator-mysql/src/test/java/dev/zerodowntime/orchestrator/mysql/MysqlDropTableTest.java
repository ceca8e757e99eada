package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.DropTable;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlDropTableTest {

  private static final DropTable DROP = DropTable.of("a/drop").table("t`s 5%d").build();

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "droptable");
    database.execute(
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "CREATE TABLE `t``s 5%d` (id INT PRIMARY KEY, p INT, up INT, CONSTRAINT fk FOREIGN KEY (p)"
            + " REFERENCES parent (id), CONSTRAINT me FOREIGN KEY (up) REFERENCES `t``s 5%d` (id))"
            + " COMMENT 'c'",
        "CREATE TRIGGER own BEFORE INSERT ON `t``s 5%d` FOR EACH ROW SET NEW.up = NULL",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO `t``s 5%d` VALUES (1, 1, 1), (2, NULL, 1)");
    return database;
  }

  private static MysqlSteps<DropTable> steps(MysqlDatabase database) {
    return new MysqlSteps<>(database, MysqlDropTable::new, DROP);
  }

  @ParameterizedTest
  @EnumSource
  void aTableIsQuarantinedAndBroughtBack(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<DropTable> steps = steps(database).preflight();
      String before = steps.definition("t`s 5%d");
      assertThat(steps.up(DropTable.CONTRACT)).containsExactly("quarantine-table");
      assertThatThrownBy(() -> database.rows("SELECT * FROM `t``s 5%d`"))
          .hasMessageContaining("doesn't exist");
      database.execute("CREATE TABLE `t``s 5%d` (id INT)");
      assertThatThrownBy(() -> steps.preflightBack(DropTable.CONTRACT))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("is taken by now");
      database.execute("DROP TABLE `t``s 5%d`");
      assertThat(steps.down(DropTable.CONTRACT)).containsExactly("restore-table");
      assertThat(steps.definition("t`s 5%d")).isEqualTo(before);
      database.execute("INSERT INTO `t``s 5%d` VALUES (3, 1, 1)");
      assertThat(database.rows("SELECT id, p, up FROM `t``s 5%d` ORDER BY id").toString())
          .isEqualTo("[[1, 1, null], [2, null, null], [3, 1, null]]");
      assertThatThrownBy(() -> database.execute("DELETE FROM parent"))
          .hasMessageContaining("foreign key");
      steps.up(DropTable.CONTRACT);
      assertThat(steps.up(DropTable.PURGE)).containsExactly("drop-table");
      database.execute("DELETE FROM parent");
      assertThat(database.rows("SHOW TABLES").toString()).isEqualTo("[[parent]]");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsUsedIsRefused(Flavor flavor) throws Exception {
    Map<String, List<String>> cases =
        Map.of(
            "view", List.of("CREATE VIEW v AS SELECT id FROM `t``s 5%d`", "DROP VIEW v"),
            "child",
                List.of(
                    "CREATE TABLE child (a INT, CONSTRAINT c1 FOREIGN KEY (a) REFERENCES `t``s 5%d`"
                        + " (id))",
                    "DROP TABLE child"),
            "trigger",
                List.of(
                    "CREATE TRIGGER other AFTER INSERT ON parent FOR EACH ROW INSERT INTO `t``s"
                        + " 5%d` (id) VALUES (NEW.id)",
                    "DROP TRIGGER other"),
            "procedure",
                List.of("CREATE PROCEDURE pr() SELECT * FROM `t``s 5%d`", "DROP PROCEDURE pr"));
    try (MysqlDatabase database = database(flavor)) {
      for (Map.Entry<String, List<String>> each : cases.entrySet()) {
        database.execute(each.getValue().get(0));
        assertThatThrownBy(() -> steps(database).preflight())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.getKey());
        database.execute(each.getValue().get(1));
      }
      steps(database).preflight();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theEngineQuarantinesIt(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Orchestrator orchestrator =
            Orchestrator.builder(database.dataSource())
                .application("billing")
                .release("1")
                .environment(Environment.DEVELOPMENT)
                .developmentOnExistingRows()
                .thisBuild(DROP, DropTable.Code.UNUSED)
                .build()) {
      orchestrator.advance();
      assertThat(
              database.rows(
                  "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
                      + " AND TABLE_NAME = 't`s 5%d'"))
          .hasToString("[[0]]");
    }
  }
}
