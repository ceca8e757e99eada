package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("long")
class MysqlRenameTableTest {

  private static final int SWAPS = 8;

  /** The new name comes before the old one: the table moves in CONTRACT. */
  private static final RenameTable EARLIER = rename("us`ers", "peo`ple");

  /** It comes after: the table moves in EXPAND. */
  private static final RenameTable LATER = rename("us`ers", "vil`lagers");

  static Stream<Arguments> everywhere() {
    return Stream.of(MysqlServer.Flavor.values())
        .flatMap(
            flavor ->
                Stream.of(LATER, EARLIER)
                    .map(each -> Arguments.of(flavor, Named.of(each.to(), each))));
  }

  private static RenameTable rename(String from, String to) {
    return RenameTable.of("billing/" + to.replaceAll("[^a-z]", "-")).from(from).to(to).build();
  }

  private static MysqlDatabase users(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "rename_table");
    database.execute(
        "CREATE TABLE towns (id INT PRIMARY KEY)",
        "INSERT INTO towns VALUES (1), (2)",
        "CREATE TABLE `us``ers` (id BIGINT AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(40) NOT NULL"
            + " DEFAULT 'no''one' COMMENT 'who', n INT UNIQUE, twice INT GENERATED ALWAYS AS (n * 2)"
            + " VIRTUAL, seen INT NOT NULL DEFAULT 0, changed DATETIME NOT NULL DEFAULT"
            + " CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, town INT, KEY by_name (`na``me`),"
            + " CHECK (seen >= 0), CONSTRAINT small CHECK (n < 1000000), CONSTRAINT in_town FOREIGN KEY (town) REFERENCES"
            + " towns (id)) COMMENT 'all of them'",
        "CREATE TABLE calls (id INT AUTO_INCREMENT PRIMARY KEY, caller BIGINT, CONSTRAINT by_user FOREIGN KEY"
            + " (caller) REFERENCES `us``ers` (id) ON DELETE CASCADE)",
        "CREATE TRIGGER seeing BEFORE UPDATE ON `us``ers` FOR EACH ROW SET NEW.seen = OLD.seen + 1",
        "CREATE VIEW names AS SELECT id, `na``me` FROM `us``ers`",
        "INSERT INTO `us``ers` (`na``me`, n, town) VALUES ('Müller', 10, 1), ('muller', 20, 2)");
    return database;
  }

  private static List<List<String>> names(MysqlDatabase database) {
    return database.rows(
        "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA ="
            + " DATABASE() AND TABLE_NAME NOT IN ('towns', 'calls', 'names') ORDER BY BINARY 1");
  }

  /** All that code may say about a table by one name, beginning with rows 1 and 2. */
  private static void statements(MysqlDatabase database, String name) throws SQLException {
    try (Connection c = database.dataSource().getConnection();
        Statement s = c.createStatement()) {
      long last = insert(s, "INSERT INTO " + name + " (n) VALUES (100)");
      assertThat(text(s, "SELECT LAST_INSERT_ID()")).isEqualTo(Long.toString(last));
      assertThat(text(s, "SELECT `na``me` FROM " + name + " WHERE id = " + last))
          .isEqualTo("no'one");
      assertThat(text(s, "SELECT twice FROM " + name + " WHERE id = " + last)).isEqualTo("200");
      assertThat(
              insert(
                  s,
                  "INSERT INTO "
                      + name
                      + " (n) VALUES (100) ON DUPLICATE KEY UPDATE `na``me` = CONCAT('again ',"
                      + " VALUES(n)), id = LAST_INSERT_ID(id)"))
          .isEqualTo(last);
      assertThat(text(s, "SELECT `na``me` FROM " + name + " WHERE id = " + last))
          .isEqualTo("again 100");
      s.execute("INSERT INTO " + name + " VALUES (5000, DEFAULT, 101, DEFAULT, 0, DEFAULT, NULL)");
      s.execute("REPLACE INTO " + name + " (id, n) VALUES (5000, 102)");
      assertThat(s.executeUpdate("UPDATE " + name + " SET n = 103 WHERE id = 5000 LIMIT 1"))
          .isEqualTo(1);
      assertThat(text(s, "SELECT seen FROM " + name + " WHERE id = 5000")).isEqualTo("1");
      c.setAutoCommit(false);
      assertThat(text(s, "SELECT n FROM " + name + " WHERE id = 5000 FOR UPDATE SKIP LOCKED"))
          .isEqualTo("103");
      c.commit();
      c.setAutoCommit(true);
      s.execute("INSERT INTO calls VALUES (1, 5000)");
      s.execute("DELETE FROM " + name + " WHERE id IN (5000, " + last + ")");
      assertThat(text(s, "SELECT COUNT(*) FROM calls")).isEqualTo("0");
      assertThat(text(s, "SELECT COUNT(*) FROM names")).isEqualTo("2");
      assertThat(text(s, "SELECT * FROM " + name + " WHERE `na``me` = 'Müller' AND n = 10"))
          .isEqualTo("1");
      assertThatThrownBy(() -> s.execute("INSERT INTO " + name + " (n) VALUES (2000000)"))
          .hasMessageContaining("small");
      assertThatThrownBy(() -> s.execute("INSERT INTO " + name + " (town) VALUES (3)"))
          .hasMessageContaining("in_town");
      assertThatThrownBy(() -> s.execute("INSERT INTO calls VALUES (2, 77)"))
          .hasMessageContaining("by_user");
    }
  }

  private static long insert(Statement s, String sql) throws SQLException {
    s.executeUpdate(sql, Statement.RETURN_GENERATED_KEYS);
    try (ResultSet keys = s.getGeneratedKeys()) {
      assertThat(keys.next()).isTrue();
      return keys.getLong(1);
    }
  }

  private static String text(Statement s, String sql) throws SQLException {
    try (ResultSet row = s.executeQuery(sql)) {
      assertThat(row.next()).as(sql).isTrue();
      return row.getString(1);
    }
  }

  /**
   * What a table is, whatever it is called and whichever number comes next. Constraints are in the
   * order of their names, some of which the server derives from the table's.
   */
  private static List<String> definition(MysqlDatabase database, String table) {
    return database
        .rows("SHOW CREATE TABLE " + Sql.quote(table))
        .get(0)
        .get(1)
        .replaceAll(" AUTO_INCREMENT=\\d+", "")
        .replaceFirst("^CREATE TABLE (`[^`]*`)+", "CREATE TABLE")
        .replaceAll("CONSTRAINT (`[^`]*`)*`[^`]*_chk_\\d+`", "CONSTRAINT `check`")
        .lines()
        .map(each -> each.replaceFirst(",$", "").strip())
        .sorted()
        .toList();
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void bothNamesAreTheTable(MysqlServer.Flavor flavor, RenameTable migration) throws SQLException {
    String from = Sql.quote(migration.table());
    String to = Sql.quote(migration.to());
    boolean early = migration == EARLIER;
    try (MysqlDatabase database = users(flavor)) {
      MysqlSteps<RenameTable> steps =
          new MysqlSteps<>(database, MysqlRenameTable::new, migration).preflight();
      List<String> before = definition(database, migration.table());
      List<String> calls = definition(database, "calls");
      List<List<String>> names = names(database);
      statements(database, from);
      List<String> move =
          List.of(
              "make-placeholder",
              "place-placeholder",
              "make-view",
              "rename-table",
              "drop-placeholder");
      assertThat(steps.up(RenameTable.EXPAND)).isEqualTo(early ? List.of("show-table") : move);
      String table = early ? migration.table() : migration.to();
      assertThat(types(database))
          .isEqualTo(
              Map.of(table, "BASE TABLE", early ? migration.to() : migration.table(), "VIEW"));
      statements(database, from);
      statements(database, to);
      assertThat(definition(database, "calls").toString())
          .contains("REFERENCES " + Sql.quote(table));
      assertThat(definition(database, table)).isEqualTo(before);
      assertThatThrownBy(() -> steps.preflight(RenameTable.CONTRACT))
          .hasMessageContaining("view ")
          .hasMessageContaining(".names");
      database.execute("ALTER VIEW names AS SELECT id, `na``me` FROM " + to);
      steps.preflight(RenameTable.CONTRACT);
      assertThat(steps.toGo(RenameTable.CONTRACT, Direction.UP)).isEqualTo(early ? 2 : 1);
      assertThat(types(database)).isEqualTo(Map.of(migration.to(), "BASE TABLE"));
      statements(database, to);
      assertThat(definition(database, migration.to())).isEqualTo(before);
      if (early) {
        assertThat(steps.down(RenameTable.CONTRACT)).isEqualTo(move);
      } else {
        assertThat(steps.down(RenameTable.CONTRACT)).containsExactly("show-table");
      }
      statements(database, from);
      statements(database, to);
      assertThatThrownBy(() -> steps.preflightBack(RenameTable.EXPAND))
          .hasMessageContaining("view ")
          .hasMessageContaining(".names");
      database.execute("ALTER VIEW names AS SELECT id, `na``me` FROM " + from);
      steps.preflightBack(RenameTable.EXPAND);
      assertThat(steps.toGo(RenameTable.EXPAND, Direction.DOWN)).isEqualTo(early ? 1 : 2);
      assertThat(definition(database, migration.table())).isEqualTo(before);
      assertThat(definition(database, "calls")).isEqualTo(calls);
      assertThat(names(database)).isEqualTo(names);
      statements(database, from);
    }
  }

  private static Map<String, String> types(MysqlDatabase database) {
    Map<String, String> types = new TreeMap<>();
    names(database).forEach(each -> types.put(each.get(0), each.get(1)));
    return types;
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void thereAndBackAgain(MysqlServer.Flavor flavor, RenameTable migration) throws SQLException {
    try (MysqlDatabase database = users(flavor)) {
      String from = Sql.quote(migration.table());
      String to = Sql.quote(migration.to());
      String rows = "SELECT GROUP_CONCAT(id, `na``me`, n, town) FROM ";
      List<List<String>> held = database.rows(rows + from);
      List<String> before = definition(database, migration.table());
      List<List<String>> names = names(database);
      assertThat(Members.run(database, "1", migration, RenameTable.Code.OLD)).isEqualTo("EXPAND");
      statements(database, from);
      database.execute("ALTER VIEW names AS SELECT id, `na``me` FROM " + to);
      assertThat(Members.run(database, "2", migration, RenameTable.Code.NEW)).isEqualTo("CONTRACT");
      statements(database, to);
      assertThatThrownBy(() -> database.rows("SELECT * FROM " + from))
          .hasMessageContaining("doesn't exist");
      assertThat(Members.reopen(database, "1", migration, RenameTable.Code.OLD))
          .isEqualTo("EXPAND");
      statements(database, from);
      statements(database, to);
      database.execute("ALTER VIEW names AS SELECT id, `na``me` FROM " + from);
      assertThat(Members.back(database, "1", migration, RenameTable.Code.OLD, "NOT_STARTED"))
          .isEqualTo("NOT_STARTED");
      assertThat(database.rows(rows + from)).isEqualTo(held);
      assertThat(definition(database, migration.table())).isEqualTo(before);
      assertThat(applications(database)).isEqualTo(names);
    }
  }

  /** Without the control tables. */
  private static List<List<String>> applications(MysqlDatabase database) {
    return names(database).stream()
        .filter(each -> !each.get(0).matches("zdo_(?!empty|view).*|orchestrator_.*"))
        .toList();
  }

  /**
   * Clients of the name that the view has when the table comes and goes: one whose statements are
   * prepared on the server, one whose are not, and one with single statements, of which none may
   * fail.
   */
  @ParameterizedTest
  @MethodSource("everywhere")
  void nobodyEverFindsNothing(MysqlServer.Flavor flavor, RenameTable migration) throws Exception {
    ExecutorService pool = Executors.newCachedThreadPool();
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger rows = new AtomicInteger();
    boolean early = migration == EARLIER;
    int phase = early ? RenameTable.CONTRACT : RenameTable.EXPAND;
    Direction moving = early ? Direction.DOWN : Direction.UP;
    Direction back = early ? Direction.UP : Direction.DOWN;
    String name = Sql.quote(early ? migration.to() : migration.table());
    try (MysqlDatabase database = users(flavor);
        AutoCloseable ended =
            () -> {
              over.set(true);
              pool.shutdown();
              assertThat(pool.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
            }) {
      assertThat(ended).isNotNull();
      MysqlSteps<RenameTable> steps =
          new MysqlSteps<>(database, MysqlRenameTable::new, migration).preflight();
      if (early) {
        steps.up(RenameTable.EXPAND);
        assertThat(steps.toGo(RenameTable.CONTRACT, Direction.UP)).isEqualTo(2);
      }
      List<Future<Integer>> clients = new ArrayList<>();
      for (boolean prepared : new boolean[] {true, false}) {
        for (boolean single : new boolean[] {true, false}) {
          clients.add(pool.submit(() -> client(database, name, prepared, single, over, rows)));
        }
      }
      for (int i = 0; i < SWAPS; i++) {
        await(clients, rows, rows.get() + 20);
        assertThat(steps.toGo(phase, moving)).isEqualTo(5);
        await(clients, rows, rows.get() + 20);
        assertThat(steps.toGo(phase, back)).isEqualTo(2);
      }
      over.set(true);
      for (Future<Integer> each : clients) {
        each.get();
      }
      assertThat(database.rows("SELECT COUNT(*) FROM " + name).toString())
          .isEqualTo("[[" + (rows.get() + 2) + "]]");
    }
  }

  /** Until there are so many rows, or a client has failed. */
  private static void await(List<Future<Integer>> clients, AtomicInteger rows, int wanted)
      throws Exception {
    while (rows.get() < wanted) {
      for (Future<Integer> each : clients) {
        if (each.isDone()) {
          each.get();
        }
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Inserts, reads and changes a row, and one that refers to it, again and again. */
  private static int client(
      MysqlDatabase database,
      String name,
      boolean prepared,
      boolean single,
      AtomicBoolean over,
      AtomicInteger rows)
      throws SQLException {
    MysqlDataSource own =
        database.source(
            prepared
                ? "useServerPrepStmts=true&cachePrepStmts=true"
                : "cachePrepStmts=true&rewriteBatchedStatements=true");
    try (Connection c = own.getConnection();
        PreparedStatement insert =
            c.prepareStatement(
                "INSERT INTO " + name + " (`na``me`) VALUES (?)", Statement.RETURN_GENERATED_KEYS);
        PreparedStatement last = c.prepareStatement("SELECT LAST_INSERT_ID()");
        PreparedStatement call = c.prepareStatement("INSERT INTO calls (caller) VALUES (?)");
        PreparedStatement read = c.prepareStatement("SELECT * FROM " + name + " WHERE id = ?");
        PreparedStatement locking =
            c.prepareStatement("SELECT n FROM " + name + " WHERE id = ? LOCK IN SHARE MODE");
        PreparedStatement joined =
            c.prepareStatement(
                "SELECT a.id FROM calls c JOIN "
                    + name
                    + " a ON a.id = c.caller JOIN "
                    + name
                    + " b ON b.id = a.id WHERE c.caller = ? FOR UPDATE");
        PreparedStatement upsert =
            c.prepareStatement(
                "INSERT INTO "
                    + name
                    + " (id) VALUES (?) ON DUPLICATE KEY UPDATE `na``me` = CONCAT(`na``me`, '!')")) {
      c.setAutoCommit(single);
      int done = 0;
      while (!over.get()) {
        try {
          insert.setString(1, "n" + done);
          insert.executeUpdate();
          long id;
          try (ResultSet keys = insert.getGeneratedKeys()) {
            keys.next();
            id = keys.getLong(1);
          }
          assertThat(number(last)).isEqualTo(id);
          upsert.setLong(1, id);
          upsert.executeUpdate();
          call.setLong(1, id);
          call.executeUpdate();
          locking.setLong(1, id);
          assertThat(number(locking)).isZero();
          joined.setLong(1, id);
          assertThat(number(joined)).isEqualTo(id);
          read.setLong(1, id);
          try (ResultSet row = read.executeQuery()) {
            assertThat(row.next()).isTrue();
            assertThat(row.getString(2)).isEqualTo("n" + done + "!");
          }
          if (!single) {
            c.commit();
          }
          done++;
          rows.incrementAndGet();
        } catch (SQLException e) {
          // As after any deadlock of InnoDB.
          if (single || MysqlErrors.classify(e) != SqlErrorKind.DEADLOCK) {
            throw e;
          }
          c.rollback();
        }
      }
      return done;
    }
  }

  private static long number(PreparedStatement query) throws SQLException {
    try (ResultSet row = query.executeQuery()) {
      assertThat(row.next()).isTrue();
      return row.getLong(1);
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aSnapshotFromBeforeGoesOn(MysqlServer.Flavor flavor) throws SQLException {
    try (MysqlDatabase database = users(flavor);
        Connection c = database.dataSource().getConnection();
        Statement s = c.createStatement()) {
      MysqlSteps<RenameTable> steps =
          new MysqlSteps<>(database, MysqlRenameTable::new, LATER).preflight();
      // Not one that a foreign key leads to: it would be locked as well.
      database.execute("CREATE TABLE aside (id INT PRIMARY KEY)");
      c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      c.setAutoCommit(false);
      assertThat(text(s, "SELECT COUNT(*) FROM aside")).isEqualTo("0");
      database.execute("INSERT INTO `us``ers` (n) VALUES (30)");
      steps.up(RenameTable.EXPAND);
      assertThat(text(s, "SELECT COUNT(*) FROM `us``ers`")).isEqualTo("2");
      s.execute("UPDATE `us``ers` SET n = 31 WHERE n = 10");
      c.commit();
      assertThat(text(s, "SELECT n FROM `vil``lagers` WHERE id = 1")).isEqualTo("31");
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatAViewCantShowIsRefused(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      database.execute(
          "CREATE TABLE hiding (id INT PRIMARY KEY, x INT INVISIBLE)",
          "CREATE TABLE hinted (id INT PRIMARY KEY, x INT, KEY by_x (x))",
          "CREATE PROCEDURE hints() SELECT id FROM hinted AS h FORCE INDEX (by_x)",
          "CREATE TABLE `counte``d` (id INT PRIMARY KEY, n INT)",
          "CREATE TABLE counting (id INT PRIMARY KEY)",
          "CREATE TRIGGER counts AFTER INSERT ON counting FOR EACH ROW UPDATE `counte``d` SET n = n"
              + " + 1 WHERE id = NEW.id",
          "CREATE TABLE self (id INT PRIMARY KEY, n INT)",
          "CREATE TRIGGER selfish BEFORE INSERT ON self FOR EACH ROW SET NEW.n = (SELECT COUNT(*)"
              + " FROM self)",
          "CREATE TABLE yearly (id INT PRIMARY KEY)",
          "CREATE EVENT emptying ON SCHEDULE EVERY 1 YEAR DO DELETE FROM yearly",
          "CREATE FUNCTION later() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM"
              + " `vil``lagers`)",
          "CREATE TABLE engine (id INT PRIMARY KEY) ENGINE=MyISAM");
      List<List<String>> before = names(database);
      refuses(database, rename("hiding", "shown"), "invisible columns");
      refuses(database, rename("hinted", "plain"), "hints");
      refuses(database, rename("counte`d", "done"), "counts");
      refuses(database, rename("self", "other"), "selfish");
      refuses(database, rename("yearly", "monthly"), "emptying");
      refuses(database, LATER, "later");
      refuses(database, rename("engine", "motor"), "MyISAM");
      refuses(database, rename("nope", "yes"), "no table \"nope\"");
      refuses(database, rename("names", "words"), "is a view");
      refuses(database, rename("towns", "hiding"), "is taken");
      refuses(database, rename("towns", "names"), "is taken");
      refuses(database, rename("towns", "x".repeat(65)), "65 characters");
      assertThat(applications(database)).isEqualTo(before);
    }
  }

  /** By the old name there would be a view: what the server was asked tells what it can't do. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatWasAskedOfTheTableIsLookedAt(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = users(flavor)) {
      database.execute(
          "CREATE TABLE hinted (id INT PRIMARY KEY, x INT, KEY by_x (x))",
          "CREATE TABLE emptied (id INT PRIMARY KEY)",
          "TRUNCATE TABLE emptied");
      database.rows("SELECT h.id FROM hinted AS h FORCE INDEX (by_x)");
      boolean kept =
          !database
              .rows(
                  "SELECT 1 FROM performance_schema.events_statements_summary_by_digest WHERE"
                      + " SCHEMA_NAME = DATABASE() LIMIT 1")
              .isEmpty();
      if (kept) {
        refuses(database, rename("hinted", "known"), "FORCE INDEX");
        refuses(database, rename("emptied", "full"), "TRUNCATE");
      }
      // There the table keeps its name for now.
      assertThat(Members.run(database, "1", rename("hinted", "a"), RenameTable.Code.OLD))
          .isEqualTo("EXPAND");
    }
  }

  /** Somebody who needs the name now that both are there. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatCameMeanwhileIsRefused(MysqlServer.Flavor flavor) throws SQLException {
    try (MysqlDatabase database = users(flavor)) {
      database.execute("DROP VIEW names");
      MysqlSteps<RenameTable> steps =
          new MysqlSteps<>(database, MysqlRenameTable::new, EARLIER).preflight();
      steps.up(RenameTable.EXPAND);
      database.execute("CREATE PROCEDURE looking() SELECT COUNT(*) FROM `peo``ple`");
      assertThatThrownBy(() -> steps.preflight(RenameTable.CONTRACT))
          .hasMessageContaining("procedure ")
          .hasMessageContaining(".looking");
      database.execute("DROP PROCEDURE looking");
      steps.preflight(RenameTable.CONTRACT);
      database.execute("CREATE OR REPLACE VIEW `peo``ple` AS SELECT id FROM towns");
      assertThatThrownBy(() -> steps.preflight(RenameTable.CONTRACT))
          .hasMessageContaining("no longer the view");
      database.execute("CREATE OR REPLACE VIEW `peo``ple` AS SELECT * FROM `us``ers`");
      assertThat(steps.toGo(RenameTable.CONTRACT, Direction.UP)).isEqualTo(2);
      database.execute("CREATE TABLE `us``ers` (id INT PRIMARY KEY)");
      assertThatThrownBy(() -> steps.preflightBack(RenameTable.CONTRACT))
          .hasMessageContaining("is taken");
    }
  }

  private static void refuses(MysqlDatabase database, RenameTable migration, String said) {
    assertThatThrownBy(() -> Members.run(database, "1", migration, RenameTable.Code.OLD))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(said);
  }
}
