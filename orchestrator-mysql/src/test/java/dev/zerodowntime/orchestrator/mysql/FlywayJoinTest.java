package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The application's own Flyway, whose history is among the control tables here. */
class FlywayJoinTest {

  private static final RenameColumn FULL_NAME =
      RenameColumn.of("billing/full-name")
          .flyway("2.1")
          .table("users")
          .from("name")
          .to("full_name")
          .build();

  private static final AddColumn REGION =
      AddColumn.of("billing/region")
          .flyway("2.2")
          .table("users")
          .column("region", "varchar(10)")
          .notNull()
          .fillWithSql("'eu'")
          .build();

  private static final DropColumn JUNK =
      DropColumn.of("billing/junk").flyway("2.3").table("users").column("junk").build();

  @TempDir Path scripts;

  private void script(String name, String sql) throws IOException {
    Files.writeString(scripts.resolve(name), sql);
  }

  private Flyway flyway(MysqlDatabase database, Orchestrator member) {
    FluentConfiguration configuration =
        Flyway.configure()
            .dataSource(database.pool())
            .cleanDisabled(false)
            .baselineOnMigrate(true)
            .baselineVersion("0")
            .locations("filesystem:" + scripts);
    member.joinFlyway(configuration);
    return configuration.load();
  }

  @ParameterizedTest
  @EnumSource
  void aFreshDatabaseHasTheNewShapeAtOnce(Flavor flavor) throws Exception {
    script(
        "V1__users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), junk int NOT NULL);");
    script(
        "V2__countries.sql",
        "CREATE TABLE countries (code char(2)); INSERT INTO countries VALUES ('AT');");
    script("V3__index.sql", "CREATE INDEX users_by_name ON users (full_name, region);");
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "join");
        Orchestrator member =
            Members.producing(database, "1")
                .thisBuild(FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
                .thisBuild(REGION, AddColumn.Code.READS)
                .thisBuild(JUNK, DropColumn.Code.UNUSED)
                .build()) {
      flyway(database, member).migrate();
      assertThat(member.status().migrations())
          .as(member.status().toString())
          .hasSize(3)
          .allMatch(each -> each.next().contains("may be deleted"));
      assertThat(
              database
                  .rows(
                      "SELECT column_name FROM information_schema.columns WHERE table_schema ="
                          + " database() AND table_name = 'users' ORDER BY 1")
                  .toString())
          .isEqualTo("[[full_name], [id], [region]]");
      assertThat(member.fit()).isTrue();
      assertThat(member.status().pinned()).isEmpty();

      // Everything is in one database: a new one is made like the first.
      database.execute("INSERT INTO users (id, full_name, region) VALUES (1, 'ann', 'eu')");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whereThereAreRowsTheScriptAfterItWaits(Flavor flavor) throws Exception {
    script("V3__index.sql", "CREATE INDEX users_by_name ON `users` (full_name);");
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "join")) {
      database.execute(
          "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50))",
          "INSERT INTO users VALUES (1, 'ann')");
      try (Orchestrator member =
          Members.producing(database, "1")
              .thisBuild(FULL_NAME, RenameColumn.Code.USES_OLD_NAME)
              .build()) {
        Flyway flyway = flyway(database, member);
        assertThatThrownBy(flyway::migrate)
            .hasStackTraceContaining(
                "V3__index.sql names users, which migration billing/full-name");
        // Nothing is noted as failed: nothing has to be repaired.
        assertThat(
                database
                    .rows("SELECT version, success FROM flyway_schema_history ORDER BY 1")
                    .toString())
            .isEqualTo("[[0, 1], [2.1, 1]]");
        script(
            "V3__index.sql",
            "-- orchestrator: alongside billing/full-name\nCREATE INDEX users_name ON users (name);");
        flyway.migrate();
        assertThat(member.fit()).isTrue();
        flyway.clean();
        assertThat(database.rows("SHOW TABLES")).isEmpty();
      }
    }
  }
}
