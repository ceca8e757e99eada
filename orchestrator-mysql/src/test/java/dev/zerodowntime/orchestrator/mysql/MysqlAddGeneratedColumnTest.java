package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlAddGeneratedColumnTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "generated");
    database.execute(
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(40), n"
            + " INT DEFAULT 3, FULLTEXT KEY words (`na``me`))",
        "INSERT INTO `t``s` (`na``me`, n) VALUES ('\u00c4rger', 1), ('b ', 2), (NULL, 3)");
    return database;
  }

  private static AddGeneratedColumn.Builder migration(String type, String expression) {
    return AddGeneratedColumn.of("billing/long-name")
        .table("t`s")
        .column("lo`ng", type)
        .expression(expression);
  }

  private static MysqlSteps<AddGeneratedColumn> steps(
      MysqlDatabase database, AddGeneratedColumn.Builder migration) throws SQLException {
    return new MysqlSteps<>(database, MysqlAddGeneratedColumn::new, migration.build()).preflight();
  }

  @ParameterizedTest
  @EnumSource
  void itIsThereForWhoNamesItAndNotForOthers(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      String before = database.rows("SHOW CREATE TABLE `t``s`").get(0).get(1);
      AddGeneratedColumn migration =
          migration("VARCHAR(80)", "CONCAT(`na``me`, ' it''s ', n)").build();
      assertThat(Members.run(database, "1", migration, AddGeneratedColumn.Code.UNAWARE))
          .isEqualTo("DONE");
      assertThat(Members.run(database, "2", migration, AddGeneratedColumn.Code.NEEDS))
          .isEqualTo("DONE");
      assertThat(database.rows("SELECT `lo``ng` FROM `t``s` ORDER BY id").toString())
          .isEqualTo("[[\u00c4rger it's 1], [b  it's 2], [null]]");
      // Old code goes on, without column lists too.
      database.execute(
          "INSERT INTO `t``s` VALUES (9, 'x', 9)", "UPDATE `t``s` SET n = 8 WHERE id = 9");
      assertThat(database.rows("SELECT * FROM `t``s` WHERE id = 9").get(0)).hasSize(3);
      assertThat(database.rows("SELECT `lo``ng` FROM `t``s` WHERE id = 9").toString())
          .isEqualTo("[[x it's 8]]");
      database.execute("DELETE FROM `t``s` WHERE id = 9");
      assertThat(
              Members.back(
                  database, "2", migration, AddGeneratedColumn.Code.UNAWARE, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(
              database
                  .rows("SHOW CREATE TABLE `t``s`")
                  .get(0)
                  .get(1)
                  .replaceAll("AUTO_INCREMENT=\\d+", ""))
          .isEqualTo(before.replaceAll("AUTO_INCREMENT=\\d+", ""));
    }
  }

  /** What the plan's advice says of MySQL: give it room. */
  @ParameterizedTest
  @EnumSource
  void aValueThatDoesNotFitStopsAWriteOnMysql(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<AddGeneratedColumn> steps = steps(database, migration("VARCHAR(3)", "`na``me`"));
      assertThat(steps.up(1)).containsExactly("add-generated-column");
      String write = "INSERT INTO `t``s` (`na``me`) VALUES ('too long')";
      if (flavor == Flavor.MYSQL) {
        assertThatThrownBy(() -> database.execute(write)).hasMessageContaining("truncated");
      } else {
        database.execute(write);
      }
      assertThat(steps.down(1)).containsExactly("drop-generated-column");
      database.execute(write);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("INT", "gone + 1", "can't be generated"),
              List.of("INT", "(SELECT 1)", "can't be generated"),
              List.of("INT UNIQUE", "n", "can't be generated"),
              List.of("NOTYPE", "n", "can't be generated"),
              List.of("INT", "n) VIRTUAL UNIQUE KEY, x INT AS (n", "can't be generated"))) {
        assertThatThrownBy(() -> steps(database, migration(each.get(0), each.get(1))))
            .as(each.toString())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(2));
      }
      assertThatThrownBy(() -> steps(database, migration("INT", "n").stored()))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("copies the table");
      assertThatThrownBy(() -> steps(database, migration("INT", "n").column("N", "INT")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("already has");
      MysqlSteps<AddGeneratedColumn> steps = steps(database, migration("INT", "n + 1"));
      steps.up(1);
      database.execute("ALTER TABLE `t``s` ADD KEY on_it (`lo``ng`)");
      assertThatThrownBy(() -> steps.down(1))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("index on_it");
    }
  }
}
