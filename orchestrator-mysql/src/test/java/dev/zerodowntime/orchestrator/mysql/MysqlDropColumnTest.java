package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropTable;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("long")
class MysqlDropColumnTest {

  private static final String TABLE =
      "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_bin NOT NULL COMMENT"
          + " 'it''s', note VARCHAR(20), changed DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON"
          + " UPDATE CURRENT_TIMESTAMP, KEY names (name))";

  private static MysqlDatabase users(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "drop_column");
    database.execute(
        TABLE,
        "INSERT INTO users VALUES (1, 'Ann', 'x', '2001-02-03 04:05:06'),"
            + " (2, 'ann ', NULL, '2001-02-03 04:05:06')");
    return database;
  }

  private static DropColumn.Builder name() {
    return DropColumn.of("billing/users-name")
        .table("users")
        .column("name")
        .fillBackWithSql("CONCAT('user ', id)")
        .batchPause(Duration.ZERO);
  }

  private static String shown(MysqlDatabase database) {
    return database.rows("SHOW CREATE TABLE users").get(0).get(1);
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void itComesBackAsItWas(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", name().build(), DropColumn.Code.NOT_READING))
          .isEqualTo("RELAX");
      database.execute("INSERT INTO users (id) VALUES (3)");
      assertThat(Members.run(database, "2", name().build(), DropColumn.Code.UNUSED))
          .isIn("CONTRACT", "PURGE");
    }
    try (MysqlDatabase database = users(flavor)) {
      String before = shown(database);
      assertThat(Members.run(database, "1", name().build(), DropColumn.Code.NOT_READING))
          .isEqualTo("RELAX");
      database.execute("INSERT INTO users (id, changed) VALUES (3, '2001-02-03 04:05:06')");
      assertThat(
              Members.back(
                  database, "1", name().build(), DropColumn.Code.NOT_READING, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(shown(database)).isEqualTo(before);
      assertThat(database.rows("SELECT name, changed FROM users ORDER BY id").toString())
          .isEqualTo(
              "[[Ann, 2001-02-03 04:05:06], [ann , 2001-02-03 04:05:06],"
                  + " [user 3, 2001-02-03 04:05:06]]");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void itIsDroppedInTheEnd(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", name().build(), DropColumn.Code.NOT_READING))
          .isEqualTo("RELAX");
      Members.run(database, "2", name().build(), DropColumn.Code.UNUSED);
      assertThat(database.rows("SELECT * FROM users WHERE id = 1").get(0)).hasSize(3);
      assertThat(shown(database)).doesNotContain("zdo_old").doesNotContain("names");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatIsUsedIsNotDropped(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      database.execute(
          "CREATE VIEW v AS SELECT note FROM users",
          "CREATE TABLE other (id INT PRIMARY KEY, u INT, CONSTRAINT fk FOREIGN KEY (u) REFERENCES"
              + " users (id))",
          "ALTER TABLE users ADD COLUMN a INT, ADD COLUMN b INT GENERATED ALWAYS AS (a + 1) VIRTUAL,"
              + " ADD COLUMN c INT, ADD CONSTRAINT c_positive CHECK (c > 0), ADD COLUMN d INT,"
              + " ADD INDEX two (d, a)");
      String before = shown(database);
      refuses(database, "note", "view ");
      refuses(database, "id", "fk");
      refuses(database, "a", "generated column b");
      refuses(database, "c", "c_positive");
      refuses(database, "d", "two");
      refuses(database, "nope", "nope");
      assertThatThrownBy(
              () ->
                  Members.run(
                      database,
                      "1",
                      DropTable.of("billing/users").table("users").build(),
                      DropTable.Code.UNUSED))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("fk");
      assertThat(shown(database)).isEqualTo(before);
    }
  }

  private static void refuses(MysqlDatabase database, String column, String said) {
    assertThatThrownBy(
            () ->
                Members.run(
                    database,
                    "1",
                    DropColumn.of("billing/users-x").table("users").column(column).build(),
                    DropColumn.Code.NOT_READING))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(said);
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aTableIsDropped(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      Members.run(
          database,
          "1",
          DropTable.of("billing/users").table("users").build(),
          DropTable.Code.UNUSED);
      assertThat(database.rows("SHOW TABLES LIKE 'users'")).isEmpty();
    }
  }
}
