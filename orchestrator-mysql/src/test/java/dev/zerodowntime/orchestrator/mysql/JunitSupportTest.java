package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.junit.DatabaseServer;
import dev.zerodowntime.orchestrator.junit.FromScratch;
import dev.zerodowntime.orchestrator.junit.PhaseWalk;
import dev.zerodowntime.orchestrator.junit.SchemaSnapshot;
import dev.zerodowntime.orchestrator.junit.ScratchDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What users' own tests are made with. */
class JunitSupportTest {

  @RegisterExtension
  static final ScratchDatabase SCRATCH =
      ScratchDatabase.on(
          () -> {
            MysqlServer server = MysqlServer.get(Flavor.MARIADB);
            return new DatabaseServer(server.url(), server.user(), server.password());
          });

  private static final RenameColumn FULL_NAME =
      RenameColumn.of("billing/full-name").table("users").from("name").to("full_name").build();

  private static void execute(DataSource database, String... statements) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  @Test
  void aNewDatabase(DataSource database) throws SQLException {
    execute(database, "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50))");
    FromScratch.apply(
        database,
        builder ->
            builder
                .application("billing")
                .release("1")
                .noStarQueries()
                .thisBuild(FULL_NAME, RenameColumn.Code.USES_NEW_NAME));
    assertThat(SchemaSnapshot.of(database).text())
        .contains("CREATE TABLE `users`", "`full_name` varchar(50)")
        .doesNotContain("`name`", "zdo_", "scratch_");
  }

  @ParameterizedTest
  @EnumSource
  void aWalk(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "walk")) {
      database.execute(
          "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50))",
          "INSERT INTO users VALUES (0, 'ann')");
      AtomicInteger keys = new AtomicInteger();
      PhaseWalk.Result result =
          PhaseWalk.of(
                  FULL_NAME,
                  RenameColumn.Code.USES_OLD_NAME,
                  connection -> insert(connection, "name", keys.incrementAndGet()))
              .and(
                  RenameColumn.Code.USES_NEW_NAME,
                  connection -> insert(connection, "full_name", keys.incrementAndGet()))
              .run(database.pool());
      assertThat(result.visits())
          .contains(
              "EXPAND, upwards: USES_OLD_NAME",
              "ENFORCE, downwards: USES_NEW_NAME",
              "NOT_STARTED, downwards: USES_OLD_NAME",
              "PURGE, upwards: USES_NEW_NAME");
      assertThat(database.rows("SELECT count(*) FROM users WHERE full_name = 'x'"))
          .isEqualTo(List.of(List.of(String.valueOf(keys.get()))));
      assertThat(database.rows("SELECT full_name FROM users WHERE id = 0").toString())
          .isEqualTo("[[ann]]");
    }
  }

  private static void insert(Connection connection, String column, int key) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO users (id, " + column + ") VALUES (" + key + ", 'x')");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSnapshotHasEverything(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "snapshot")) {
      String last = SchemaSnapshot.of(database.pool()).text();
      for (String each :
          List.of(
              "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, `n``m` varchar(5))",
              "ALTER TABLE t MODIFY `n``m` varchar(5) NOT NULL DEFAULT 'x' COMMENT 'c'",
              "CREATE UNIQUE INDEX ix ON t (`n``m`)",
              "ALTER TABLE t ADD CONSTRAINT ch CHECK (`n``m` <> 'q')",
              "CREATE TABLE child (id int, CONSTRAINT fk FOREIGN KEY (id) REFERENCES t (id))",
              "CREATE VIEW v AS SELECT id FROM t",
              "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.`n``m` = 'y'",
              "CREATE PROCEDURE p() SELECT 1",
              "DROP TABLE child")) {
        database.execute(each);
        String now = SchemaSnapshot.of(database.pool()).text();
        assertThat(now).as(each).isNotEqualTo(last).doesNotContain(database.name(), "DEFINER=");
        last = now;
      }
      database.execute(
          "INSERT INTO t (id) VALUES (77)",
          "CREATE TABLE zdo_control (x int)",
          "CREATE TABLE flyway_schema_history (x int)",
          "CREATE TABLE DATABASECHANGELOG (x int)");
      assertThat(SchemaSnapshot.of(database.pool()).text()).isEqualTo(last);
    }
  }

  @Test
  void aServerThatCannotBeReachedIsNamed() {
    assertThatThrownBy(() -> new DatabaseServer("jdbc:mysql:x", "root", ""))
        .hasMessageContaining("jdbc:mysql:x");
  }
}
