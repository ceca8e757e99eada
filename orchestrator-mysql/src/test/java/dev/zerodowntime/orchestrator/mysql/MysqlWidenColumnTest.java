package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlWidenColumnTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "widen");
    database.execute(
        "CREATE TABLE parent (k VARCHAR(10) PRIMARY KEY)",
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(5)"
            + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'it''s' COMMENT"
            + " 'varchar(5)', lat VARCHAR(100) CHARACTER SET latin1, big VARCHAR(300) CHARACTER SET"
            + " latin1, raw VARBINARY(3), e ENUM('a','it''s') DEFAULT 'a', s"
            + " SET('1','2','3','4','5','6','7'), c CHAR(5), n INT, ref VARCHAR(10), gen INT AS (n"
            + " + 1) VIRTUAL, KEY k (`na``me`), CONSTRAINT to_parent FOREIGN KEY (ref) REFERENCES"
            + " parent (k))",
        "INSERT INTO `t``s` (`na``me`, lat, big, raw, e, s) VALUES ('\u00c4\u00c4\u00c4\u00c4\u00c4',"
            + " 'x', 'x', 'abc', 'it''s', '1,7'), ('', NULL, NULL, NULL, NULL, NULL)");
    return database;
  }

  private static WidenColumn migration(String column, String type) {
    return WidenColumn.of("billing/wider").table("t`s").column(column).type(type).build();
  }

  private static MysqlSteps<WidenColumn> steps(MysqlDatabase database, String column, String type)
      throws SQLException {
    return new MysqlSteps<>(database, MysqlWidenColumn::new, migration(column, type)).preflight();
  }

  private static String definition(MysqlDatabase database) {
    return database
        .rows("SHOW CREATE TABLE `t``s`")
        .get(0)
        .get(1)
        .replaceAll(" AUTO_INCREMENT=\\d+", "");
  }

  @ParameterizedTest
  @EnumSource
  void itTakesLongerValuesAndOnTheWayBackNoLonger(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      WidenColumn migration = migration("na`me", "varchar(63)");
      assertThat(Members.run(database, "1", migration, WidenColumn.Code.OLD_TYPE))
          .isEqualTo("NOT_STARTED");
      assertThat(Members.run(database, "2", migration, WidenColumn.Code.EITHER_TYPE))
          .isEqualTo("DONE");
      String wide = definition(database);
      assertThat(wide)
          .contains("`na``me` varchar(63)", "DEFAULT 'it''s' COMMENT 'varchar(5)'", "utf8mb4_bin");
      String longer =
          "INSERT INTO `t``s` (`na``me`) VALUES ('\u00c4\u00c4\u00c4\u00c4\u00c4\u00c4')";
      database.execute(longer);
      assertThat(
              Members.back(database, "2", migration, WidenColumn.Code.EITHER_TYPE, "NOT_STARTED"))
          .as("consent is asked for")
          .isEqualTo("DONE");
      database.execute("DELETE FROM `t``s` WHERE CHAR_LENGTH(`na``me`) > 5");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatServersDoInTheCatalogIsDoneAndGuardedOnTheWayBack(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("na`me", "varchar(63)", "'\u00c4\u00c4\u00c4\u00c4\u00c4'", "'abcdef'"),
              List.of("lat", "VARCHAR(255)", "REPEAT('x', 100)", "REPEAT('x', 101)"),
              List.of("big", "varchar(3000)", "REPEAT('x', 300)", "REPEAT('x', 301)"),
              List.of("raw", "varbinary(255)", "x'00ffff'", "'abcd'"),
              List.of("e", "enum('a', 'it''s', 'B')", "'it''s'", "'B'"),
              List.of("s", "set('1','2','3','4','5','6','7','it''s')", "'1,7'", "'1,it''s'"))) {
        MysqlSteps<WidenColumn> steps = steps(database, each.get(0), each.get(1));
        String column = Sql.quote(each.get(0));
        String good = "UPDATE `t``s` SET " + column + " = " + each.get(2) + " WHERE id = 1";
        String wide = "UPDATE `t``s` SET " + column + " = " + each.get(3) + " WHERE id = 1";
        assertThatThrownBy(() -> database.execute(wide)).as(wide).isNotNull();
        assertThat(steps.up(1)).containsExactly("widen");
        String definition = definition(database);
        database.execute(wide);
        // Whatever doesn't fit is found before anything is done.
        assertThatThrownBy(() -> steps.down(1)).as(wide).isInstanceOf(AssertionError.class);
        assertThat(definition(database)).isEqualTo(definition);
        database.execute(good);
        assertThat(steps.down(1)).startsWith("verify-fits", "add-check").endsWith("prove-fits");
        assertThatThrownBy(() -> database.execute(wide)).as(wide).isNotNull();
        database.execute(good, "UPDATE `t``s` SET n = 1 WHERE id = 2");
        // Once more upwards the check goes.
        for (var step :
            new MysqlWidenColumn(version(database))
                .steps(
                    migration(each.get(0), each.get(1)),
                    new dev.zerodowntime.orchestrator.spi.Target(
                        "billing/wider", database.name(), database.name()),
                    again(database, steps, each),
                    1,
                    dev.zerodowntime.orchestrator.Direction.UP)) {
          boolean done = steps.holds(((dev.zerodowntime.orchestrator.spi.DdlStep) step).done());
          assertThat(done).as(step.name()).isEqualTo(step.name().equals("widen"));
          if (!done) {
            database.execute(step.sql().get(0));
          }
        }
        assertThat(definition(database)).isEqualTo(definition);
        database.execute(wide);
      }
    }
  }

  private static java.util.Map<String, Object> again(
      MysqlDatabase database, MysqlSteps<WidenColumn> steps, List<String> each)
      throws SQLException {
    try (var connection = database.dataSource().getConnection()) {
      return new MysqlWidenColumn(MysqlVersion.of(connection))
          .preflight(
              migration(each.get(0), each.get(1)),
              new dev.zerodowntime.orchestrator.spi.Target(
                  "billing/wider", database.name(), database.name()),
              1,
              steps.facts(),
              connection);
    }
  }

  private static MysqlVersion version(MysqlDatabase database) throws SQLException {
    try (var connection = database.dataSource().getConnection()) {
      return MysqlVersion.of(connection);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("na`me", "varchar(64)", "63 characters"),
              List.of("na`me", "varchar(4)", "cut its values"),
              List.of("na`me", "text", "ChangeColumnType"),
              List.of("lat", "varchar(256)", "255 characters"),
              List.of("lat", "varchar(200) CHARACTER SET utf8mb4", "alone"),
              List.of("lat", "varchar(200) COMMENT 'x'", "alone"),
              List.of("raw", "varbinary(256)", "255 characters"),
              List.of("e", "enum('it''s','a')", "at the end"),
              List.of("e", "enum('a')", "at the end"),
              List.of("e", "enum('a','between','it''s')", "at the end"),
              List.of("e", "enum('before','a','it''s')", "at the end"),
              List.of("e", "enum('A','it''s','b')", "alone"),
              List.of("e", enumeration(256), "more bytes"),
              List.of("s", "set('1','2','3','4','5','6','7','8','9')", "more bytes"),
              List.of("c", "char(6)", "copies"),
              List.of("n", "bigint", "ChangeColumnType"),
              List.of("gen", "bigint", "generated"),
              List.of("gone", "bigint", "no column"),
              List.of("na`me", "varchar(6), x int", "alone"))) {
        assertThatThrownBy(() -> steps(database, each.get(0), each.get(1)))
            .as(each.toString())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(2));
      }
      if (flavor == Flavor.MARIADB) {
        assertThatThrownBy(() -> steps(database, "ref", "varchar(20)"))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("foreign key `to_parent`");
      } else {
        assertThat(steps(database, "ref", "varchar(20)").up(1)).containsExactly("widen");
      }
      // It is that wide already: there is nothing to do, and nothing to take back.
      MysqlSteps<WidenColumn> already = steps(database, "lat", "varchar(100)");
      assertThat(already.up(1)).isEmpty();
      assertThat(already.down(1)).isEmpty();
      MysqlSteps<WidenColumn> changed = steps(database, "lat", "varchar(101)");
      changed.up(1);
      database.execute("ALTER TABLE `t``s` ALTER COLUMN lat SET DEFAULT 'new'");
      assertThatThrownBy(() -> changed.down(1))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("'new'");
    }
  }

  private static String enumeration(int values) {
    return "enum('a','it''s'"
        + IntStream.range(2, values).mapToObj(i -> ",'v" + i + "'").collect(Collectors.joining())
        + ")";
  }

  /** As many as one byte can number, by the catalog alone; what code sends has the same numbers. */
  @ParameterizedTest
  @EnumSource
  void anEnumIsFilledUp(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      List<List<String>> before = database.rows("SELECT id, e, e + 0 FROM `t``s` ORDER BY id");
      assertThat(steps(database, "e", enumeration(255)).up(1)).contains("widen");
      assertThat(database.rows("SELECT id, e, e + 0 FROM `t``s` ORDER BY id")).isEqualTo(before);
      database.execute("UPDATE `t``s` SET e = 'v254'");
      assertThat(database.rows("SELECT DISTINCT CAST(e + 0 AS SIGNED) FROM `t``s`").toString())
          .isEqualTo("[[255]]");
    }
  }

  /** An enumeration is no type of its own here. */
  @ParameterizedTest
  @EnumSource
  void enumerationsOfTypesAreRefusedByTheNameOfWhatToUse(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      AddEnumValue add =
          AddEnumValue.of("billing/add").table("t`s").type("mood").value("glad").build();
      assertThatThrownBy(() -> Members.run(database, "1", add, AddEnumValue.Code.UNAWARE))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("has no AddEnumValue")
          .hasMessageContaining("WidenColumn");
      RenameEnumValue rename =
          RenameEnumValue.of("billing/rename")
              .table("t`s")
              .type("mood")
              .from("glad")
              .to("happy")
              .build();
      assertThatThrownBy(() -> Members.run(database, "1", rename, RenameEnumValue.Code.values()[0]))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("ChangeColumnType");
    }
  }
}
