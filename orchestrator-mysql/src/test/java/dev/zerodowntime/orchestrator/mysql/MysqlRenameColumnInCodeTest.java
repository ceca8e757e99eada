package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode.Code;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("long")
class MysqlRenameColumnInCodeTest {

  private static final String OLD_TIME = "2001-02-03 04:05:06";

  private static MysqlDatabase users(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "in_code");
    database.execute(
        "CREATE TABLE users (id INT PRIMARY KEY, `na``me` VARCHAR(40) NOT NULL DEFAULT 'no''one'"
            + " COMMENT 'who', email VARCHAR(40) NOT NULL, nick VARCHAR(40), changed DATETIME NOT"
            + " NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, UNIQUE KEY mail (email),"
            + " KEY names (`na``me`(10), id))");
    for (int from = 1; from <= 300; from += 50) {
      StringBuilder rows = new StringBuilder("INSERT INTO users VALUES ");
      for (int i = from; i < from + 50; i++) {
        rows.append(i == from ? "" : ", ")
            .append("(" + i + ", 'Näme " + i + " ', 'm" + i + "', NULL, '" + OLD_TIME + "')");
      }
      database.execute(rows.toString());
    }
    return database;
  }

  private static RenameColumnInCode.Builder rename(String from, String to) {
    return RenameColumnInCode.of("billing/users-" + to)
        .table("users")
        .from(from)
        .to(to)
        .pace(pace -> pace.fullSpeed().rows(100, 100))
        .retention(Duration.ofDays(7));
  }

  private static String one(MysqlDatabase database, String sql) {
    return database.rows(sql).get(0).get(0);
  }

  private static String row(MysqlDatabase database, int id) {
    return database.rows("SELECT `na``me`, full_name FROM users WHERE id = " + id).toString();
  }

  private static String shown(MysqlDatabase database) {
    return database.rows("SHOW CREATE TABLE users").get(0).get(1);
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void fiveReleasesThereAndBack(MysqlServer.Flavor flavor) {
    RenameColumnInCode migration = rename("na`me", "full_name").build();
    try (MysqlDatabase database = users(flavor)) {
      String before = shown(database);
      Members.produce(database, "1", migration, Code.OLD, "EXPAND");
      database.execute(
          "INSERT INTO users VALUES (400, 'old', 'a400', NULL, '" + OLD_TIME + "')",
          // Code of the next release is there already, beside the old.
          "INSERT INTO users (id, `na``me`, full_name, email) VALUES (401, 'x', 'x', 'a401')",
          "UPDATE users SET `na``me` = 'NÄME 5', changed = changed WHERE id = 5",
          "INSERT INTO users (id, email) VALUES (402, 'a402')");
      assertThat(database.rows("SELECT * FROM users WHERE id = 1").get(0)).hasSize(5);

      Members.produce(database, "2", migration, Code.DUAL_WRITE, "ENFORCE");
      assertThat(row(database, 400)).isEqualTo("[[old, old]]");
      assertThat(row(database, 401)).isEqualTo("[[x, x]]");
      assertThat(row(database, 402)).isEqualTo("[[no'one, no'one]]");
      assertThat(row(database, 5)).isEqualTo("[[NÄME 5, NÄME 5]]");
      assertThat(
              one(database, "SELECT COUNT(*) FROM users WHERE id <= 300 AND changed > '2002-1-1'"))
          .isEqualTo("0");
      database.execute(
          "UPDATE users SET `na``me` = 'both', full_name = 'both' WHERE id = 6",
          "INSERT INTO users (id, email) VALUES (403, 'a403')");
      assertThat(row(database, 403)).isEqualTo("[[no'one, no'one]]");

      Members.produce(database, "3", migration, Code.READS_NEW, "RELAX");
      database.execute(
          "UPDATE users SET `na``me` = 'b', full_name = 'b' WHERE id = 7",
          // Of code of the next release.
          "INSERT INTO users (id, full_name, email) VALUES (404, 'new', 'a404')",
          "INSERT INTO users (id, email) VALUES (405, 'a405')",
          "UPDATE users SET full_name = 'newer' WHERE id = 8");
      assertThat(row(database, 404)).isEqualTo("[[null, new]]");
      assertThat(row(database, 405)).isEqualTo("[[null, no'one]]");
      assertThatThrownBy(() -> database.execute("UPDATE users SET full_name = NULL WHERE id = 1"))
          .hasMessageContaining("full_name");

      Members.produce(database, "4", migration, Code.NEW, "CONTRACT");
      assertThat(database.rows("SELECT * FROM users WHERE id = 1").get(0)).hasSize(5);
      assertThat(shown(database))
          .contains("KEY `names` (`full_name`(10),`id`)")
          .contains("`full_name` varchar(40)")
          .contains("COMMENT 'who'");
      database.execute("INSERT INTO users (id, full_name, email) VALUES (406, 'n', 'a406')");

      Members.produce(database, "3", migration, Code.READS_NEW, "RELAX");
      Members.produce(database, "2", migration, Code.DUAL_WRITE, "ENFORCE");
      assertThat(row(database, 404)).isEqualTo("[[new, new]]");
      assertThat(row(database, 8)).isEqualTo("[[newer, newer]]");
      assertThat(row(database, 406)).isEqualTo("[[n, n]]");
      // Once more to the top, over rows that were written there before.
      Members.produce(database, "3", migration, Code.READS_NEW, "RELAX");
      Members.produce(database, "2", migration, Code.DUAL_WRITE, "ENFORCE");
      database.execute("INSERT INTO users (id, email) VALUES (407, 'a407')");
      assertThat(row(database, 407)).isEqualTo("[[no'one, no'one]]");
      assertThat(Members.produceBack(database, "2", migration, Code.DUAL_WRITE, "EXPAND"))
          .isEqualTo("EXPAND");
      assertThat(Members.produceBack(database, "1", migration, Code.OLD, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(shown(database)).isEqualTo(before);
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aUniqueColumnToTheEnd(MysqlServer.Flavor flavor) {
    RenameColumnInCode migration = rename("email", "mail_address").retention(Duration.ZERO).build();
    try (MysqlDatabase database = users(flavor)) {
      Members.produce(database, "1", migration, Code.OLD, "EXPAND");
      Members.produce(database, "2", migration, Code.DUAL_WRITE, "ENFORCE");
      Members.produce(database, "3", migration, Code.READS_NEW, "RELAX");
      database.execute(
          "INSERT INTO users (id, mail_address) VALUES (400, 'a400')",
          "INSERT INTO users (id, mail_address) VALUES (401, 'a401')",
          "INSERT INTO users (id, mail_address) VALUES (402, 'a400') ON DUPLICATE KEY UPDATE"
              + " nick = 'twice'");
      assertThat(one(database, "SELECT nick FROM users WHERE id = 400")).isEqualTo("twice");
      assertThatThrownBy(
              () -> database.execute("INSERT INTO users (id, mail_address) VALUES (403, 'm3')"))
          .hasMessageContaining("Duplicate");
      assertThatThrownBy(() -> database.execute("INSERT INTO users (id) VALUES (404)"))
          .hasMessageContaining("mail_address");
      Members.produce(database, "4", migration, Code.NEW, "PURGE");
      assertThat(shown(database))
          .contains("UNIQUE KEY `mail` (`mail_address`)")
          .contains("`mail_address` varchar(40) NOT NULL")
          .doesNotContain("email")
          .doesNotContain("zdo_");
      assertThat(one(database, "SELECT mail_address FROM users WHERE id = 3")).isEqualTo("m3");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aNullableColumn(MysqlServer.Flavor flavor) {
    RenameColumnInCode migration = rename("nick", "handle").build();
    try (MysqlDatabase database = users(flavor)) {
      Members.produce(database, "1", migration, Code.OLD, "EXPAND");
      database.execute("UPDATE users SET nick = 'n' WHERE id = 250");
      Members.produce(database, "2", migration, Code.DUAL_WRITE, "ENFORCE");
      assertThat(one(database, "SELECT handle FROM users WHERE id = 250")).isEqualTo("n");
      Members.produce(database, "3", migration, Code.READS_NEW, "RELAX");
      database.execute("UPDATE users SET handle = NULL WHERE id = 250");
      Members.produce(database, "2", migration, Code.DUAL_WRITE, "ENFORCE");
      assertThat(one(database, "SELECT nick FROM users WHERE id = 250")).isNull();
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatCantBeDoneIsRefused(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      database.execute("CREATE VIEW nicks AS SELECT nick FROM users");
      String before = shown(database);
      for (String[] each :
          new String[][] {
            {"id", "x", "primary key"},
            {"changed", "x", "ON UPDATE"},
            {"nick", "x", "nicks"},
            {"nope", "x", "nope"},
            {"email", "nick", "already has a column"}
          }) {
        assertThatThrownBy(
                () -> Members.run(database, "1", rename(each[0], each[1]).build(), Code.OLD))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each[2]);
      }
      assertThat(shown(database)).isEqualTo(before);
    }
  }
}
