package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("long")
class MysqlAddColumnTest {

  private static final int ROWS = 2_500;

  private static AddColumn.Builder region() {
    return AddColumn.of("billing/users-region").table("us`ers").column("re`gion", "varchar(20)");
  }

  private static MysqlDatabase users(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "add_column");
    database.execute(
        "CREATE TABLE `us``ers` (id BIGINT PRIMARY KEY, country VARCHAR(10) NOT NULL, changed"
            + " DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
        "SET SESSION cte_max_recursion_depth = 10000"
            .replace("cte_max_recursion_depth", recursion(flavor)),
        "INSERT INTO `us``ers` WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            + " WHERE i < "
            + (ROWS - 500)
            + ") SELECT i, 'de', '2001-02-03 04:05:06' FROM n",
        "INSERT INTO `us``ers` SELECT id + "
            + (ROWS - 500)
            + ", 'fr', '2001-02-03 04:05:06' FROM `us``ers` WHERE id <= 500");
    return database;
  }

  private static String recursion(MysqlServer.Flavor flavor) {
    return flavor == MysqlServer.Flavor.MARIADB
        ? "max_recursive_iterations"
        : "cte_max_recursion_depth";
  }

  private static String one(MysqlDatabase database, String sql) {
    return database.rows(sql).get(0).get(0);
  }

  /** What code does that doesn't know the column: without naming columns at all. */
  private static void oldCode(MysqlDatabase database, long id) {
    database.execute(
        "INSERT INTO `us``ers` VALUES (" + id + ", 'it', '2001-02-03 04:05:06')",
        "UPDATE `us``ers` SET country = 'es' WHERE id = " + id);
    assertThat(database.rows("SELECT * FROM `us``ers` WHERE id = " + id).get(0)).hasSize(3);
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aColumnWithValuesComputedFromTheRow(MysqlServer.Flavor flavor) {
    AddColumn migration =
        region()
            .notNull()
            .fillWithSql("UPPER(`us``ers`.country)")
            .batchPause(Duration.ZERO)
            .build();
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", migration, AddColumn.Code.UNAWARE))
          .isEqualTo("ENFORCE");
      assertThat(
              database
                  .rows("SELECT `re``gion`, COUNT(*) FROM `us``ers` GROUP BY 1 ORDER BY 1")
                  .toString())
          .isEqualTo("[[DE, 2000], [FR, 500]]");
      assertThat(one(database, "SELECT COUNT(*) FROM `us``ers` WHERE changed > '2001-12-31'"))
          .as("a batch is no change of the row's own")
          .isEqualTo("0");
      oldCode(database, 9001);
      assertThat(one(database, "SELECT `re``gion` FROM `us``ers` WHERE id = 9001")).isEqualTo("IT");
      database.execute("UPDATE `us``ers` SET `re``gion` = NULL WHERE id = 9001");
      assertThat(one(database, "SELECT `re``gion` FROM `us``ers` WHERE id = 9001"))
          .as("it can't be erased")
          .isEqualTo("IT");
      assertThat(Members.run(database, "2", migration, AddColumn.Code.READS)).isEqualTo("DONE");
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
      assertThat(database.rows("SELECT * FROM `us``ers` WHERE id = 1").get(0)).hasSize(4);
      assertThatThrownBy(
              () -> database.execute("INSERT INTO `us``ers` (id, country) VALUES (9002, 'x')"))
          .hasMessageContaining("re`gion");

      // A build that doesn't know the column asks for the phase that fits it.
      assertThat(Members.reopen(database, "3", migration, AddColumn.Code.UNAWARE))
          .isEqualTo("ENFORCE");
      oldCode(database, 9003);
      assertThat(Members.back(database, "3", migration, AddColumn.Code.UNAWARE, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(database.rows("SHOW TRIGGERS")).isEmpty();
      oldCode(database, 9004);
      assertThat(database.rows("SHOW COLUMNS FROM `us``ers` LIKE 're%'")).isEmpty();
      assertThat(one(database, "SELECT COUNT(*) FROM `us``ers`")).isEqualTo("" + (ROWS + 3));
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatWasQuarantinedComesBackWithItsValues(MysqlServer.Flavor flavor) {
    AddColumn migration = region().build();
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", migration, AddColumn.Code.WRITES)).isEqualTo("DONE");
      database.execute("UPDATE `us``ers` SET `re``gion` = 'mine' WHERE id = 7");
      assertThat(Members.reopen(database, "2", migration, AddColumn.Code.UNAWARE))
          .isEqualTo("ENFORCE");
      assertThat(Members.back(database, "2", migration, AddColumn.Code.UNAWARE, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      oldCode(database, 9001);
      database.execute("UPDATE zdo_migration SET target = NULL, status = 'ACTIVE'");
      assertThat(Members.run(database, "4", migration, AddColumn.Code.WRITES)).isEqualTo("DONE");
      assertThat(one(database, "SELECT `re``gion` FROM `us``ers` WHERE id = 7")).isEqualTo("mine");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aConstantDefaultLeavesNothingToDo(MysqlServer.Flavor flavor) {
    AddColumn migration = region().notNull().defaultSql("'it''s'").build();
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", migration, AddColumn.Code.UNAWARE))
          .isEqualTo("ENFORCE");
      assertThat(one(database, "SELECT COUNT(*) FROM `us``ers` WHERE `re``gion` = 'it''s'"))
          .isEqualTo("" + ROWS);
      assertThat(one(database, "SELECT COUNT(*) FROM zdo_backfill")).isEqualTo("0");
      oldCode(database, 9001);
      assertThat(one(database, "SELECT `re``gion` FROM `us``ers` WHERE id = 9001"))
          .isEqualTo("it's");
      assertThat(Members.run(database, "2", migration, AddColumn.Code.READS)).isEqualTo("DONE");
      assertThat(
              one(
                  database,
                  "SELECT is_nullable FROM information_schema.columns WHERE table_schema ="
                      + " DATABASE() AND column_name = 're`gion'"))
          .isEqualTo("NO");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aDefaultThatDiffersByRowIsFilledInBatches(MysqlServer.Flavor flavor) {
    AddColumn migration =
        AddColumn.of("billing/users-token")
            .table("us`ers")
            .column("token", "varchar(40)")
            .notNull()
            .defaultSql("uuid()")
            .batchPause(Duration.ZERO)
            .build();
    try (MysqlDatabase database = users(flavor)) {
      assertThat(Members.run(database, "1", migration, AddColumn.Code.UNAWARE))
          .isEqualTo("ENFORCE");
      oldCode(database, 9001);
      assertThat(one(database, "SELECT COUNT(DISTINCT token) FROM `us``ers`"))
          .isEqualTo("" + (ROWS + 1));
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatIsMoreThanAColumnIsRefused(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      database.execute("CREATE TABLE words (id INT PRIMARY KEY, t TEXT, FULLTEXT KEY f (t))");
      if (flavor == MysqlServer.Flavor.MARIADB) {
        refuses(
            database,
            AddColumn.of("b/x")
                .table("us`ers")
                .column("x", "timestamp")
                .notNull()
                .fillWithSql("changed")
                .build(),
            "can't become NOT NULL in place");
      }
      refuses(database, region().table("nowhere").build(), "nowhere");
      refuses(
          database,
          AddColumn.of("b/x").table("us`ers").column("country", "int").build(),
          "already has a column");
      refuses(
          database,
          AddColumn.of("b/x").table("us`ers").column("x", "nonsense").build(),
          "nonsense");
      refuses(
          database,
          AddColumn.of("b/x").table("us`ers").column("x", "int check (x > 0)").build(),
          "AddCheck");
      refuses(
          database, AddColumn.of("b/x").table("us`ers").column("x", "int unique").build(), "index");
      refuses(
          database,
          AddColumn.of("b/x")
              .table("us`ers")
              .column("x", "int")
              .notNull()
              .fillWithSql("nope + 1")
              .build(),
          "nope");
      refuses(database, AddColumn.of("b/x").table("words").column("x", "int").build(), "FULLTEXT");
      refuses(
          database,
          AddColumn.of("b/x").table("us`ers").column("x".repeat(65), "int").build(),
          "65 characters");
      assertThat(database.rows("SHOW COLUMNS FROM `us``ers`")).hasSize(3);
    }
  }

  private static void refuses(MysqlDatabase database, AddColumn migration, String... said) {
    assertThatThrownBy(() -> Members.run(database, "1", migration, AddColumn.Code.UNAWARE))
        .isInstanceOf(RefusedException.class)
        .hasMessageContainingAll(said);
  }
}
