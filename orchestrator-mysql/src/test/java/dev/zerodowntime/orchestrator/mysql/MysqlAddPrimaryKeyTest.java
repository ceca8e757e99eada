package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import java.sql.SQLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlAddPrimaryKeyTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "primary_key");
    database.execute(
        "CREATE TABLE `t``s` (`co``de` VARCHAR(10) COLLATE utf8mb4_bin NOT NULL, n INT NOT NULL,"
            + " free INT, m INT NOT NULL, gen INT AS (n + 1) VIRTUAL"
            + (flavor == Flavor.MYSQL ? " NOT NULL" : "")
            + ", UNIQUE KEY both_of_them"
            + " (n, `co``de`), KEY k (m))",
        "INSERT INTO `t``s` (`co``de`, n, free, m) VALUES ('a', 1, NULL, 1), ('A', 1, 2, 1), ('b ',"
            + " 2, 2, 3)");
    return database;
  }

  private static AddPrimaryKey.Builder migration(String... columns) {
    return AddPrimaryKey.of("billing/key").table("t`s").name("pk").columns(columns);
  }

  private static MysqlSteps<AddPrimaryKey> steps(
      MysqlDatabase database, AddPrimaryKey.Builder migration) throws SQLException {
    return new MysqlSteps<>(database, MysqlAddPrimaryKey::new, migration.build()).preflight();
  }

  @ParameterizedTest
  @EnumSource
  void rowsAreStoredByIt(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      String before = database.rows("SHOW CREATE TABLE `t``s`").get(0).get(1);
      AddPrimaryKey migration = migration("co`de", "n").build();
      assertThat(Members.run(database, "1", migration, AddPrimaryKey.Code.MAY_VIOLATE))
          .isEqualTo("NOT_STARTED");
      assertThat(Members.run(database, "2", migration, AddPrimaryKey.Code.CONFORMS))
          .isEqualTo("DONE");
      assertThat(Members.run(database, "3", migration, AddPrimaryKey.Code.NEEDS)).isEqualTo("DONE");
      assertThat(database.rows("SHOW CREATE TABLE `t``s`").get(0).get(1))
          .contains("PRIMARY KEY (`co``de`,`n`)", "UNIQUE KEY `both_of_them`");
      assertThat(database.rows("SELECT COUNT(*) FROM `t``s`").toString()).isEqualTo("[[3]]");
      assertThatThrownBy(
              () -> database.execute("INSERT INTO `t``s` (`co``de`, n, m) VALUES ('a', 1, 1)"))
          .hasMessageContaining("Duplicate");
      database.execute("INSERT INTO `t``s` (`co``de`, n, m) VALUES ('a', 2, 1)");
      database.execute("DELETE FROM `t``s` WHERE `co``de` = 'a' AND n = 2");
      String back =
          Members.back(database, "3", migration, AddPrimaryKey.Code.CONFORMS, "NOT_STARTED");
      if (flavor == Flavor.MARIADB) {
        assertThat(back).isEqualTo("NOT_STARTED");
        assertThat(database.rows("SHOW CREATE TABLE `t``s`").get(0).get(1)).isEqualTo(before);
      } else {
        assertThat(back).as("consent is asked for").isEqualTo("ENFORCE");
        // Why: the server itself says it can't.
        assertThatThrownBy(
                () -> database.execute("ALTER TABLE `t``s` DROP PRIMARY KEY, ALGORITHM=INPLACE"))
            .hasMessageContaining("Dropping a primary key is not allowed");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor)) {
      assertThatThrownBy(() -> steps(database, migration("free")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("SetNotNull");
      assertThatThrownBy(() -> steps(database, migration("gone")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("no column");
      assertThatThrownBy(() -> steps(database, migration("m")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("AddUnique");
      assertThatThrownBy(() -> steps(database, migration("co`de")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("AddUnique");
      if (flavor == Flavor.MYSQL) {
        assertThatThrownBy(() -> steps(database, migration("gen")))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("generated");
      }
      assertThatThrownBy(() -> steps(database, migration("n", "co`de").include("m")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("includes");
      database.execute("ALTER TABLE `t``s` ADD FULLTEXT KEY words (`co``de`)");
      assertThatThrownBy(() -> steps(database, migration("n", "co`de")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("FULLTEXT");
      database.execute(
          "ALTER TABLE `t``s` DROP KEY words", "ALTER TABLE `t``s` ADD PRIMARY KEY (n, `co``de`)");
      // It is there already: nothing to do, and nothing to take back.
      MysqlSteps<AddPrimaryKey> already = steps(database, migration("n", "co`de"));
      assertThat(already.up(AddPrimaryKey.DONE)).isEmpty();
      assertThat(already.down(AddPrimaryKey.DONE)).isEmpty();
      assertThatThrownBy(() -> steps(database, migration("co`de", "n")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("already");
    }
  }
}
