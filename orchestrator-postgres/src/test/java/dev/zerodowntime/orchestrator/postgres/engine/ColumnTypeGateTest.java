package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;

/** A column that gets another type under its name breaks statements that have no star in them. */
@PostgresTest
class ColumnTypeGateTest {

  private static final WidenColumn WIDE =
      WidenColumn.of("billing/wide-name").table("users").column("name").type("text").build();

  private static final AddColumn MORE =
      AddColumn.of("billing/more").table("others").column("more", "int").build();

  private static void tables(TestDatabase database) {
    database.execute(
        "DROP TABLE IF EXISTS users, others",
        "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(10))",
        "CREATE TABLE others (id bigint PRIMARY KEY)",
        "INSERT INTO users VALUES (1, 'Bob')");
  }

  /** Trap 10: what the gate is for. */
  @Test
  void anExplicitSelectFailsInsideATransactionUnlessTheDriverIsSafe(TestDatabase database)
      throws SQLException {
    for (AutoSave autosave : AutoSave.values()) {
      tables(database);
      PGSimpleDataSource source = database.newDataSource();
      source.setPrepareThreshold(1);
      source.setAutosave(autosave);
      try (Connection c = source.getConnection();
          PreparedStatement select = c.prepareStatement("SELECT name FROM users")) {
        select.executeQuery().close();
        select.executeQuery().close();
        c.setAutoCommit(false);
        c.createStatement().execute("SELECT 1");
        database.execute("ALTER TABLE users ALTER name TYPE text");
        if (autosave == AutoSave.NEVER) {
          assertThatThrownBy(select::executeQuery)
              .hasMessageContaining("cached plan must not change result type");
        } else {
          select.executeQuery().close();
        }
        c.rollback();
      }
    }
  }

  @Test
  void codeWithoutStarsWaitsForASafeDriver(TestDatabase database) {
    tables(database);
    Members.install(database.dataSource());
    try (Orchestrator plain =
        Members.member(database.dataSource(), "1")
            .thisBuild(WIDE, WidenColumn.Code.EITHER_TYPE)
            .thisBuild(MORE, AddColumn.Code.UNAWARE)
            .build()) {
      plain.advance();
      assertThat(plain.drive().migration(WIDE.id()).orElseThrow().waits())
          .anySatisfy(
              wait -> {
                assertThat(wait.kind()).isEqualTo(Wait.Kind.DRIVER);
                assertThat(wait.what())
                    .contains(
                        "members of billing 1",
                        "changed type of a column",
                        "autosave=conservative");
              });
      // Other columns don't bother it.
      assertThat(plain.drive().migration(MORE.id()).orElseThrow().phase()).isEqualTo("DONE");
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM orchestrator.member WHERE row_type_safe AND NOT"
                      + " column_type_safe"))
          .isEqualTo(1);
    }
    PGSimpleDataSource safe = database.newDataSource();
    safe.setAutosave(AutoSave.CONSERVATIVE);
    try (Orchestrator member =
        Members.member(safe, "2")
            .thisBuild(WIDE, WidenColumn.Code.EITHER_TYPE)
            .thisBuild(MORE, AddColumn.Code.READS)
            .build()) {
      member.advance();
      AdvanceReport report = member.drive(Duration.ofSeconds(30));
      assertThat(report.settled()).isTrue();
      assertThat(report.migration(WIDE.id()).orElseThrow().phase()).isEqualTo("DONE");
    }
    assertThat(
            database.<String>queryOne(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
                    + " 'users'::regclass AND attname = 'name'"))
        .isEqualTo("text");
  }
}
