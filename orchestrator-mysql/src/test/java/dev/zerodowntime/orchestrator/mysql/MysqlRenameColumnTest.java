package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("long")
class MysqlRenameColumnTest {

  private static final String OLD_TIME = "2001-02-03 04:05:06";

  private static MysqlDatabase users(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "rename");
    database.execute(
        "CREATE TABLE users (id INT PRIMARY KEY, `na``me` VARCHAR(40) NOT NULL DEFAULT 'no''ne'"
            + " COMMENT 'a \"name\"', email VARCHAR(40) NOT NULL, changed DATETIME NOT NULL DEFAULT"
            + " CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, UNIQUE KEY mail (email), KEY"
            + " names (`na``me`(10), id))",
        "INSERT INTO users VALUES (1, 'Müller', 'a', '"
            + OLD_TIME
            + "'), (2, 'Muller', 'b', '"
            + OLD_TIME
            + "'), (3, 'MULLER ', 'c', '"
            + OLD_TIME
            + "')");
    for (int i = 10; i < 300; i++) {
      database.execute(
          "INSERT INTO users VALUES (" + i + ", 'n" + i + "', 'm" + i + "', '" + OLD_TIME + "')");
    }
    return database;
  }

  private static RenameColumn.Builder rename(String from, String to) {
    return RenameColumn.of("billing/users-" + to)
        .table("users")
        .from(from)
        .to(to)
        .pace(pace -> pace.fullSpeed().rows(100, 100))
        .retention(Duration.ofDays(7));
  }

  private static String one(MysqlDatabase database, String sql) {
    return database.rows(sql).get(0).get(0);
  }

  private static String different(String one, String other) {
    return "SELECT COUNT(*) FROM users WHERE NOT (CAST("
        + one
        + " AS BINARY) <=> CAST("
        + other
        + " AS BINARY))";
  }

  private static String shown(MysqlDatabase database) {
    return database.rows("SHOW CREATE TABLE users").get(0).get(1);
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void bothNamesHaveTheSameValueToTheLastByte(MysqlServer.Flavor flavor) {
    RenameColumn migration = rename("na`me", "full_name").build();
    try (MysqlDatabase database = users(flavor)) {
      String before = shown(database);
      assertThat(Members.produce(database, "1", migration, RenameColumn.Code.USES_OLD_NAME))
          .isEqualTo("ENFORCE");
      String different = different("`na``me`", "full_name");
      assertThat(one(database, different)).isEqualTo("0");
      assertThat(one(database, "SELECT COUNT(*) FROM users WHERE changed > '2001-12-31'"))
          .as("a batch is no change of the row's own")
          .isEqualTo("0");
      // Old code, without naming columns; values that the collation calls equal.
      database.execute(
          "INSERT INTO users VALUES (1001, 'x', 'x', '" + OLD_TIME + "')",
          "INSERT INTO users (id, email) VALUES (1002, 'y')",
          "UPDATE users SET `na``me` = 'Muller' WHERE id = 1",
          "UPDATE users SET `na``me` = 'muller' WHERE id = 2");
      assertThat(database.rows("SELECT * FROM users WHERE id = 1").get(0)).hasSize(4);
      // New code.
      database.execute(
          "INSERT INTO users (id, full_name, email) VALUES (1003, 'z', 'z')",
          "UPDATE users SET full_name = 'MULLER' WHERE id = 3",
          "UPDATE users SET full_name = 'new' WHERE id = 10");
      assertThat(one(database, different)).isEqualTo("0");
      assertThat(
              database
                  .rows(
                      "SELECT full_name FROM users WHERE id IN (1, 2, 3, 10, 1001, 1002, 1003) ORDER"
                          + " BY id")
                  .toString())
          .isEqualTo("[[Muller], [muller], [MULLER], [new], [x], [no'ne], [z]]");

      assertThat(Members.produce(database, "2", migration, RenameColumn.Code.USES_NEW_NAME))
          .isEqualTo("CONTRACT");
      database.execute(
          "INSERT INTO users (id, email) VALUES (1004, 'w')",
          "INSERT INTO users (id, full_name, email) VALUES (1005, 'v', 'v')",
          "UPDATE users SET full_name = 'newer' WHERE id = 10");
      assertThat(database.rows("SELECT * FROM users WHERE id = 1004").get(0)).hasSize(4);
      assertThat(one(database, different)).isEqualTo("0");
      assertThatThrownBy(() -> database.execute("UPDATE users SET full_name = NULL WHERE id = 1"))
          .hasMessageContaining("full_name");
      assertThat(shown(database)).contains("KEY `names` (`full_name`(10),`id`)");

      // The release before comes back, and finds everything that was written meanwhile.
      assertThat(Members.produce(database, "1", migration, RenameColumn.Code.USES_OLD_NAME))
          .isEqualTo("ENFORCE");
      assertThat(one(database, "SELECT `na``me` FROM users WHERE id = 10")).isEqualTo("newer");
      database.execute("INSERT INTO users VALUES (1006, 'u', 'u', '" + OLD_TIME + "')");
      assertThat(one(database, different)).isEqualTo("0");
      assertThat(
              Members.produceBack(
                  database, "1", migration, RenameColumn.Code.USES_OLD_NAME, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(shown(database)).isEqualTo(before);
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aUniqueColumnWithoutDefaultToTheEnd(MysqlServer.Flavor flavor) {
    RenameColumn migration = rename("email", "mail_address").retention(Duration.ZERO).build();
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", migration, RenameColumn.Code.USES_OLD_NAME))
          .isEqualTo("ENFORCE");
      assertThatThrownBy(
              () -> database.execute("INSERT INTO users (id, mail_address) VALUES (1001, 'a')"))
          .hasMessageContaining("Duplicate");
      assertThatThrownBy(() -> database.execute("INSERT INTO users (id) VALUES (1001)"))
          .as("neither name has a value")
          .hasMessageContaining("email");
      Members.run(database, "2", migration, RenameColumn.Code.USES_NEW_NAME);
      Members.run(database, "3", migration, RenameColumn.Code.USES_NEW_NAME);
      assertThat(one(database, "SELECT status FROM zdo_migration")).isEqualTo("DONE");
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
      database.execute("INSERT INTO users (id, mail_address) VALUES (1001, 'new')");
      assertThat(shown(database))
          .contains("UNIQUE KEY `mail` (`mail_address`)")
          .contains("`mail_address` varchar(40) NOT NULL")
          .doesNotContain("email")
          .doesNotContain("zdo_");
      assertThat(one(database, "SELECT mail_address FROM users WHERE id = 3")).isEqualTo("c");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatCantBeKeptInStepIsRefused(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      database.execute(
          "ALTER TABLE users ADD COLUMN a INT DEFAULT 5, ADD COLUMN b INT, ADD COLUMN c INT"
              + " GENERATED ALWAYS AS (b + 1) VIRTUAL, ADD COLUMN d INT, ADD CONSTRAINT d_is CHECK"
              + " (d > 0), ADD COLUMN e INT",
          "CREATE TRIGGER app BEFORE UPDATE ON users FOR EACH ROW SET NEW.changed ="
              + " IF(NEW.e = 1, NEW.changed, OLD.changed)");
      String before = shown(database);
      refuses(database, rename("id", "x").build(), "primary key");
      refuses(database, rename("changed", "x").build(), "ON UPDATE");
      refuses(database, rename("a", "x").build(), "has a default");
      refuses(database, rename("b", "x").build(), "generated column c");
      refuses(database, rename("c", "x").build(), "generated");
      refuses(database, rename("d", "x").build(), "d_is");
      refuses(database, rename("e", "x").build(), "trigger ");
      refuses(database, rename("nope", "x").build(), "nope");
      refuses(database, rename("email", "a").build(), "already has a column");
      assertThat(shown(database)).isEqualTo(before);
    }
  }

  private static void refuses(MysqlDatabase database, RenameColumn migration, String said) {
    assertThatThrownBy(() -> Members.run(database, "1", migration, RenameColumn.Code.USES_OLD_NAME))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(said);
  }
}
