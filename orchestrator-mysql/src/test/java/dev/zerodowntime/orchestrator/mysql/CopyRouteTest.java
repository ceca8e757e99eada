package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.mysql.testing.CopyTools;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.testing.Driven;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CopyRouteTest {

  /** More than one chunk of the tool, and more than one batch of the comparison. */
  static final int DOUBLINGS = 11;

  static MysqlDatabase database(Flavor flavor) {
    CopyTools.path();
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "copy");
    database.execute(
        "CREATE TABLE `Kauf é-x` (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, `na me',\"é`"
            + " VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german1_ci DEFAULT NULL COMMENT"
            + " 'NULL, it''s', n INT DEFAULT 7, kind ENUM('a','b','it''s') DEFAULT 'b', j JSON,"
            + " f DOUBLE, d DECIMAL(12,3), bin VARBINARY(20), at TIMESTAMP(3) NULL DEFAULT NULL,"
            + " gen INT AS (n + 1) VIRTUAL, UNIQUE KEY u (id, n), KEY k (`na me',\"é`))"
            + " COMMENT 'it''s'",
        "INSERT INTO `Kauf é-x` (`na me',\"é`, n, j, f, d, bin, at) VALUES"
            + " ('\u00c4rger', 1, '{\"a\": 1}', 0.1, 1.5, x'00FF', '2026-01-01 00:00:00.123'),"
            + " ('arger ', 2, NULL, 1e300, NULL, '', NULL), ('', 3, '[]', NULL, -0.001, NULL, NULL)");
    for (int i = 0; i < DOUBLINGS; i++) {
      database.execute(
          "INSERT INTO `Kauf é-x` (`na me',\"é`, n, j, f, d, bin, at, kind) SELECT `na me',\"é`, n +"
              + " 1, j, f, d, bin, at, 'it''s' FROM `Kauf é-x`");
    }
    // Else a server may think that there are none, and the tool copy them in one go.
    database.rows("ANALYZE TABLE `Kauf é-x`");
    // The next number is higher than the highest row's.
    database.execute("DELETE FROM `Kauf é-x` ORDER BY id DESC LIMIT 5");
    return database;
  }

  static String definition(MysqlDatabase database) {
    return database.rows("SHOW CREATE TABLE `Kauf é-x`").get(0).get(1);
  }

  static String withoutCounter(String definition) {
    return definition.replaceAll(" AUTO_INCREMENT=\\d+", "");
  }

  static List<List<String>> rows(MysqlDatabase database) {
    return database.rows(
        "SELECT id, HEX(`na me',\"é`), n, kind, j, f, d, HEX(bin), at, gen FROM `Kauf é-x` ORDER BY"
            + " id");
  }

  /** Whatever the tool or the library makes on the way. */
  static List<List<String>> leftovers(MysqlDatabase database) {
    return database.rows(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND"
            + " (TABLE_NAME LIKE 'zdo\\_copy%' OR TABLE_NAME LIKE 'zdo\\_replaced%' OR TABLE_NAME"
            + " LIKE '\\_%') UNION SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE"
            + " TRIGGER_SCHEMA = DATABASE()");
  }

  static <C extends Enum<C> & CodeStage> AdvanceReport drive(
      MysqlDatabase database, CopyTool tool, Migration<C> migration, C stage) {
    try (Orchestrator member =
        Members.member(database, "1").copyTool(tool).thisBuild(migration, stage).build()) {
      member.advance();
      return Driven.report(member, migration.id());
    } finally {
      database.execute("DELETE FROM zdo_member");
    }
  }

  static <C extends Enum<C> & CodeStage> void reaches(
      MysqlDatabase database, Migration<C> migration, C stage, String phase) {
    AdvanceReport report = drive(database, CopyTools.of(database), migration, stage);
    assertThat(report.migration(migration.id()).orElseThrow().status())
        .as(report.toString())
        .isNotEqualTo(MigrationStatus.FAILED);
    assertThat(report.migration(migration.id()).orElseThrow().phase())
        .as(report.toString())
        .isEqualTo(phase);
    assertThat(leftovers(database)).isEmpty();
  }

  static <C extends Enum<C> & CodeStage> void back(
      MysqlDatabase database, Migration<C> migration, C stage) {
    try (Orchestrator member =
        Members.member(database, "1")
            .copyTool(CopyTools.of(database))
            .thisBuild(migration, stage)
            .build()) {
      member.advance();
      member.rollback(migration.id(), "NOT_STARTED");
      AdvanceReport report = Driven.report(member, migration.id());
      assertThat(report.migration(migration.id()).orElseThrow().phase())
          .as(report.toString())
          .isEqualTo("NOT_STARTED");
    } finally {
      database.execute("DELETE FROM zdo_member");
    }
    assertThat(leftovers(database)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void aColumnBecomesNotNullAndBackByCopies(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      List<List<String>> rows = rows(database);
      SetNotNull migration =
          SetNotNull.of("billing/there").table("Kauf é-x").column("na me',\"é").byCopy().build();
      reaches(database, migration, SetNotNull.Code.CONFORMS, "DONE");
      assertThat(definition(database))
          .contains("latin1_german1_ci NOT NULL COMMENT 'NULL, it''s'", counter(before));
      assertThat(rows(database)).isEqualTo(rows);
      back(database, migration, SetNotNull.Code.CONFORMS);
      assertThat(definition(database)).isEqualTo(before);
      assertThat(rows(database)).isEqualTo(rows);
    }
  }

  private static String counter(String definition) {
    return definition.replaceAll("(?s).*( AUTO_INCREMENT=\\d+).*", "$1");
  }

  @ParameterizedTest
  @EnumSource
  void aColumnIsWidenedAsNoServerDoesInPlace(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      List<List<String>> rows = rows(database);
      for (String[] each :
          new String[][] {
            {"n", "bigint"}, {"na me',\"é", "varchar(300)"}, {"d", "decimal(30,3)"}
          }) {
        WidenColumn migration =
            WidenColumn.of("billing/wider-" + each[1].substring(0, 3))
                .table("Kauf é-x")
                .column(each[0])
                .type(each[1])
                .byCopy()
                .build();
        reaches(database, migration, WidenColumn.Code.EITHER_TYPE, "DONE");
        assertThat(definition(database)).contains("`" + each[0] + "` " + each[1]);
        assertThat(rows(database)).isEqualTo(rows);
        back(database, migration, WidenColumn.Code.OLD_TYPE);
        assertThat(definition(database)).isEqualTo(before);
        assertThat(rows(database)).isEqualTo(rows);
      }
    }
  }

  /** A key whose numbers are nearly used up, with its counter. */
  @ParameterizedTest
  @EnumSource
  void aPrimaryKeyIsWidened(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "CREATE TABLE bills (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v BIGINT)"
              + " AUTO_INCREMENT = 2147470000",
          "INSERT INTO bills (v) SELECT id FROM `Kauf é-x` LIMIT 2500",
          "INSERT INTO bills VALUES (2147483647, 0)");
      database.rows("ANALYZE TABLE bills");
      List<List<String>> rows = database.rows("SELECT id, v FROM bills ORDER BY id");
      WidenColumn migration =
          WidenColumn.of("billing/key").table("bills").column("id").type("bigint").byCopy().build();
      reaches(database, migration, WidenColumn.Code.EITHER_TYPE, "DONE");
      assertThat(database.rows("SELECT id, v FROM bills ORDER BY id")).isEqualTo(rows);
      database.execute("INSERT INTO bills (v) VALUES (-7)");
      assertThat(database.rows("SELECT id FROM bills WHERE v = -7"))
          .isEqualTo(List.of(List.of("2147483648")));
      assertThat(database.rows("SHOW CREATE TABLE bills").get(0).get(1))
          .containsPattern("`id` bigint(\\(20\\))? NOT NULL AUTO_INCREMENT")
          .contains("PRIMARY KEY (`id`)");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStoredColumnIsAddedAndDropped(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      List<List<String>> rows = rows(database);
      AddGeneratedColumn migration =
          AddGeneratedColumn.of("billing/stored")
              .table("Kauf é-x")
              .column("twice é", "bigint")
              .expression("n * 2")
              .stored()
              .byCopy()
              .build();
      reaches(database, migration, AddGeneratedColumn.Code.NEEDS, "DONE");
      assertThat(database.rows("SELECT COUNT(*) FROM `Kauf é-x` WHERE `twice é` = 2 * n"))
          .isEqualTo(List.of(List.of(Integer.toString(rows.size()))));
      assertThat(definition(database)).contains("STORED").contains("INVISIBLE");
      back(database, migration, AddGeneratedColumn.Code.UNAWARE);
      assertThat(definition(database)).isEqualTo(before);
      assertThat(rows(database)).isEqualTo(rows);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCheckIsOneThatTheServerEnforces(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      List<List<String>> rows = rows(database);
      AddCheck migration =
          AddCheck.of("billing/positive")
              .table("Kauf é-x")
              .name("n is there")
              .expression("n > 0")
              .byCopy()
              .build();
      reaches(database, migration, AddCheck.Code.CONFORMS, "DONE");
      assertThat(definition(database))
          .contains("CONSTRAINT `n is there` CHECK (")
          .doesNotContain("NOT ENFORCED");
      assertThat(rows(database)).isEqualTo(rows);
      back(database, migration, AddCheck.Code.CONFORMS);
      assertThat(definition(database)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTableIsBuiltAnew(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      String before = definition(database);
      List<List<String>> rows = rows(database);
      Reindex migration = Reindex.of("billing/anew").table("Kauf é-x").byCopy().build();
      reaches(database, migration, Reindex.Code.UNAWARE, "DONE");
      assertThat(definition(database)).isEqualTo(before);
      assertThat(rows(database)).isEqualTo(rows);
      back(database, migration, Reindex.Code.UNAWARE);
      assertThat(definition(database)).isEqualTo(before);
    }
  }

  /** Once chosen, it stays: neither a smaller table nor another driver's settings change it. */
  @ParameterizedTest
  @EnumSource
  void aTablesSizeChoosesOnce(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      SetNotNull small = SetNotNull.of("billing/small").table("Kauf é-x").column("n").build();
      AdvanceReport report =
          drive(
              database,
              CopyTools.of(database).copyAbove(1L << 40),
              small,
              SetNotNull.Code.MAY_VIOLATE);
      assertThat(report.migration("billing/small").orElseThrow().phase()).isEqualTo("NOT_STARTED");
      reaches(database, small, SetNotNull.Code.CONFORMS, "DONE");
      SetNotNull big = SetNotNull.of("billing/big").table("Kauf é-x").column("kind").build();
      drive(database, CopyTools.of(database).copyAbove(0), big, SetNotNull.Code.MAY_VIOLATE);
      reaches(database, big, SetNotNull.Code.CONFORMS, "DONE");
      assertThat(database.rows("SELECT migration FROM zdo_event WHERE step = 'swap' ORDER BY id"))
          .isEqualTo(List.of(List.of("billing/big")));
    }
  }

  /** It leaves the copy to a driver that has the tool. */
  @ParameterizedTest
  @EnumSource
  void aDriverWithoutTheToolWaitsForOneThatHasIt(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      SetNotNull migration =
          SetNotNull.of("billing/there").table("Kauf é-x").column("n").byCopy().build();
      drive(database, CopyTools.of(database), migration, SetNotNull.Code.MAY_VIOLATE);
      try (Orchestrator without =
          Members.member(database, "2").thisBuild(migration, SetNotNull.Code.CONFORMS).build()) {
        without.advance();
        AdvanceReport report = without.drive();
        assertThat(report.toString()).contains("copyTool(...)");
        assertThat(report.migration("billing/there").orElseThrow().status())
            .isEqualTo(MigrationStatus.ACTIVE);
      } finally {
        database.execute("DELETE FROM zdo_member");
      }
      reaches(database, migration, SetNotNull.Code.CONFORMS, "DONE");
    }
  }
}
