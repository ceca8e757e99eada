package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlAddCheckTest {

  private static final String WANTED =
      "`na``me` <> 'it''s \\\\ `n` \u00e4' AND (n > 0 OR n < m OR `na``me` LIKE 'free%')";

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "add_check");
    database.execute(
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "INSERT INTO parent VALUES (1), (2)",
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(40)"
            + " CHARACTER SET latin1 COLLATE latin1_german1_ci DEFAULT NULL COMMENT 'CHECK (it''s)',"
            + " n INT, m INT NOT NULL DEFAULT 5, p INT DEFAULT 1, gen INT AS (n + 1) VIRTUAL, KEY k"
            + " (`na``me`), CONSTRAINT to_parent FOREIGN KEY (p) REFERENCES parent (id) ON UPDATE"
            + " CASCADE, CONSTRAINT taken CHECK (m <> 77))",
        "CREATE TRIGGER changes BEFORE INSERT ON `t``s` FOR EACH ROW SET NEW.n = IF(NEW.n = 8, -8,"
            + " IF(NEW.n = -7, 7, NEW.n))",
        "INSERT INTO `t``s` (`na``me`, n, m) VALUES ('\u00c4rger', 1, 1), ('b ', 2, 1), ('', NULL,"
            + " -9)");
    for (int i = 0; i < 10; i++) {
      database.execute("INSERT INTO `t``s` (`na``me`, n) SELECT `na``me`, n FROM `t``s`");
    }
    return database;
  }

  private static AddCheck migration(String expression) {
    return AddCheck.of("billing/good").table("t`s").name("go`od's").expression(expression).build();
  }

  private static MysqlSteps<AddCheck> steps(MysqlDatabase database, AddCheck migration)
      throws SQLException {
    return new MysqlSteps<>(database, MysqlAddCheck::new, migration).preflight();
  }

  private static String definition(MysqlDatabase database) {
    return database
        .rows("SHOW CREATE TABLE `t``s`")
        .get(0)
        .get(1)
        .replaceAll(" AUTO_INCREMENT=\\d+", "");
  }

  private static String triggers(MysqlDatabase database) {
    return database
        .rows(
            "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND"
                + " TRIGGER_NAME LIKE 'zdo%'")
        .get(0)
        .get(0);
  }

  /** Whatever way a row comes, and whatever triggers have made of it. */
  private static void rejects(MysqlDatabase database) {
    for (String sql :
        List.of(
            "INSERT INTO `t``s` (`na``me`, n, m) VALUES ('x', -1, -2)",
            "INSERT INTO `t``s` (`na``me`, n, m) VALUES ('x', 1, 1), ('x', -1, -1)",
            "INSERT INTO `t``s` (`na``me`, n, m) VALUES ('x', 8, -9)",
            "INSERT INTO `t``s` (`na``me`, n) VALUES ('IT''S \\\\ `N` \u00e4', 1)",
            "UPDATE `t``s` SET n = -1, m = -1 WHERE id = 1",
            "UPDATE `t``s` SET `na``me` = 'it''s \\\\ `n` \u00c4' WHERE id = 2",
            "INSERT INTO `t``s` (id, `na``me`, n) VALUES (1, 'x', 1) ON DUPLICATE KEY UPDATE n = -1,"
                + " m = -1",
            "REPLACE INTO `t``s` (id, `na``me`, n, m) VALUES (1, 'x', -1, -1)")) {
      assertThatThrownBy(() -> database.execute(sql))
          .as(sql)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageMatching(
              "(?is).*constraint.*od.s.* is violated.*|.*CONSTRAINT .* failed for.*");
    }
    try {
      database.execute("INSERT IGNORE INTO `t``s` (`na``me`, n, m) VALUES ('x', -1, -1)");
    } catch (IllegalStateException e) {
      // Either way, it isn't written.
    }
    assertThat(
            database.rows("SELECT COUNT(*) FROM `t``s` WHERE (" + WANTED + ") IS FALSE").toString())
        .isEqualTo("[[0]]");
    // What is NULL passes, and what others make good.
    database.execute(
        "INSERT INTO `t``s` (`na``me`, n, m) VALUES ('x', NULL, -1), (NULL, 3, 1), ('free', -9,"
            + " -9), ('x', -7, -9)",
        "UPDATE `t``s` SET n = NULL WHERE id = 1",
        "UPDATE `t``s` SET n = 1 WHERE id = 1",
        "INSERT INTO `t``s` (id, `na``me`, n) VALUES (1, 'x', 1) ON DUPLICATE KEY UPDATE n = 2");
  }

  @ParameterizedTest
  @EnumSource
  void aCheckComesAndGoesWithEverythingElseAsItWas(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      AddCheck migration = migration(WANTED);
      assertThat(Members.run(database, "1", migration, AddCheck.Code.MAY_VIOLATE))
          .isEqualTo("NOT_STARTED");
      assertThat(definition(database)).isEqualTo(before);
      assertThat(Members.run(database, "2", migration, AddCheck.Code.CONFORMS)).isEqualTo("DONE");
      boolean maria = flavor == Flavor.MARIADB;
      assertThat(triggers(database)).isEqualTo(maria ? "0" : "2");
      assertThat(definition(database))
          .contains(
              maria
                  ? "COMMENT 'CHECK (it''s)' CHECK (`na``me` <> "
                  : "CONSTRAINT `go``od's` CHECK (",
              maria ? "CHECK" : "NOT ENFORCED");
      rejects(database);
      if (!maria) {
        // What the triggers name can't go away under them.
        assertThatThrownBy(
                () -> database.execute("ALTER TABLE `t``s` DROP COLUMN gen, DROP COLUMN n"))
            .hasMessageContaining("go`od's");
      }
      assertThat(Members.back(database, "2", migration, AddCheck.Code.CONFORMS, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(definition(database)).isEqualTo(before);
      assertThat(triggers(database)).isEqualTo("0");
      database.execute("UPDATE `t``s` SET n = -1, m = -1 WHERE id = 1");
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowsThatFailAreShownBeforeAnythingIsDone(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      long last = Long.parseLong(database.rows("SELECT MAX(id) FROM `t``s`").get(0).get(0));
      database.execute("UPDATE `t``s` SET n = -1, m = -1 WHERE id = " + last);
      String before = definition(database);
      AddCheck migration = migration(WANTED);
      try (Orchestrator member =
          Members.member(database, "1").thisBuild(migration, AddCheck.Code.CONFORMS).build()) {
        member.advance();
        AdvanceReport report = member.drive();
        assertThat(report.migration(migration.id()).orElseThrow().status())
            .isEqualTo(MigrationStatus.FAILED);
        assertThat(report.toString()).contains("fail the check", "[" + last + "]");
      }
      assertThat(definition(database)).isEqualTo(before);
      assertThat(triggers(database)).isEqualTo("0");
    }
  }

  /** No row is looked at, or a million of them would be with writes blocked. */
  @ParameterizedTest
  @EnumSource
  void whatIsThereIsNotLookedAtWhenItIsAdded(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<AddCheck> steps = steps(database, migration("n > 1"));
      assertThatThrownBy(() -> steps.up(AddCheck.ENFORCE)).hasMessageContaining("[1024]");
      for (var step :
          new MysqlAddCheck(version(database))
              .steps(
                  migration("n > 1"),
                  new dev.zerodowntime.orchestrator.spi.Target(
                      "billing/good", database.name(), database.name()),
                  steps.facts(),
                  AddCheck.ENFORCE,
                  dev.zerodowntime.orchestrator.Direction.UP)) {
        if (step instanceof dev.zerodowntime.orchestrator.spi.DdlStep ddl) {
          database.execute(ddl.sql().get(0));
        }
      }
      assertThatThrownBy(() -> database.execute("UPDATE `t``s` SET m = 3 WHERE id = 1"))
          .isInstanceOf(IllegalStateException.class);
      database.execute("UPDATE `t``s` SET m = 3 WHERE id = 2");
      assertThatThrownBy(() -> steps.up(AddCheck.DONE)).hasMessageContaining("[1024]");
    }
  }

  private static MysqlVersion version(MysqlDatabase database) throws SQLException {
    try (var connection = database.dataSource().getConnection()) {
      return MysqlVersion.of(connection);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsThereAlreadyStays(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      boolean maria = flavor == Flavor.MARIADB;
      database.execute("ALTER TABLE `t``s` ADD CONSTRAINT `go``od's` CHECK (m <> 3)");
      String before = definition(database);
      MysqlSteps<AddCheck> named = steps(database, migration("m<>3"));
      assertThat(named.up(AddCheck.ENFORCE)).containsExactly("verify-rows");
      assertThat(named.down(AddCheck.ENFORCE)).isEmpty();
      assertThatThrownBy(() -> steps(database, migration("m <> 4")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("another constraint");
      database.execute("ALTER TABLE `t``s` DROP CONSTRAINT `go``od's`");
      if (maria) {
        database.execute("ALTER TABLE `t``s` MODIFY m INT NOT NULL DEFAULT 5 CHECK (m <> 3)");
      } else {
        database.execute(
            "ALTER TABLE `t``s` ADD CONSTRAINT `go``od's` CHECK (m <> 3) NOT ENFORCED");
      }
      before = definition(database);
      MysqlSteps<AddCheck> own = steps(database, migration("m <> 3"));
      if (maria) {
        assertThat(own.up(AddCheck.ENFORCE)).containsExactly("verify-rows");
        assertThatThrownBy(() -> steps(database, migration("m > -99")))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("[m] has a check of its own");
        // Over another column as well, it is that one's.
        assertThat(steps(database, migration("m > -99 OR n > 0")).up(AddCheck.ENFORCE))
            .containsExactly("verify-rows", "add-check");
      } else {
        assertThat(own.up(AddCheck.ENFORCE))
            .containsExactly("verify-rows", "add-check-trigger-insert", "add-check-trigger-update");
        assertThat(own.down(AddCheck.ENFORCE))
            .containsExactly("drop-check-trigger-update", "drop-check-trigger-insert");
        assertThat(definition(database)).isEqualTo(before);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      boolean maria = flavor == Flavor.MARIADB;
      for (List<String> each :
          List.of(
              List.of("gone > 1", "can't be"),
              List.of("n > ", "can't be"),
              List.of("n > 1), x INT CHECK (1 = 1", maria ? "more than" : "can't be"),
              List.of("n > 1), CHECK (m > 1", "more than an expression"),
              List.of("EXISTS (SELECT 1)", "can't be"),
              List.of("id > 0", "can't be"),
              List.of("gen > 0", "computes"),
              List.of("p > 0 AND n > 0", "foreign key `to_parent`"))) {
        assertThatThrownBy(() -> steps(database, migration(each.get(0))))
            .as(each.toString())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(1));
      }
      MysqlSteps<AddCheck> steps = steps(database, migration("n > -100"));
      steps.up(AddCheck.ENFORCE);
      if (maria) {
        // The host's definition would be written down over what others have changed.
        database.execute("ALTER TABLE `t``s` MODIFY n BIGINT CHECK (n > -100)");
        assertThatThrownBy(() -> steps.down(AddCheck.ENFORCE))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("bigint");
      } else {
        database.execute(
            "CREATE TRIGGER late BEFORE UPDATE ON `t``s` FOR EACH ROW SET NEW.n = -200");
        assertThatThrownBy(() -> steps(database, migration("n > -100")))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("[late]");
      }
      database.execute("CREATE TABLE `keyless` (n INT)");
      assertThatThrownBy(
              () ->
                  steps(
                      database,
                      AddCheck.of("billing/k")
                          .table("keyless")
                          .name("k")
                          .expression("n > 0")
                          .build()))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("no primary key");
    }
  }
}
