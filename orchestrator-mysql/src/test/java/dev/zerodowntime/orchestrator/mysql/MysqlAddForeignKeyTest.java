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
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddForeignKey.Action;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlAddForeignKeyTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "references");
    database.execute(
        "CREATE TABLE `par``ent` (id INT PRIMARY KEY, `co``de` VARCHAR(20) COLLATE"
            + " utf8mb4_general_ci NOT NULL, kind INT NOT NULL, n INT, UNIQUE KEY both_of (`co``de`,"
            + " kind))",
        "CREATE TABLE `ch``ild` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, parent INT, `co``de`"
            + " VARCHAR(30) COLLATE utf8mb4_general_ci, kind INT, big BIGINT, bin VARCHAR(20) COLLATE"
            + " utf8mb4_bin, must INT NOT NULL DEFAULT 1, KEY k (parent), KEY c (`co``de`, kind, id),"
            + " KEY b (big), KEY n (bin), KEY m (must))",
        "INSERT INTO `par``ent` VALUES (1, 'a', 1, 1), (2, 'B', 2, 2), (3, 'c', 3, 3)",
        "INSERT INTO `ch``ild` (parent, `co``de`, kind) VALUES (1, 'A', 1), (2, 'b', 2), (NULL, 'x',"
            + " NULL), (1, NULL, NULL)");
    for (int i = 0; i < 10; i++) {
      database.execute(
          "INSERT INTO `ch``ild` (parent, `co``de`, kind) SELECT parent, `co``de`, kind FROM `ch``ild`");
    }
    return database;
  }

  private static AddForeignKey.Builder toParent() {
    return AddForeignKey.of("billing/child-parent")
        .table("ch`ild")
        .columns("parent")
        .name("to`parent")
        .references("par`ent", "id");
  }

  private static MysqlSteps<AddForeignKey> steps(MysqlDatabase database, AddForeignKey migration) {
    return new MysqlSteps<>(database, MysqlAddForeignKey::new, migration);
  }

  /** All that the engine does, with more than one batch. */
  @ParameterizedTest
  @EnumSource
  void aForeignKeyComesAndGoes(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      AddForeignKey migration = toParent().onDelete(Action.CASCADE).build();
      assertThat(Members.run(database, "1", migration, AddForeignKey.Code.MAY_VIOLATE))
          .isEqualTo("NOT_STARTED");
      assertThat(Members.run(database, "2", migration, AddForeignKey.Code.CONFORMS))
          .isEqualTo("DONE");
      assertThat(definition(database))
          .contains("CONSTRAINT `to``parent`", "REFERENCES `par``ent` (`id`) ON DELETE CASCADE");
      assertThatThrownBy(() -> database.execute("INSERT INTO `ch``ild` (parent) VALUES (9)"))
          .hasMessageContaining("foreign key");
      database.execute("DELETE FROM `par``ent` WHERE id = 2");
      assertThat(database.rows("SELECT COUNT(*) FROM `ch``ild` WHERE parent = 2").toString())
          .isEqualTo("[[0]]");
      assertThat(Members.back(database, "2", migration, AddForeignKey.Code.CONFORMS, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(definition(database)).isEqualTo(before);
      database.execute("INSERT INTO `ch``ild` (parent) VALUES (9)");
    }
  }

  private static String definition(MysqlDatabase database) {
    return database
        .rows("SHOW CREATE TABLE `ch``ild`")
        .get(0)
        .get(1)
        .replaceAll(" AUTO_INCR\\S+", "");
  }

  @ParameterizedTest
  @EnumSource
  void rowsThatReferToNothingAreShownBeforeAnythingIsDone(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      database.execute("UPDATE `ch``ild` SET parent = 9 WHERE id = 3000");
      String before = definition(database);
      AddForeignKey migration = toParent().build();
      try (Orchestrator member =
          Members.member(database, "1").thisBuild(migration, AddForeignKey.Code.CONFORMS).build()) {
        member.advance();
        AdvanceReport report = member.drive();
        assertThat(report.migration(migration.id()).orElseThrow().status())
            .isEqualTo(MigrationStatus.FAILED);
        assertThat(report.toString()).contains("refer to a row of", "[3000]");
      }
      assertThat(definition(database)).isEqualTo(before);
    }
  }

  /** While old rows are not proved yet, new ones are checked; what came before it is found. */
  @ParameterizedTest
  @EnumSource
  void newRowsAreCheckedBeforeOldOnesAreProved(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      AddForeignKey migration =
          AddForeignKey.of("billing/child-code")
              .table("ch`ild")
              .columns("co`de", "kind")
              .name("to_code")
              .references("par`ent", "co`de", "kind")
              .onUpdate(Action.RESTRICT)
              .build();
      MysqlSteps<AddForeignKey> steps = steps(database, migration).preflight();
      database.execute("UPDATE `ch``ild` SET kind = 7 WHERE id = 1");
      statement.execute("SET SESSION foreign_key_checks = 0");
      statement.execute(addition(steps, migration, database));
      assertThatThrownBy(
              () -> database.execute("INSERT INTO `ch``ild` (`co``de`, kind) VALUES ('a', 2)"))
          .hasMessageContaining("foreign key");
      database.execute("UPDATE `ch``ild` SET must = 2 WHERE id = 1");
      assertThat(unproved(steps, database)).isEqualTo("1");
      database.execute("UPDATE `ch``ild` SET kind = 1 WHERE id = 1");
      assertThat(steps.up(AddForeignKey.DONE)).containsExactly("prove-rows");
      // Found there, it is nobody's business on the way back.
      assertThat(steps(database, migration).preflight().facts().get(AddForeignKeyCheck.THERE))
          .isEqualTo(true);
      assertThat(steps.down(AddForeignKey.DONE)).isEmpty();
      assertThat(steps.down(AddForeignKey.ENFORCE)).containsExactly("drop-foreign-key");
    }
  }

  private static String addition(
      MysqlSteps<AddForeignKey> steps, AddForeignKey migration, MysqlDatabase database)
      throws SQLException {
    return new MysqlAddForeignKey(version(database))
        .steps(
            migration,
            new dev.zerodowntime.orchestrator.spi.Target(
                migration.id(), database.name(), database.name()),
            steps.facts(),
            AddForeignKey.ENFORCE,
            dev.zerodowntime.orchestrator.Direction.UP)
        .get(1)
        .sql()
        .get(0);
  }

  private static MysqlVersion version(MysqlDatabase database) throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return MysqlVersion.of(connection);
    }
  }

  private static String proof(MysqlSteps<AddForeignKey> steps, MysqlDatabase database) {
    return "SELECT COUNT(*) FROM "
        + Sql.qualified(database.name(), "ch`ild")
        + " WHERE "
        + steps.facts().get(AddForeignKeyCheck.UNPROVED);
  }

  private static String unproved(MysqlSteps<AddForeignKey> steps, MysqlDatabase database) {
    return database.rows(proof(steps, database)).get(0).get(0);
  }

  /** Whoever deleted what rows refer to, and hasn't committed yet, is waited for. */
  @ParameterizedTest
  @EnumSource
  void anUncommittedDeleteIsNotMissed(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection deleter = database.dataSource().getConnection();
        Connection connection = database.dataSource().getConnection();
        Statement delete = deleter.createStatement();
        Statement statement = connection.createStatement()) {
      AddForeignKey migration = toParent().build();
      MysqlSteps<AddForeignKey> steps = steps(database, migration).preflight();
      String add = addition(steps, migration, database);
      deleter.setAutoCommit(false);
      delete.execute("DELETE FROM `par``ent` WHERE id = 2");
      statement.execute(
          "SET SESSION foreign_key_checks = 0, SESSION lock_wait_timeout = 1, SESSION"
              + " innodb_lock_wait_timeout = 1");
      if (flavor == Flavor.MYSQL) {
        assertThatThrownBy(() -> statement.execute(add))
            .isInstanceOfSatisfying(
                SQLException.class, e -> assertThat(e.getErrorCode()).isEqualTo(1205));
        deleter.commit();
        statement.execute(add);
      } else {
        statement.execute(add);
        assertThatThrownBy(() -> statement.executeQuery(proof(steps, database)).close())
            .isInstanceOfSatisfying(
                SQLException.class, e -> assertThat(e.getErrorCode()).isEqualTo(1205));
        deleter.commit();
      }
      assertThat(unproved(steps, database)).isEqualTo("1024");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      Map<AddForeignKey, String> refused =
          Map.ofEntries(
              Map.entry(toParent().deferrable().build(), "deferrable"),
              Map.entry(toParent().withoutIndex().build(), "without an index"),
              Map.entry(toParent().onDelete(Action.SET_DEFAULT).build(), "SET DEFAULT"),
              Map.entry(toParent().table("gone").build(), "no table \"gone\""),
              Map.entry(toParent().references("gone", "id").build(), "no table \"gone\""),
              Map.entry(toParent().columns("gone").build(), "no column \"gone\""),
              Map.entry(toParent().references("par`ent", "n").build(), "no unique index"),
              Map.entry(toParent().references("par`ent", "kind").build(), "no unique index"),
              Map.entry(toParent().columns("kind").build(), "no index of table"),
              Map.entry(toParent().columns("big").build(), "bigint"),
              Map.entry(
                  toParent().columns("must").onDelete(Action.SET_NULL).build(), "is NOT NULL"),
              Map.entry(
                  toParent().columns("bin", "kind").references("par`ent", "co`de", "kind").build(),
                  "utf8mb4_bin"),
              Map.entry(toParent().name("x".repeat(65)).build(), "65 characters"));
      String before = definition(database);
      for (Map.Entry<AddForeignKey, String> each : refused.entrySet()) {
        assertThatThrownBy(() -> steps(database, each.getKey()).preflight())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.getValue());
      }
      database.execute(
          "CREATE TABLE other (id INT PRIMARY KEY, p INT, CONSTRAINT `TO``parent` FOREIGN KEY (p)"
              + " REFERENCES `par``ent` (id))");
      assertThatThrownBy(() -> steps(database, toParent().build()).preflight())
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("has another foreign key");
      assertThat(definition(database)).isEqualTo(before);
    }
  }
}
