package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.testing.Driven;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("long")
class MysqlChangeColumnTypeTest {

  private static final String OLD_TIME = "2001-02-03 04:05:06";

  private static MysqlDatabase orders(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "type");
    database.execute(
        "CREATE TABLE `or``ders` (id INT PRIMARY KEY, `am``ount` INT NOT NULL DEFAULT 7 COMMENT"
            + " 'in \"cents\"', size VARCHAR(20) NULL, changed DATETIME NOT NULL DEFAULT"
            + " CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY by_amount (`am``ount`, id))");
    for (int from = 1; from <= 300; from += 50) {
      StringBuilder rows = new StringBuilder("INSERT INTO `or``ders` VALUES ");
      for (int i = from; i < from + 50; i++) {
        rows.append(i == from ? "" : ", ").append("(" + i + ", " + (i - 100) + ", '" + i + "', '");
        rows.append(OLD_TIME).append("')");
      }
      database.execute(rows.toString());
    }
    return database;
  }

  private static ChangeColumnType.Builder change(String from, String to) {
    return ChangeColumnType.of("billing/orders-" + to)
        .table("or`ders")
        .from(from)
        .to(to)
        .pace(pace -> pace.fullSpeed().rows(100, 100))
        .retention(Duration.ofDays(7));
  }

  private static ChangeColumnType.Builder big() {
    return change("am`ount", "big").type("bigint").up("`am``ount`").down("big").defaultSql("9");
  }

  private static String one(MysqlDatabase database, String sql) {
    return database.rows(sql).get(0).get(0);
  }

  private static String row(MysqlDatabase database, String columns, int id) {
    return database.rows("SELECT " + columns + " FROM `or``ders` WHERE id = " + id).toString();
  }

  private static String shown(MysqlDatabase database) {
    return database.rows("SHOW CREATE TABLE `or``ders`").get(0).get(1);
  }

  private static MigrationReport of(AdvanceReport report, ChangeColumnType migration) {
    return report.migration(migration.id()).orElseThrow();
  }

  private static MigrationReport drive(Orchestrator member, ChangeColumnType migration) {
    MigrationReport report = Driven.drive(member, migration.id());
    String before = "";
    while (!report.phase().equals(before) && report.status() != MigrationStatus.FAILED) {
      before = report.phase();
      report = Driven.drive(member, migration.id());
    }
    return report;
  }

  /** What code of either kind writes while both run. */
  private static void writes(MysqlDatabase database, int id) {
    String both = "`am``ount`, big";
    database.execute(
        // Old code: without a column list, without the column, with it; upserts; other columns.
        "INSERT INTO `or``ders` VALUES (" + id + ", -5, NULL, '" + OLD_TIME + "')",
        "INSERT INTO `or``ders` (id) VALUES (" + (id + 1) + ")",
        "UPDATE `or``ders` SET `am``ount` = 55 WHERE id = 5",
        "INSERT INTO `or``ders` (id, `am``ount`) VALUES (6, 66) ON DUPLICATE KEY UPDATE `am``ount` ="
            + " VALUES(`am``ount`) + 600",
        "UPDATE `or``ders` SET size = 'x' WHERE id = 7");
    assertThat(row(database, both, id)).isEqualTo("[[-5, -5]]");
    assertThat(row(database, both, id + 1)).isEqualTo("[[7, 7]]");
    assertThat(row(database, both, 5)).isEqualTo("[[55, 55]]");
    assertThat(row(database, both, 6)).isEqualTo("[[666, 666]]");
    database.execute(
        "INSERT INTO `or``ders` (id, big) VALUES (" + (id + 2) + ", 12)",
        "INSERT INTO `or``ders` (id) VALUES (" + (id + 3) + ")",
        "UPDATE `or``ders` SET big = 88 WHERE id = 8",
        "INSERT INTO `or``ders` (id, big) VALUES (9, 99), ("
            + (id + 4)
            + ", 1) ON DUPLICATE KEY"
            + " UPDATE big = VALUES(big) + 900",
        "REPLACE INTO `or``ders` (id, big) VALUES (10, 1010)");
    assertThat(row(database, both, id + 2)).isEqualTo("[[12, 12]]");
    assertThat(row(database, both, id + 3)).isEqualTo("[[7, 7]]");
    assertThat(row(database, both, 8)).isEqualTo("[[88, 88]]");
    assertThat(row(database, both, 9)).isEqualTo("[[999, 999]]");
    assertThat(row(database, both, id + 4)).isEqualTo("[[1, 1]]");
    assertThat(row(database, both, 10)).isEqualTo("[[1010, 1010]]");
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void everyWriteIsCarriedAcross(MysqlServer.Flavor flavor) {
    ChangeColumnType migration = big().build();
    try (MysqlDatabase database = orders(flavor)) {
      String before = shown(database);
      Members.produce(database, "1", migration, ChangeColumnType.Code.USES_OLD_COLUMN, "ENFORCE");
      String different = "SELECT COUNT(*) FROM `or``ders` WHERE NOT (`am``ount` <=> big)";
      assertThat(one(database, different)).isEqualTo("0");
      assertThat(one(database, "SELECT COUNT(*) FROM `or``ders` WHERE changed > '2001-12-31'"))
          .as("a batch is no change of the row's own")
          .isEqualTo("0");
      assertThat(database.rows("SELECT * FROM `or``ders` WHERE id = 1").get(0)).hasSize(4);
      writes(database, 1000);
      assertThat(one(database, different)).isEqualTo("0");
      for (String each :
          new String[] {
            "UPDATE `or``ders` SET big = 3000000000 WHERE id = 1",
            "UPDATE IGNORE `or``ders` SET big = 3000000000 WHERE id = 1",
            "UPDATE `or``ders` SET big = NULL WHERE id = 1",
            "INSERT INTO `or``ders` (id, big) VALUES (2000, 3000000000)",
            "INSERT IGNORE INTO `or``ders` (id, big) VALUES (2000, 3000000000)"
          }) {
        try {
          database.execute(each);
        } catch (IllegalStateException e) {
          // IGNORE may go on with the other rows.
          assertThat(e).hasMessageContaining("am`ount");
        }
        assertThat(row(database, "`am``ount`, big", 1)).as(each).isEqualTo("[[-99, -99]]");
        assertThat(row(database, "big", 2000)).as(each).isEqualTo("[]");
      }

      Members.produce(database, "2", migration, ChangeColumnType.Code.USES_NEW_COLUMN, "CONTRACT");
      assertThat(database.rows("SELECT * FROM `or``ders` WHERE id = 1").get(0)).hasSize(4);
      assertThat(shown(database))
          .contains("KEY `by_amount` (`big`,`id`)")
          .contains("COMMENT 'in \"cents\"'");
      database.execute(
          "INSERT INTO `or``ders` (id) VALUES (3000)",
          "INSERT INTO `or``ders` (id, big) VALUES (3001, 3000000000)",
          "UPDATE `or``ders` SET big = 31 WHERE id = 31",
          "UPDATE `or``ders` SET big = -3000000000 WHERE id = 32");
      assertThat(row(database, "`am``ount`, big", 3000)).isEqualTo("[[9, 9]]");
      assertThat(row(database, "`am``ount`, big", 3001)).isEqualTo("[[null, 3000000000]]");
      assertThat(row(database, "`am``ount`, big", 31)).isEqualTo("[[31, 31]]");
      assertThat(row(database, "`am``ount`, big", 32)).isEqualTo("[[null, -3000000000]]");
      assertThatThrownBy(() -> database.execute("UPDATE `or``ders` SET big = NULL WHERE id = 1"))
          .hasMessageContaining("big");

      theWayBackNamesWhatCantBeCarried(database, migration);
      writes(database, 4000);
      assertThat(one(database, different)).isEqualTo("0");
      assertThat(
              Members.produceBack(
                  database, "1", migration, ChangeColumnType.Code.USES_OLD_COLUMN, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(shown(database)).isEqualTo(before);
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
      assertThat(row(database, "`am``ount`", 31)).isEqualTo("[[31]]");
    }
  }

  private static void theWayBackNamesWhatCantBeCarried(
      MysqlDatabase database, ChangeColumnType migration) {
    try (Orchestrator member =
        Members.producing(database, "2")
            .thisBuild(migration, ChangeColumnType.Code.USES_NEW_COLUMN)
            .build()) {
      member.advance();
      member.rollback(migration.id(), "ENFORCE");
      MigrationReport report = drive(member, migration);
      assertThat(report.status()).as(report.toString()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.waits().toString()).contains("32");
      assertThat(row(database, "big", 32)).as("it is kept").isEqualTo("[[-3000000000]]");
      database.execute(
          "UPDATE `or``ders` SET big = 32 WHERE id = 32", "DELETE FROM `or``ders` WHERE id = 3001");
      member.resume(migration.id());
      member.rollback(migration.id(), "ENFORCE");
      assertThat(drive(member, migration).phase()).isEqualTo("ENFORCE");
      assertThat(row(database, "`am``ount`, big", 32)).isEqualTo("[[32, 32]]");
      assertThatThrownBy(
              () -> database.execute("UPDATE `or``ders` SET big = 3000000000 WHERE id = 1"))
          .hasMessageContaining("am`ount");
    } finally {
      database.execute("DELETE FROM zdo_member");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatCantBeConvertedIsNamed(MysqlServer.Flavor flavor) {
    ChangeColumnType migration =
        change("size", "width")
            .type("int unsigned")
            .up("CAST(size AS SIGNED)")
            .down("CAST(width AS CHAR)")
            .build();
    try (MysqlDatabase database = orders(flavor)) {
      database.execute(
          "UPDATE `or``ders` SET size = 'wide' WHERE id = 123",
          "UPDATE `or``ders` SET size = NULL WHERE id = 124",
          "UPDATE `or``ders` SET size = '007' WHERE id = 125");
      try (Orchestrator member =
          Members.producing(database, "1")
              .thisBuild(migration, ChangeColumnType.Code.USES_OLD_COLUMN)
              .build()) {
        member.advance();
        member.adopted("billing");
        MigrationReport report = drive(member, migration);
        assertThat(report.status()).as(report.toString()).isEqualTo(MigrationStatus.FAILED);
        assertThat(report.waits().toString()).contains("row with key [123]", "wide");
        database.execute("UPDATE `or``ders` SET size = '-3' WHERE id = 123");
        member.resume(migration.id());
        report = drive(member, migration);
        assertThat(report.status()).as("out of range").isEqualTo(MigrationStatus.FAILED);
        assertThat(report.waits().toString()).contains("row with key [123]");
        database.execute("UPDATE `or``ders` SET size = '3' WHERE id = 123");
        member.resume(migration.id());
        assertThat(drive(member, migration).phase()).isEqualTo("ENFORCE");
        assertThat(row(database, "size, width", 125))
            .as("left alone, although it isn't what 7 converts to")
            .isEqualTo("[[007, 7]]");
        // Old code's statement must not fail.
        database.execute(
            "UPDATE `or``ders` SET size = 'narrow' WHERE id = 17",
            "INSERT INTO `or``ders` (id, size) VALUES (900, '12x')");
        assertThat(row(database, "size, width", 17)).isEqualTo("[[narrow, null]]");
        assertThat(row(database, "size, width", 900)).isEqualTo("[[12x, null]]");
      } finally {
        database.execute("DELETE FROM zdo_member");
      }
      try (Orchestrator member =
          Members.producing(database, "2")
              .thisBuild(migration, ChangeColumnType.Code.USES_NEW_COLUMN)
              .build()) {
        member.advance();
        MigrationReport report = drive(member, migration);
        assertThat(report.status()).as(report.toString()).isEqualTo(MigrationStatus.FAILED);
        assertThat(report.phase()).isEqualTo("ENFORCE");
        assertThat(report.waits().toString()).contains("17");
        database.execute(
            "UPDATE `or``ders` SET width = 17 WHERE id = 17",
            "UPDATE `or``ders` SET width = NULL, size = NULL WHERE id = 900");
        assertThat(row(database, "size, width", 17)).isEqualTo("[[17, 17]]");
        member.resume(migration.id());
        assertThat(drive(member, migration).phase()).isEqualTo("CONTRACT");
        database.execute("UPDATE `or``ders` SET width = NULL WHERE id = 17");
        assertThat(row(database, "size, width", 17)).isEqualTo("[[null, null]]");
      } finally {
        database.execute("DELETE FROM zdo_member");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aTextOfAnotherCharacterSetToTheEnd(MysqlServer.Flavor flavor) {
    ChangeColumnType migration =
        ChangeColumnType.of("billing/people-name")
            .table("people")
            .from("name")
            .to("full_name")
            .type("varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            .up("name")
            .down("full_name")
            .pace(pace -> pace.fullSpeed().rows(100, 100))
            .retention(Duration.ZERO)
            .build();
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "text")) {
      database.execute(
          "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(10) CHARACTER SET latin1 NOT NULL,"
              + " UNIQUE KEY one (name))",
          "INSERT INTO people VALUES (1, 'Müller'), (2, 'mull '), (3, '?'), (4, '')");
      Members.produce(database, "1", migration, ChangeColumnType.Code.USES_OLD_COLUMN, "ENFORCE");
      database.execute(
          "INSERT INTO people VALUES (5, 'é')",
          "UPDATE people SET name = 'MULLER' WHERE id = 1",
          "INSERT INTO people (id, full_name) VALUES (6, 'ß ')",
          "UPDATE people SET full_name = 'Mull' WHERE id = 2");
      assertThat(database.rows("SELECT name, full_name FROM people ORDER BY id").toString())
          .isEqualTo("[[MULLER, MULLER], [Mull, Mull], [?, ?], [, ], [é, é], [ß , ß ]]");
      for (String each : new String[] {"Ω", "more than ten", "\uD83D\uDE00"}) {
        assertThatThrownBy(
                () -> database.execute("UPDATE people SET full_name = '" + each + "' WHERE id = 3"))
            .as("two question marks would be the same")
            .hasMessageContaining("name");
      }
      Members.produce(database, "2", migration, ChangeColumnType.Code.USES_NEW_VALUES, "PURGE");
      database.execute("INSERT INTO people (id, full_name) VALUES (7, 'Ω')");
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
      assertThat(database.rows("SHOW CREATE TABLE people").get(0).get(1))
          .contains("UNIQUE KEY `one` (`full_name`)")
          .doesNotContain("`name`")
          .doesNotContain("zdo_");
      assertThat(one(database, "SELECT full_name FROM people WHERE id = 6")).isEqualTo("ß ");
    }
  }

  /** Up and down lose: what a value was is said by the column that was written. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void conversionsNeedNotBeTheReverseOfEachOther(MysqlServer.Flavor flavor) {
    ChangeColumnType migration =
        change("am`ount", "price")
            .type("decimal(12,2)")
            .up("`am``ount` / 100")
            .down("ROUND(price * 100)")
            .defaultSql("0.07")
            .build();
    ChangeColumnType half =
        change("am`ount", "half")
            .type("decimal(12,0)")
            .up("`am``ount` / 2")
            .down("half * 2")
            .defaultSql("3")
            .build();
    try (MysqlDatabase database = orders(flavor)) {
      assertThat(Members.run(database, "1", migration, ChangeColumnType.Code.USES_OLD_COLUMN))
          .isEqualTo("ENFORCE");
      database.execute(
          "UPDATE `or``ders` SET `am``ount` = 1234 WHERE id = 1",
          "UPDATE `or``ders` SET price = 0.5 WHERE id = 2");
      assertThat(row(database, "`am``ount`, price", 1)).isEqualTo("[[1234, 12.34]]");
      assertThat(row(database, "`am``ount`, price", 2)).isEqualTo("[[50, 0.50]]");
    }
    try (MysqlDatabase database = orders(flavor);
        Orchestrator member =
            Members.producing(database, "1")
                .thisBuild(half, ChangeColumnType.Code.USES_OLD_COLUMN)
                .build()) {
      member.advance();
      member.adopted("billing");
      MigrationReport report = drive(member, half);
      assertThat(report.status()).as(report.toString()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.waits().toString()).contains("key [[1], [3]");
      assertThat(row(database, "`am``ount`", 1))
          .as("a copy changes no original")
          .isEqualTo("[[-99]]");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatCantBeConvertedSafelyIsRefused(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = orders(flavor)) {
      database.execute(
          "ALTER TABLE `or``ders` ADD COLUMN born TIMESTAMP NULL, ADD COLUMN place POINT, ADD COLUMN"
              + " note VARCHAR(100), ADD KEY by_note (note(50))",
          "CREATE VIEW sizes AS SELECT size FROM `or``ders`");
      String before = shown(database);
      refuses(database, big().type("bigint CHECK (big > 0)").build(), "CHECK");
      refuses(database, big().type("nonsense").build(), "nonsense");
      refuses(database, big().type("bigint NOT NULL AUTO_INCREMENT").build(), "can't be added");
      refuses(database, big().up("`am``ount` + id").build(), "can't be computed");
      refuses(database, big().up("5").build(), "not computed from");
      refuses(database, big().up("`am``ount` + NOW()").build(), "another value every time");
      refuses(database, big().up("(SELECT `am``ount`)").build(), "another value every time");
      refuses(database, big().down("big +").build(), "can't be computed");
      refuses(
          database,
          change("am`ount", "big").type("bigint").up("`am``ount`").down("big").build(),
          "defaultSql");
      refuses(database, big().defaultSql("'x'").build(), "x");
      refuses(
          database, change("born", "b").type("datetime").up("born").down("b").build(), "time_zone");
      refuses(database, change("place", "p").type("text").up("place").down("p").build(), "point");
      refuses(database, change("size", "s").type("int").up("size").down("s").build(), "sizes");
      refuses(database, change("id", "i").type("bigint").up("id").down("i").build(), "primary key");
      refuses(
          database,
          change("note", "n").type("int").up("COALESCE(note, 0)").down("n").build(),
          "makes something of NULL");
      refuses(
          database,
          change("note", "n").type("int").up("note").down("n").build(),
          "index `by_note`");
      refuses(
          database,
          change("note", "n").type("text").up("note").down("n").defaultSql("'x'").build(),
          "has no default");
      assertThat(shown(database)).isEqualTo(before);
    }
  }

  private static void refuses(MysqlDatabase database, ChangeColumnType migration, String said) {
    assertThatThrownBy(
            () -> Members.run(database, "1", migration, ChangeColumnType.Code.USES_OLD_COLUMN))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(said);
  }
}
