package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Short DDL on MySQL asks for its lock at once, in a moment in which nobody has one. */
class LockedTableTest {

  private static final Duration BUDGET = Duration.ofMillis(200);

  private MysqlDatabase database;

  @BeforeEach
  void create() {
    database = MysqlDatabase.create(MysqlServer.get(MysqlServer.Flavor.MYSQL), "locked");
    database.execute(
        "CREATE TABLE `na``me` (id INT PRIMARY KEY, a INT)",
        "INSERT INTO `na``me` VALUES (1, 1)",
        "CREATE TABLE other (id INT PRIMARY KEY)",
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))");
  }

  @AfterEach
  void drop() {
    if (database != null) {
      database.close();
    }
  }

  /** What a session executed, without what it asked for. */
  private List<String> executed(DataSource source, String table, String change)
      throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      String mine = id(statement, "PS_CURRENT_THREAD_ID()");
      execute(statement, source, table, change);
      List<String> executed = new ArrayList<>();
      for (List<String> row :
          database.rows(
              "SELECT SQL_TEXT FROM performance_schema.events_statements_history WHERE THREAD_ID = "
                  + mine
                  + " ORDER BY EVENT_ID")) {
        String sql = String.valueOf(row.get(0)).replaceAll("/\\*.*?\\*/ ?", "").strip();
        if (!sql.startsWith("SELECT") && !sql.startsWith("SET")) {
          executed.add(sql.replaceAll("^(\\w+ \\w+).*", "$1"));
        }
      }
      return executed;
    }
  }

  private void execute(Statement statement, DataSource source, String table, String change)
      throws SQLException {
    String name = Sql.qualified(database.name(), table);
    String sql = "/* orchestrator test */ " + change.replace("{table}", name);
    DdlStep step =
        new DdlStep(
            "step",
            "changes",
            TableLock.each("EXCLUSIVE", List.of(name)),
            List.of(sql),
            Probes.NEVER,
            true);
    new MysqlLockBudget(MysqlVersion.of(statement.getConnection()))
        .execute(statement, source, step, sql, BUDGET);
  }

  private static String id(Statement statement, String what) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT " + what)) {
      row.next();
      return row.getString(1);
    }
  }

  @Test
  void anAlterAndATriggerAreExecutedOnALockedTable() throws SQLException {
    DataSource source = database.dataSource();
    assertThat(executed(source, "na`me", "ALTER TABLE {table} ADD COLUMN c INT, ALGORITHM=INSTANT"))
        .containsExactly("LOCK TABLES", "ALTER TABLE", "UNLOCK TABLES");
    assertThat(
            executed(
                source,
                "na`me",
                "CREATE TRIGGER tr BEFORE INSERT ON {table} FOR EACH ROW SET NEW.a = 7"))
        .containsExactly("LOCK TABLES", "CREATE TRIGGER", "UNLOCK TABLES");
    assertThat(executed(source, "na`me", "DROP TRIGGER tr"))
        .containsExactly("LOCK TABLES", "DROP TRIGGER", "UNLOCK TABLES");
    assertThat(database.rows("SHOW COLUMNS FROM `na``me`")).hasSize(3);
  }

  /** In its name LOCK TABLES would lock the table at the other end. */
  @Test
  void aTableWithForeignKeysIsNotLockedBeforehand() throws SQLException {
    DataSource source = database.dataSource();
    for (String table : List.of("parent", "child")) {
      assertThat(executed(source, table, "ALTER TABLE {table} ADD COLUMN c INT, ALGORITHM=INSTANT"))
          .containsExactly("ALTER TABLE");
    }
  }

  @Test
  void aStatementThatFailsLeavesNothingLocked() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      assertThatThrownBy(
              () ->
                  execute(
                      statement,
                      database.dataSource(),
                      "na`me",
                      "ALTER TABLE {table} ADD COLUMN a INT, ALGORITHM=INSTANT"))
          .hasMessageContaining("Duplicate column");
      statement.executeQuery("SELECT * FROM other").close();
      database.execute("INSERT INTO `na``me` VALUES (2, 2)");
    }
  }

  @Test
  void whoMayNotLockTablesChangesThemWithout() throws SQLException {
    String user = "u" + database.name().hashCode();
    database.execute(
        "CREATE USER '" + user + "' IDENTIFIED BY 'x'",
        "GRANT SELECT, INSERT, ALTER ON " + database.name() + ".* TO '" + user + "'");
    try {
      MysqlDataSource source =
          MysqlServer.get(MysqlServer.Flavor.MYSQL).dataSource(database.name());
      source.setUser(user);
      source.setPassword("x");
      assertThat(
              executed(source, "na`me", "ALTER TABLE {table} ADD COLUMN c INT, ALGORITHM=INSTANT"))
          .containsExactly("LOCK TABLES", "ALTER TABLE");
    } finally {
      database.execute("DROP USER '" + user + "'");
    }
  }

  /** Until it has ended nobody waits for it, and it goes on as soon as it has. */
  @Test
  void whoHasTheTableLockedIsWaitedForWithoutBeingInTheWay() throws Exception {
    DataSource source = database.dataSource();
    try (Connection reader = source.getConnection();
        Statement reads = reader.createStatement()) {
      reader.setAutoCommit(false);
      reads.executeQuery("SELECT * FROM `na``me`").close();
      CompletableFuture<Void> altered =
          CompletableFuture.runAsync(
              () -> {
                while (true) {
                  try (Connection connection = source.getConnection();
                      Statement statement = connection.createStatement()) {
                    execute(
                        statement,
                        source,
                        "na`me",
                        "ALTER TABLE {table} ADD COLUMN c INT, ALGORITHM=INSTANT");
                    return;
                  } catch (SQLException e) {
                    if (e.getErrorCode() != 1205) {
                      throw new IllegalStateException(e);
                    }
                  }
                }
              },
              Threads.ONE_EACH);
      for (int i = 0; i < 20; i++) {
        // It would be a deadlock while DDL waits, and this transaction's end.
        reads.executeUpdate("UPDATE `na``me` SET a = a + 1");
      }
      assertThat(altered).isNotDone();
      reader.commit();
      altered.get(60, TimeUnit.SECONDS);
    }
    assertThat(database.rows("SELECT a, c FROM `na``me`").get(0)).containsExactly("21", null);
  }
}
