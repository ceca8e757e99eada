package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CatalogTest {

  private static final DropIndex ANY = DropIndex.of("a/1").table("t").name("x").build();

  private static Catalog catalog(MysqlDatabase database, Connection c) throws SQLException {
    return new Catalog(
        ANY, new Target(ANY.id(), database.name(), database.name()), MysqlVersion.of(c), c);
  }

  /** All that can be said of a column, in names and texts that are hard to quote. */
  private static List<String> columns(Flavor flavor) {
    List<String> columns =
        new ArrayList<>(
            List.of(
                "`id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT",
                "`a``, (b` VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL"
                    + " DEFAULT 'it''s \\\\ \\n, (x' COMMENT 'c''m, \\n(x) \\\\'",
                "`at` DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)",
                "`stamp` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
                "`expr` INT DEFAULT (1 + 2)",
                "`fn` VARCHAR(90) DEFAULT (CONCAT('a, ''(', 'b'))",
                "`e` ENUM('a','b''c,)','DEFAULT NULL') DEFAULT 'b''c,)'",
                "`s` SET('x','y') NOT NULL DEFAULT 'x,y'",
                "`bits` BIT(3) DEFAULT b'101'",
                "`dec` DECIMAL(10,2) UNSIGNED NOT NULL DEFAULT 1.5",
                "`gen` INT GENERATED ALWAYS AS (`expr` + 1) VIRTUAL COMMENT 'g'",
                "`stored` INT GENERATED ALWAYS AS (`expr` * 2) STORED",
                "`bin` VARBINARY(10) DEFAULT 'x'",
                "`txt` TEXT",
                "`js` JSON",
                "`nul` INT DEFAULT NULL",
                "`word` VARCHAR(9) DEFAULT 'NULL'",
                "`hid` INT NOT NULL DEFAULT 7 INVISIBLE",
                "`dbl` DOUBLE DEFAULT 1e3",
                "`day` DATE DEFAULT '2020-01-01'"));
    if (flavor == Flavor.MARIADB) {
      columns.add("`packed` TEXT COMPRESSED");
      columns.add("`checked` INT CHECK (`checked` > 0 AND `checked` <> 5)");
      columns.add("`u` UUID DEFAULT UUID()");
    } else {
      columns.add("`place` POINT SRID 4326");
    }
    return columns;
  }

  /**
   * The server reads back every definition, in a new table and in a MODIFY that changes nothing.
   */
  @ParameterizedTest
  @EnumSource
  void nothingIsLostOfAColumn(Flavor flavor) throws Exception {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "columns");
        Connection c = database.dataSource().getConnection()) {
      database.execute(
          "CREATE TABLE t ("
              + String.join(", ", columns(flavor))
              + ", PRIMARY KEY (id), UNIQUE KEY `u``q` (`a``, (b`(3), expr DESC), KEY at (at),"
              + " CONSTRAINT `ch,(k` CHECK (`expr` <> 5)) COMMENT = 't)''s'");
      Catalog catalog = catalog(database, c);
      CatalogTable table = catalog.table("t");
      assertThat(table.definition().columns()).hasSize(columns(flavor).size());

      List<String> parts = new ArrayList<>();
      table
          .definition()
          .columns()
          .forEach((name, definition) -> parts.add(Sql.quote(name) + " " + definition));
      parts.addAll(table.definition().keys().values());
      table.definition().constraints().forEach((name, clause) -> parts.add(clause));
      String before = definition(database, "t");
      database.execute(
          "RENAME TABLE t TO was",
          "ALTER TABLE was DROP CONSTRAINT `ch,(k`",
          "CREATE TABLE t (" + String.join(", ", parts) + ") " + table.definition().options());
      assertThat(definition(database, "t")).isEqualTo(before);

      for (Map.Entry<String, String> each : table.definition().columns().entrySet()) {
        CatalogColumn column = catalog.column(table, each.getKey());
        database.execute("ALTER TABLE t MODIFY " + column.quoted() + " " + column.definition());
        assertThat(definition(database, "t")).as(column.toString()).isEqualTo(before);
        boolean notNull = column.notNull();
        assertThat(notNull).isEqualTo(column.definition().contains("NOT NULL"));
        if (!column.generated() && !each.getKey().equals("id")) {
          // There and back changes nothing but where a NULL was a default.
          database.execute(
              "ALTER TABLE t MODIFY "
                  + column.quoted()
                  + " "
                  + ColumnText.withNotNull(column.definition(), !notNull));
          assertThat(catalog.column(catalog.table("t"), each.getKey()).notNull())
              .isEqualTo(!notNull);
          database.execute("ALTER TABLE t MODIFY " + column.quoted() + " " + column.definition());
          assertThat(definition(database, "t")).isEqualTo(before);
        }
      }
      assertThat(catalog.column(table, "hid").visible()).isFalse();
      // For the server it is the same column; two migrations of it must be seen to be of one.
      assertThatThrownBy(() -> catalog.column(table, "HID"))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("is called \"hid\" in the catalog. Write its name like that");
      assertThat(catalog.column(table, "id").autoIncrement()).isTrue();
      assertThat(catalog.column(table, "stored").generated()).isTrue();
      assertThat(catalog.column(table, "nul").defaultSql()).isNull();
      assertThat(catalog.column(table, "word").defaultSql()).isEqualTo("'NULL'");
    }
  }

  private static String definition(MysqlDatabase database, String table) {
    return database.rows("SHOW CREATE TABLE " + table).get(0).get(1);
  }

  @ParameterizedTest
  @EnumSource
  void indexesAreReadAndFoundWhateverTheirCase(Flavor flavor) throws Exception {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "indexes");
        Connection c = database.dataSource().getConnection()) {
      database.execute(
          "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20), b INT, UNIQUE KEY `Uni``q` (b, id),"
              + " KEY part (a(3)), FULLTEXT KEY words (a))");
      Catalog catalog = catalog(database, c);
      CatalogTable table = catalog.table("t");
      assertThat(catalog.indexes(table))
          .extracting(CatalogIndex::name)
          .containsExactlyInAnyOrder("PRIMARY", "Uni`q", "part", "words");
      CatalogIndex unique = catalog.index(table, "uNI`Q");
      assertThat(unique.columns()).containsExactly("b", "id");
      assertThat(unique.unique()).isTrue();
      assertThat(unique.visible()).isTrue();
      assertThat(catalog.index(table, "part").whole()).isFalse();
      assertThat(catalog.index(table, "words").kind()).isEqualTo("FULLTEXT");
      assertThatThrownBy(() -> catalog.index(table, "gone"))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("has no index \"gone\"")
          .hasMessageContaining("words");
    }
  }

  @ParameterizedTest
  @EnumSource
  void otherTablesAreRefused(Flavor flavor) throws Exception {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "kinds");
        Connection c = database.dataSource().getConnection()) {
      database.execute(
          "CREATE TABLE Users (id INT PRIMARY KEY)",
          "CREATE TABLE mine (id INT PRIMARY KEY) ENGINE=MyISAM",
          "CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2",
          "CREATE VIEW v AS SELECT 1 AS one");
      Catalog catalog = catalog(database, c);
      assertThat(catalog.table("Users").name()).isEqualTo("Users");
      for (String[] each :
          new String[][] {
            {"users", "There is [Users]: on this server upper and lower case differ"},
            {"gone", "there is no table \"gone\""},
            {"mine", "engine MyISAM"},
            {"parts", "is partitioned"},
            {"v", "is a view"}
          }) {
        assertThatThrownBy(() -> catalog.table(each[0]))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each[1]);
      }
      if (flavor == Flavor.MARIADB) {
        database.execute("CREATE TABLE history (id INT PRIMARY KEY) WITH SYSTEM VERSIONING");
        assertThatThrownBy(() -> catalog.table("history")).hasMessageContaining("system-versioned");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void ansiQuotesAndBackslashesDontMatter(Flavor flavor) throws Exception {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "modes");
        Connection c = database.dataSource().getConnection();
        Statement s = c.createStatement()) {
      database.execute("CREATE TABLE t (id INT PRIMARY KEY, `a\"b` INT DEFAULT 3 COMMENT 'c')");
      s.execute("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'");
      String mode = ServerSettings.read(c).text("sql_mode");
      Catalog catalog = catalog(database, c);
      assertThat(catalog.table("t").definition().columns()).containsKey("a\"b");
      assertThat(ServerSettings.read(c).text("sql_mode")).isEqualTo(mode);
      database.execute("CREATE TABLE u (id INT PRIMARY KEY COMMENT 'a\\nb')");
      assertThatThrownBy(() -> catalog.table("u"))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("NO_BACKSLASH_ESCAPES");
      assertThat(ServerSettings.read(c).text("sql_mode")).isEqualTo(mode);
    }
  }

  /** By a grant on the table, on a pattern of databases, or by a role. */
  @ParameterizedTest
  @EnumSource
  void rightsAreAskedFor(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase database = MysqlDatabase.create(server, "rights")) {
      String user = "u" + Integer.toHexString(database.name().hashCode());
      String role = "r" + user;
      database.execute(
          "CREATE TABLE t (id INT PRIMARY KEY)",
          "CREATE USER '" + user + "' IDENTIFIED BY 'x'",
          "CREATE ROLE '" + role + "'",
          "GRANT SELECT, INSERT ON " + database.name() + ".* TO '" + user + "'");
      MysqlDataSource source = server.dataSource(database.name());
      source.setUser(user);
      source.setPassword("x");
      try (Connection c = source.getConnection();
          Statement s = c.createStatement()) {
        assertThatThrownBy(() -> catalog(database, c).table("t"))
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("has no ALTER on table `" + database.name() + "`.`t`")
            .hasMessageContaining(
                "GRANT ALTER ON `" + database.name() + "`.`t` TO '" + user + "'@'%';")
            .extracting(e -> ((RefusedException) e).code())
            .isEqualTo(ErrorCode.MISSING_PRIVILEGE);
        // The remedy helps.
        database.execute("GRANT ALTER ON `" + database.name() + "`.`t` TO '" + user + "'@'%'");
        assertThat(catalog(database, c).table("t").name()).isEqualTo("t");

        database.execute(
            "REVOKE ALTER ON `" + database.name() + "`.`t` FROM '" + user + "'@'%'",
            "GRANT ALTER ON `" + database.name().replace("_", "\\_") + "`.* TO '" + role + "'",
            "GRANT '" + role + "' TO '" + user + "'");
        assertThatThrownBy(() -> catalog(database, c).table("t")).hasMessageContaining("no ALTER");
        s.execute("SET ROLE '" + role + "'");
        assertThat(catalog(database, c).table("t").name()).isEqualTo("t");
      } finally {
        database.execute("DROP USER '" + user + "'", "DROP ROLE '" + role + "'");
      }
    }
  }

  @Test
  void whatIsNotUnderstoodIsNamed() {
    assertThatThrownBy(() -> ShowCreate.of("CREATE TABLE `t` (\n  SOMETHING new\n) ENGINE=InnoDB"))
        .hasMessageContaining("not understood: SOMETHING new");
    assertThatThrownBy(() -> ShowCreate.of("CREATE TABLE `t` (`a` int DEFAULT 'x"))
        .hasMessageContaining("no end");
  }
}
