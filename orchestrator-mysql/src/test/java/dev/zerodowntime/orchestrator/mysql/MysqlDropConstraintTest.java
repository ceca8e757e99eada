package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlDropConstraintTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "constraint");
    database.execute(
        "CREATE TABLE `par``ent` (id INT PRIMARY KEY, kind INT NOT NULL, UNIQUE KEY two (id, kind))",
        "INSERT INTO `par``ent` VALUES (1, 1), (2, 2)",
        "CREATE TABLE `ch``ild` (id INT NOT NULL PRIMARY KEY, p INT, q INT, `ki``nd` INT, n INT, s"
            + " VARCHAR(20) NOT NULL, CONSTRAINT `to``p` FOREIGN KEY (p, `ki``nd`) REFERENCES"
            + " `par``ent` (id, kind) ON DELETE CASCADE ON UPDATE RESTRICT, CONSTRAINT plain FOREIGN"
            + " KEY (q) REFERENCES `par``ent` (id) ON DELETE SET NULL, CONSTRAINT `bo``th` UNIQUE (s"
            + " DESC, n), CONSTRAINT positive CHECK (n > 0))",
        "INSERT INTO `ch``ild` VALUES (1, 1, 1, 1, 1, 'a'), (2, 2, 2, 2, 2, 'b'), (3, NULL, NULL, 9,"
            + " 3, 'c')");
    return database;
  }

  private static MysqlSteps<DropConstraint> steps(MysqlDatabase database, String name)
      throws SQLException {
    return new MysqlSteps<>(
            database,
            MysqlDropConstraint::new,
            DropConstraint.of("billing/free").table("ch`ild").name(name).build())
        .preflight();
  }

  @ParameterizedTest
  @EnumSource
  void aForeignKeyGoesAndComesBackExactly(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      for (String name : List.of("plain", "to`p")) {
        MysqlSteps<DropConstraint> steps = steps(database, name);
        String before = steps.definition("ch`ild");
        assertThat(steps.up(1)).containsExactly("drop-foreign-key");
        assertThat(steps.definition("ch`ild")).doesNotContain("CONSTRAINT " + Sql.quote(name));
        database.execute(
            "UPDATE `ch``ild` SET "
                + (name.equals("plain") ? "q = 9" : "p = 1, `ki``nd` = 2")
                + " WHERE id = 2");
        // Whatever broke it meanwhile is found before it is there.
        assertThatThrownBy(() -> steps.down(1)).isInstanceOf(AssertionError.class);
        assertThat(steps.definition("ch`ild")).doesNotContain("CONSTRAINT " + Sql.quote(name));
        database.execute("UPDATE `ch``ild` SET p = 2, q = 2, `ki``nd` = 2 WHERE id = 2");
        restore(database, steps);
        assertThat(normal(steps.definition("ch`ild"))).isEqualTo(normal(before));
      }
    }
  }

  /**
   * Foreign keys are written down in the order of their creation, or of their names. To InnoDB
   * RESTRICT is NO ACTION, and a MariaDB that adds one in place takes the one for the other.
   */
  private static List<String> normal(String definition) {
    return definition
        .lines()
        .map(line -> line.replaceAll(",$| ON (?:DELETE|UPDATE) (?:NO ACTION|RESTRICT)", ""))
        .sorted()
        .toList();
  }

  private static void restore(MysqlDatabase database, MysqlSteps<DropConstraint> steps)
      throws SQLException {
    assertThat(database.rows("SELECT @@foreign_key_checks").toString()).isEqualTo("[[1]]");
    assertThat(steps.down(1)).containsExactly("verify-rows", "add-foreign-key", "prove-rows");
    assertThatThrownBy(
            () ->
                database.execute(
                    "INSERT INTO `ch``ild` VALUES (9, 9, 9, 9, 9, 'a"
                        + steps.facts().size()
                        + "')"))
        .hasMessageContaining("foreign key");
  }

  @ParameterizedTest
  @EnumSource
  void aUniqueConstraintGoesAndComesBackExactly(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<DropConstraint> steps = steps(database, "BO`TH");
      String before = steps.definition("ch`ild");
      steps.up(1);
      database.execute("INSERT INTO `ch``ild` VALUES (4, NULL, NULL, NULL, 1, 'A')");
      assertThatThrownBy(() -> steps.down(1)).isInstanceOf(IllegalStateException.class);
      database.execute("DELETE FROM `ch``ild` WHERE id = 4");
      assertThat(steps.down(1)).containsExactly("restore-unique");
      assertThat(normal(steps.definition("ch`ild"))).isEqualTo(normal(before));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("gone", "no foreign key, no check and no unique constraint"),
              List.of("PRIMARY", "primary key"))) {
        assertThatThrownBy(() -> steps(database, each.get(0)))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(1));
      }
      MysqlSteps<DropConstraint> steps = steps(database, "to`p");
      steps.up(1);
      database.execute("ALTER TABLE `par``ent` DROP KEY two");
      assertThatThrownBy(() -> steps.down(1))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("no unique index");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCheckGoesAndRejectsTheSameWhenItIsBack(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      boolean maria = flavor == Flavor.MARIADB;
      MysqlSteps<DropConstraint> steps = steps(database, "POSITIVE");
      assertThat(steps.up(1)).containsExactly("drop-check");
      assertThat(steps.definition("ch`ild")).doesNotContain("CHECK");
      database.execute("UPDATE `ch``ild` SET n = -1 WHERE id = 3");
      // Whatever broke it meanwhile is found before it is there.
      assertThatThrownBy(() -> steps.down(1)).isInstanceOf(AssertionError.class);
      assertThat(steps.definition("ch`ild")).doesNotContain("CHECK");
      database.execute("UPDATE `ch``ild` SET n = NULL WHERE id = 3");
      assertThat(steps.down(1))
          .containsExactly(
              maria
                  ? new String[] {"verify-rows", "add-check", "prove-rows"}
                  : new String[] {
                    "verify-rows",
                    "add-check",
                    "add-check-trigger-insert",
                    "add-check-trigger-update",
                    "prove-rows"
                  });
      assertThatThrownBy(() -> database.execute("UPDATE `ch``ild` SET n = -1 WHERE id = 3"))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(
              () -> database.execute("INSERT INTO `ch``ild` VALUES (9, 1, 1, 1, -1, 'x')"))
          .isInstanceOf(IllegalStateException.class);
      // What has come back goes once more, and from then on as it is.
      MysqlSteps<DropConstraint> again = steps(database, maria ? "N" : "positive");
      String restored = again.definition("ch`ild");
      again.up(1);
      assertThat(again.definition("ch`ild")).doesNotContain("CHECK");
      database.execute("INSERT INTO `ch``ild` VALUES (9, 1, 1, 1, -1, 'x')");
      database.execute("DELETE FROM `ch``ild` WHERE id = 9");
      again.down(1);
      assertThat(normal(again.definition("ch`ild"))).isEqualTo(normal(restored));
      if (!maria) {
        database.execute(
            "ALTER TABLE `ch``ild` ADD CONSTRAINT `lo``ose` CHECK (n < 9) NOT ENFORCED");
        MysqlSteps<DropConstraint> loose = steps(database, "lo`ose");
        String before = loose.definition("ch`ild");
        assertThat(loose.up(1)).containsExactly("drop-check");
        database.execute("UPDATE `ch``ild` SET n = 100 WHERE id = 3");
        assertThat(loose.down(1)).containsExactly("add-check");
        assertThat(normal(loose.definition("ch`ild"))).isEqualTo(normal(before));
        loose.up(1);
      }
      again.up(1);
      database.execute("ALTER TABLE `ch``ild` RENAME COLUMN n TO m");
      assertThatThrownBy(() -> again.down(1))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("no column \"n\"");
    }
  }

  /** All that the engine does. */
  @ParameterizedTest
  @EnumSource
  void aFleetDropsItWhenNobodyReliesOnIt(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      DropConstraint migration =
          DropConstraint.of("billing/free").table("ch`ild").name("to`p").build();
      assertThat(Members.run(database, "1", migration, DropConstraint.Code.USES))
          .isEqualTo("NOT_STARTED");
      assertThat(Members.run(database, "2", migration, DropConstraint.Code.UNUSED))
          .isEqualTo("DONE");
      database.execute("INSERT INTO `ch``ild` VALUES (9, 9, NULL, 9, 9, 'x')");
      database.execute("DELETE FROM `ch``ild` WHERE id = 9");
      assertThat(Members.back(database, "2", migration, DropConstraint.Code.UNUSED, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThatThrownBy(
              () -> database.execute("INSERT INTO `ch``ild` VALUES (9, 9, NULL, 9, 9, 'x')"))
          .hasMessageContaining("foreign key");
    }
  }
}
