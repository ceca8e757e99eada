package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A duplicate that comes while a unique index is being built. */
@PostgresTest
@Timeout(120)
class UniqueBuildTest {

  private static final String ID = "billing/unique-zip";

  private static final AddUnique UNIQUE =
      AddUnique.of(ID).table("users").name("users_zip").columns("zip").build();

  @Test
  void failsTheMigrationByNameAndLeavesNoIndex() throws Exception {
    try (TestDatabase database = TestDatabase.create("unique")) {
      database.execute(
          "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
          "INSERT INTO users SELECT n, 'z' || n FROM generate_series(1, 50) n");
      Members.install(database.dataSource());
      try (Connection writer = database.dataSource().getConnection();
          Orchestrator member =
              Members.member(database.dataSource(), "1")
                  .role(Role.MEMBER)
                  .timing(Members::patient)
                  .thisBuild(UNIQUE, AddUnique.Code.CONFORMS)
                  .build();
          Orchestrator driver =
              Members.driver(database.dataSource())
                  .timing(Members::patient)
                  .background(true)
                  .build()) {
        writer.setAutoCommit(false);
        try (Statement s = writer.createStatement()) {
          s.execute("INSERT INTO users VALUES (51, 'z7')");
        }
        member.advance();
        driver.advance();
        Eventually.until(
            "the build waits for the writer",
            () -> database.queryLong("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1);
        writer.commit();
        Eventually.until("it has failed", () -> migrations(database, "status = 'FAILED'") == 1);
        assertThat(database.rows("SELECT last_error FROM orchestrator.migration").toString())
            .contains("Key (zip)=(z7) is duplicated");
        assertThat(indexes(database)).isZero();

        database.execute("DELETE FROM users WHERE id = 51");
        driver.resume(ID);
        Eventually.until(
            "it is done", () -> migrations(database, "reached = 2 AND entering = 2") == 1);
        assertThat(indexes(database)).isEqualTo(1);
      }
    }
  }

  private static long migrations(TestDatabase database, String condition) {
    return database.queryLong("SELECT count(*) FROM orchestrator.migration WHERE " + condition);
  }

  private static long indexes(TestDatabase database) {
    return database.queryLong("SELECT count(*) FROM pg_class WHERE relname = 'users_zip'");
  }
}
