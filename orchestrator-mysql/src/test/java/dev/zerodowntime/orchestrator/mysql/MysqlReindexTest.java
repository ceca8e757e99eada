package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.Reindex;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlReindexTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "reindex");
    database.execute(
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "INSERT INTO parent VALUES (1)",
        "CREATE TABLE `t``s` (id INT NOT NULL PRIMARY KEY, `na``me` VARCHAR(40), n INT, p INT,"
            + " KEY `b``y` (`na``me` (10), n DESC) COMMENT '`b``y` it''s', UNIQUE KEY one (n, `na``me`),"
            + " KEY of_key (p), FULLTEXT KEY words (`na``me`), CONSTRAINT to_parent FOREIGN KEY (p)"
            + " REFERENCES parent (id))",
        "INSERT INTO `t``s` VALUES (1, '\u00c4rger', 1, 1), (2, 'b', 2, NULL)");
    return database;
  }

  private static Reindex.Builder migration() {
    return Reindex.of("billing/anew").table("t`s");
  }

  private static MysqlSteps<Reindex> steps(MysqlDatabase database, Reindex.Builder migration)
      throws SQLException {
    return new MysqlSteps<>(database, MysqlReindex::new, migration.build()).preflight();
  }

  /** What InnoDB itself calls them, by name. */
  private static List<List<String>> numbers(MysqlDatabase database) {
    String prefix =
        database.rows("SELECT version()").get(0).get(0).contains("MariaDB")
            ? "INNODB_SYS_"
            : "INNODB_";
    return database.rows(
        "SELECT i.NAME, i.INDEX_ID FROM information_schema."
            + prefix
            + "INDEXES i JOIN information_schema."
            + prefix
            + "TABLES t USING (TABLE_ID) WHERE t.NAME LIKE '"
            + database.name()
            + "/t%' AND i.NAME NOT IN ('words', 'FTS_DOC_ID_INDEX') ORDER BY i.NAME");
  }

  private static List<String> sorted(MysqlDatabase database) {
    return database
        .rows("SHOW CREATE TABLE `t``s`")
        .get(0)
        .get(1)
        .lines()
        .map(line -> line.replaceAll(",$", ""))
        .sorted()
        .toList();
  }

  @ParameterizedTest
  @EnumSource(names = "MYSQL")
  void everyIndexIsBuiltAnewAndTheSame(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      List<String> before = sorted(database);
      List<List<String>> numbers = numbers(database);
      assertThat(Members.run(database, "1", migration().build(), Reindex.Code.UNAWARE))
          .isEqualTo("DONE");
      assertThat(sorted(database)).isEqualTo(before);
      List<List<String>> after = numbers(database);
      assertThat(after).hasSameSizeAs(numbers);
      for (int i = 0; i < after.size(); i++) {
        assertThat(after.get(i).get(0)).isEqualTo(numbers.get(i).get(0));
        if (after.get(i).get(0).equals("PRIMARY")) {
          assertThat(after.get(i)).isEqualTo(numbers.get(i));
        } else {
          assertThat(after.get(i).get(1)).isNotEqualTo(numbers.get(i).get(1));
        }
      }
      assertThatThrownBy(() -> database.execute("INSERT INTO `t``s` VALUES (3, 'b', 2, NULL)"))
          .hasMessageContaining("Duplicate");
      assertThat(
              Members.back(database, "1", migration().build(), Reindex.Code.UNAWARE, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(sorted(database)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource(names = "MYSQL")
  void oneIsBuiltBesideTheOldOne(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      List<String> before = sorted(database);
      MysqlSteps<Reindex> steps = steps(database, migration().name("B`Y"));
      assertThat(steps.up(1)).containsExactly("build:b`y", "swap:b`y");
      assertThat(sorted(database)).isEqualTo(before);
    }
  }

  /** A person turns it round in the middle. */
  @ParameterizedTest
  @EnumSource(names = "MYSQL")
  void whatHasNotTakenItsPlaceGoesOnTheWayBack(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      List<String> before = sorted(database);
      MysqlSteps<Reindex> steps = steps(database, migration().name("of_key"));
      var target =
          new dev.zerodowntime.orchestrator.spi.Target(
              "billing/anew", database.name(), database.name());
      try (var connection = database.dataSource().getConnection()) {
        database.execute(
            new MysqlReindex(MysqlVersion.of(connection))
                .steps(
                    migration().name("of_key").build(),
                    target,
                    steps.facts(),
                    1,
                    dev.zerodowntime.orchestrator.Direction.UP)
                .get(0)
                .sql()
                .get(0));
      }
      assertThat(sorted(database)).hasSize(before.size() + 1);
      assertThat(steps.down(1)).containsExactly("drop-new:of_key");
      assertThat(sorted(database)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource(names = "MYSQL")
  void whatCantBeIsRefused(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("PRIMARY", "primary key"),
              List.of("words", "FULLTEXT"),
              List.of("gone", "no index"))) {
        assertThatThrownBy(() -> steps(database, migration().name(each.get(0))))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(1));
      }
      database.execute("CREATE TABLE bare (id INT PRIMARY KEY)");
      assertThatThrownBy(() -> steps(database, migration().table("bare")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("no index that can be built");
    }
  }

  /** Why: told to swap two that are the same, the server keeps the old one. */
  @ParameterizedTest
  @EnumSource
  void mariadbCantSwapThem(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String old = number(database, "one");
      String online = flavor == Flavor.MARIADB ? "NOCOPY" : "INPLACE";
      database.execute(
          "ALTER TABLE `t``s` ADD UNIQUE KEY fresh (n, `na``me`), ALGORITHM=" + online);
      String fresh = number(database, "fresh");
      database.execute(
          "ALTER TABLE `t``s` DROP KEY one, RENAME KEY fresh TO one, ALGORITHM=" + online);
      assertThat(number(database, "one")).isEqualTo(flavor == Flavor.MARIADB ? old : fresh);
      if (flavor == Flavor.MARIADB) {
        assertThatThrownBy(() -> steps(database, migration()))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("keeps the old one");
      }
    }
  }

  private static String number(MysqlDatabase database, String index) {
    return numbers(database).stream()
        .filter(each -> each.get(0).equals(index))
        .findFirst()
        .orElseThrow()
        .get(1);
  }
}
