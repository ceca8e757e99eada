package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlSetNotNullTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "not_null");
    database.execute(
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "INSERT INTO parent VALUES (1)",
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(40)"
            + " CHARACTER SET latin1 COLLATE latin1_german1_ci DEFAULT NULL COMMENT 'NULL, it''s',"
            + " n INT, at TIMESTAMP NULL DEFAULT NULL, p INT DEFAULT 1, already INT NOT NULL DEFAULT"
            + " 1, gen INT AS (n + 1) VIRTUAL, KEY k (`na``me`), CONSTRAINT to_parent FOREIGN KEY (p)"
            + " REFERENCES parent (id) ON DELETE SET NULL)",
        "CREATE TRIGGER fills BEFORE INSERT ON `t``s` FOR EACH ROW SET NEW.`na``me` ="
            + " IF(NEW.`na``me` = 'null', NULL, COALESCE(NEW.`na``me`, IF(NEW.n = 7, 'filled',"
            + " NULL)))",
        "INSERT INTO `t``s` (`na``me`, n) VALUES ('\u00c4rger', 1), ('b ', 2), ('', 3)");
    for (int i = 0; i < 10; i++) {
      database.execute("INSERT INTO `t``s` (`na``me`, n) SELECT `na``me`, n FROM `t``s`");
    }
    return database;
  }

  private static SetNotNull migration(String column) {
    return SetNotNull.of("billing/name-there").table("t`s").column(column).build();
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

  private static void rejectsNull(MysqlDatabase database) {
    String rows = "SELECT COUNT(*) FROM `t``s` WHERE `na``me` IS NULL";
    for (String sql :
        List.of(
            "INSERT INTO `t``s` (n) VALUES (1)",
            "INSERT INTO `t``s` (`na``me`, n) VALUES ('x', 1), (NULL, 1)",
            "UPDATE `t``s` SET `na``me` = NULL WHERE id = 1")) {
      assertThatThrownBy(() -> database.execute(sql)).as(sql).isInstanceOf(RuntimeException.class);
    }
    try {
      database.execute("INSERT IGNORE INTO `t``s` (`na``me`) VALUES (NULL)");
    } catch (IllegalStateException e) {
      // Either way, it isn't written.
    }
    assertThat(database.rows(rows).toString()).isEqualTo("[[0]]");
  }

  @ParameterizedTest
  @EnumSource
  void aColumnBecomesNotNullAndBackWithAllItHas(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      SetNotNull migration = migration("na`me");
      assertThat(Members.run(database, "1", migration, SetNotNull.Code.MAY_VIOLATE))
          .isEqualTo("NOT_STARTED");
      assertThat(Members.run(database, "2", migration, SetNotNull.Code.CONFORMS)).isEqualTo("DONE");
      assertThat(definition(database))
          .contains("latin1_german1_ci NOT NULL COMMENT 'NULL, it''s'")
          .isNotEqualTo(before);
      assertThat(triggers(database)).isEqualTo("0");
      rejectsNull(database);
      assertThat(Members.back(database, "2", migration, SetNotNull.Code.CONFORMS, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(definition(database)).isEqualTo(before);
      assertThat(triggers(database)).isEqualTo("0");
      database.execute("UPDATE `t``s` SET `na``me` = NULL WHERE id = 1");
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowsWithoutAValueAreShownBeforeAnythingIsDone(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      long last = Long.parseLong(database.rows("SELECT MAX(id) FROM `t``s`").get(0).get(0));
      database.execute("UPDATE `t``s` SET `na``me` = NULL WHERE id = " + last);
      String before = definition(database);
      SetNotNull migration = migration("na`me");
      try (Orchestrator member =
          Members.member(database, "1").thisBuild(migration, SetNotNull.Code.CONFORMS).build()) {
        member.advance();
        AdvanceReport report = member.drive();
        assertThat(report.migration(migration.id()).orElseThrow().status())
            .isEqualTo(MigrationStatus.FAILED);
        assertThat(report.toString()).contains("without a value", "[" + last + "]");
      }
      assertThat(definition(database)).isEqualTo(before);
      assertThat(triggers(database)).isEqualTo("0");
    }
  }

  /** Between the two phases, by which time nothing has been rewritten yet. */
  @ParameterizedTest
  @EnumSource
  void triggersKeepNullOutAndRunLast(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      SetNotNull migration = migration("na`me");
      MysqlSteps<SetNotNull> steps =
          new MysqlSteps<>(database, MysqlSetNotNull::new, migration).preflight();
      assertThat(steps.up(SetNotNull.ENFORCE))
          .containsExactly("verify-rows", "add-guard-trigger-insert", "add-guard-trigger-update");
      assertThat(definition(database)).isEqualTo(before);
      rejectsNull(database);
      // Another trigger gives it a value, or takes it, before ours looks.
      database.execute("INSERT INTO `t``s` (n) VALUES (7)");
      assertThatThrownBy(() -> database.execute("INSERT INTO `t``s` (`na``me`) VALUES ('null')"))
          .hasMessageContaining("cannot be null");
      assertThat(steps.down(SetNotNull.DONE)).isEmpty();
      for (Step step :
          new MysqlSetNotNull(version(database))
              .steps(
                  migration,
                  new Target(migration.id(), database.name(), database.name()),
                  steps.facts(),
                  SetNotNull.ENFORCE,
                  Direction.DOWN)) {
        boolean done =
            steps.holds(
                step instanceof OnlineStep online ? online.done() : ((DdlStep) step).done());
        assertThat(done).as(step.name()).isEqualTo(step instanceof OnlineStep);
        if (!done) {
          database.execute(step.sql().get(0));
        }
      }
      assertThat(triggers(database)).isEqualTo("0");
      database.execute("INSERT INTO `t``s` (n) VALUES (1)");
    }
  }

  private static MysqlVersion version(MysqlDatabase database) throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return MysqlVersion.of(connection);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("gone", "no column \"gone\""),
              List.of("p", "SET NULL by foreign key `to_parent`"),
              List.of("gen", "generated"))) {
        assertThatThrownBy(
                () ->
                    new MysqlSteps<>(database, MysqlSetNotNull::new, migration(each.get(0)))
                        .preflight())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(1));
      }
      if (flavor == Flavor.MARIADB) {
        // The server says why: it can't, in place.
        database.execute("UPDATE `t``s` SET at = '2001-02-03 04:05:06'");
        assertThatThrownBy(
                () ->
                    database.execute(
                        "ALTER TABLE `t``s` MODIFY at TIMESTAMP NOT NULL, ALGORITHM=INPLACE"))
            .hasMessageContaining("Try ALGORITHM=COPY");
        assertThatThrownBy(
                () -> new MysqlSteps<>(database, MysqlSetNotNull::new, migration("at")).preflight())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("TIMESTAMP");
      } else {
        // It must not get a default that nobody asked for.
        MysqlSteps<SetNotNull> at =
            new MysqlSteps<>(database, MysqlSetNotNull::new, migration("at")).preflight();
        database.execute("UPDATE `t``s` SET at = '2001-02-03 04:05:06'");
        at.up(SetNotNull.ENFORCE);
        at.up(SetNotNull.DONE);
        assertThat(definition(database))
            .containsPattern("`at` timestamp NOT NULL,")
            .doesNotContain("CURRENT_TIMESTAMP");
      }
      // It is NOT NULL already: there is nothing to do, and nothing to take back.
      MysqlSteps<SetNotNull> already =
          new MysqlSteps<>(database, MysqlSetNotNull::new, migration("already")).preflight();
      assertThat(already.up(SetNotNull.ENFORCE)).isEmpty();
      assertThat(already.down(SetNotNull.ENFORCE)).isEmpty();
      MysqlSteps<SetNotNull> changed =
          new MysqlSteps<>(database, MysqlSetNotNull::new, migration("n")).preflight();
      database.execute("ALTER TABLE `t``s` MODIFY n INT COMMENT 'new'");
      assertThatThrownBy(() -> changed.preflightBack(SetNotNull.ENFORCE))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("'new'");
      database.execute("ALTER TABLE `t``s` ADD FULLTEXT KEY words (`na``me`)");
      assertThatThrownBy(
              () ->
                  new MysqlSteps<>(database, MysqlSetNotNull::new, migration("na`me")).preflight())
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("FULLTEXT");
    }
  }
}
