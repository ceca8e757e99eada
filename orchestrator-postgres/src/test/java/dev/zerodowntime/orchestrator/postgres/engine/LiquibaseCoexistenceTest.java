package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import liquibase.Contexts;
import liquibase.Liquibase;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that uses Liquibase: it runs first, then {@code advance()}. */
@PostgresTest
class LiquibaseCoexistenceTest {

  private static final RenameColumn FULL_NAME =
      RenameColumn.of("billing/full-name").table("users").from("name").to("full_name").build();

  @TempDir Path folder;

  private void update(TestDatabase database, String... changes) throws Exception {
    StringBuilder log = new StringBuilder("--liquibase formatted sql\n");
    for (int i = 0; i < changes.length; i++) {
      log.append("--changeset a:").append(i).append('\n').append(changes[i]).append(";\n");
    }
    Files.writeString(folder.resolve("changes.sql"), log);
    try (Connection connection = database.dataSource().getConnection()) {
      Database target =
          DatabaseFactory.getInstance()
              .findCorrectDatabaseImplementation(new JdbcConnection(connection));
      try (Liquibase liquibase =
          new Liquibase("changes.sql", new DirectoryResourceAccessor(folder), target)) {
        liquibase.update(new Contexts());
      }
    }
  }

  @Test
  void itRunsFirst(TestDatabase database) throws Exception {
    String users = "CREATE TABLE users (id bigint PRIMARY KEY, name text)";
    update(database, users);
    try (Orchestrator old =
        Members.member(database.dataSource(), "1")
            .thisBuild(FULL_NAME, RenameColumn.Code.USES_OLD_NAME)
            .build()) {
      old.advance();
      // Its record of itself is no row of the application's.
      assertThat(old.status().pinned()).isEmpty();
      old.drive();
      database.execute("INSERT INTO users (id, name) VALUES (1, 'ann')");
    }
    String orders = "CREATE TABLE orders (id bigint PRIMARY KEY)";
    update(database, users, orders);
    try (Orchestrator fresh =
        Members.member(database.dataSource(), "2")
            .thisBuild(FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .build()) {
      assertThat(fresh.advance().admitted()).isTrue();
      fresh.drive();
    }
    update(database, users, orders, "CREATE INDEX by_name ON users (full_name)");
    assertThat(database.rows("SELECT full_name FROM users")).containsExactly(List.of("ann"));
    assertThat(database.queryLong("SELECT count(*) FROM databasechangelog")).isEqualTo(3);
  }
}
