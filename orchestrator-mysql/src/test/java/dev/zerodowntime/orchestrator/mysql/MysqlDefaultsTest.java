package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Defaults of all kinds, set, dropped and restored exactly. */
class MysqlDefaultsTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "defaults");
    database.execute(
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
            + " `te``xt` VARCHAR(60) CHARACTER SET latin1 DEFAULT 'it''s \\\\ \\n\"x\"' COMMENT"
            + " 'c''x',"
            + " num INT NOT NULL DEFAULT 3,"
            + " nodef INT NOT NULL,"
            + " nullable INT,"
            + " expr VARCHAR(90) DEFAULT (CONCAT('a''\\\\', 'b')),"
            + " at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE"
            + " CURRENT_TIMESTAMP(3) COMMENT 'when',"
            + " null_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
            + " bits BIT(3) DEFAULT b'101',"
            + " word VARCHAR(9) DEFAULT 'NULL',"
            + " hid INT DEFAULT 7 INVISIBLE,"
            + " gen INT AS (num + 1) VIRTUAL)",
        "INSERT INTO `t``s` (nodef) VALUES (1), (2)");
    return database;
  }

  private static SetDefault set(String column, String sql) {
    return SetDefault.of("a/set").table("t`s").column(column).defaultSql(sql).build();
  }

  private static DropDefault drop(String column) {
    return DropDefault.of("a/drop").table("t`s").column(column).build();
  }

  /** Over every kind of former default, every kind of new one, and back. */
  @ParameterizedTest
  @EnumSource
  void aDefaultIsSetAndTheFormerOneRestored(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("te`xt", "'o''ne \\\\ \\n\"'", "o'ne \\ \n\""),
              List.of("te`xt", "CONCAT('x''', 'y')", "x'y"),
              List.of("te`xt", "'NULL'", "NULL"),
              List.of("te`xt", "''", ""),
              List.of("num", "-5", "-5"),
              List.of("num", "2 + 2", "4"),
              List.of("nullable", "12", "12"),
              List.of("expr", "'lit'", "lit"),
              List.of("expr", "CONCAT('a', 'c')", "ac"),
              List.of("at", "'2020-01-02 03:04:05.678'", "2020-01-02 03:04:05.678"),
              List.of("at", "TIMESTAMP('2021-01-01')", "2021-01-01 00:00:00.000"),
              List.of("word", "'x'", "x"),
              List.of("hid", "8", "8"))) {
        String column = each.get(0);
        MysqlSteps<SetDefault> steps =
            new MysqlSteps<>(database, MysqlSetDefault::new, set(column, each.get(1))).preflight();
        String before = steps.definition("t`s");
        assertThat(steps.up(1)).containsExactly("set-default");
        database.execute("DELETE FROM `t``s`", "INSERT INTO `t``s` (nodef) VALUES (1)");
        assertThat(database.rows("SELECT CAST(" + Sql.quote(column) + " AS CHAR) FROM `t``s`"))
            .as(each.toString())
            .containsExactly(List.of(each.get(2)));
        assertThat(steps.down(1)).containsExactly("restore-default");
        assertThat(bare(steps.definition("t`s"))).as(each.toString()).isEqualTo(bare(before));
      }
    }
  }

  private static String bare(String definition) {
    return definition.replaceAll(" AUTO_INCREMENT=\\d+", "");
  }

  @ParameterizedTest
  @EnumSource
  void theClockIsADefault(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      database.execute("ALTER TABLE `t``s` ADD made DATETIME(6) NULL");
      MysqlSteps<SetDefault> steps =
          new MysqlSteps<>(database, MysqlSetDefault::new, set("made", "CURRENT_TIMESTAMP(6)"))
              .preflight();
      String before = steps.definition("t`s");
      steps.up(1);
      database.execute("INSERT INTO `t``s` (nodef) VALUES (7)");
      assertThat(
              database.rows(
                  "SELECT made BETWEEN NOW() - INTERVAL 1 MINUTE AND NOW(6) FROM `t``s` WHERE nodef"
                      + " = 7"))
          .hasToString("[[1]]");
      steps.down(1);
      assertThat(bare(steps.definition("t`s"))).isEqualTo(bare(before));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDefaultIsDroppedAndRestored(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      for (String column :
          List.of("te`xt", "num", "expr", "at", "null_at", "bits", "word", "hid")) {
        if (column.equals("at") && flavor == Flavor.MARIADB) {
          // There the server would make a zero of it.
          assertThatThrownBy(
                  () -> new MysqlSteps<>(database, MysqlDropDefault::new, drop("at")).preflight())
              .isInstanceOf(RefusedException.class)
              .hasMessageContaining("0000-00-00");
          continue;
        }
        MysqlSteps<DropDefault> steps =
            new MysqlSteps<>(database, MysqlDropDefault::new, drop(column)).preflight();
        String before = steps.definition("t`s");
        assertThat(steps.up(1)).containsExactly("drop-default");
        if (column.equals("num") || column.equals("at")) {
          assertThatThrownBy(() -> database.execute("INSERT INTO `t``s` (nodef) VALUES (1)"))
              .hasMessageContaining("doesn't have a default value");
        } else {
          database.execute("INSERT INTO `t``s` (nodef) VALUES (9)");
          assertThat(
                  database.rows(
                      "SELECT " + Sql.quote(column) + " IS NULL FROM `t``s` WHERE nodef = 9"))
              .as(column)
              .contains(List.of("1"));
          database.execute("DELETE FROM `t``s` WHERE nodef = 9");
        }
        assertThat(steps.down(1)).containsExactly("restore-default");
        assertThat(bare(steps.definition("t`s"))).as(column).isEqualTo(bare(before));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoDefaultIsRefused(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("num", "'abc'", "`num`"),
              List.of("num", "no_such()", "no_such"),
              List.of("num", "NULL", "is no default"),
              List.of("num", "5 COMMENT 'x'", "`num`"),
              List.of("num", "5, drop_me INT", "`num`"),
              List.of("id", "5", "AUTO_INCREMENT"),
              List.of("gen", "5", "generated"),
              List.of("gone", "5", "has no column \"gone\""))) {
        assertThatThrownBy(
                () ->
                    new MysqlSteps<>(database, MysqlSetDefault::new, set(each.get(0), each.get(1)))
                        .preflight())
            .as(each.toString())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(2));
      }
      assertThatThrownBy(
              () -> new MysqlSteps<>(database, MysqlDropDefault::new, drop("nullable")).preflight())
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("has no default");
    }
  }

  /** Restoring the clock means writing the whole column down: not over what others changed. */
  @ParameterizedTest
  @EnumSource
  void theWayBackTakesNoOtherChangeBack(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<DropDefault> steps =
          new MysqlSteps<>(database, MysqlDropDefault::new, drop("null_at")).preflight();
      String clause = "DATETIME NULL ON UPDATE CURRENT_TIMESTAMP COMMENT 'other'";
      steps.up(1);
      database.execute("ALTER TABLE `t``s` MODIFY null_at " + clause);
      assertThatThrownBy(() -> steps.down(1))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("`null_at`")
          .hasMessageContaining("'other'");
    }
  }
}
