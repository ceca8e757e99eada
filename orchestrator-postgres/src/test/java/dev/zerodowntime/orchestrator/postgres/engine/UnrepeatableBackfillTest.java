package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.sql.Connection;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;

/**
 * A function that says of itself that it yields the same every time, and doesn't: no row is changed
 * twice, and the migration stops at one of them.
 */
class UnrepeatableBackfillTest extends BackfillFixture {

  private final Backfill declared = backfill(20).set("n", "more(id)").build();

  /** Adds one to what the row has, from a certain key on; but not before the backfill begins. */
  private Orchestrator member(int from) {
    return member(from, database.newDataSource());
  }

  private Orchestrator member(int from, DataSource source) {
    work(
        100,
        "CREATE TABLE begun ()",
        "CREATE FUNCTION more(key bigint) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN IF"
            + " key < "
            + from
            + " OR NOT EXISTS (SELECT FROM begun) THEN RETURN 1; END IF; RETURN (SELECT n + 1 FROM"
            + " work w WHERE w.id = key); END'");
    Statements statements = new Statements(source);
    statements.after(
        sql -> {
          if (sql.startsWith("INSERT INTO") && sql.contains(".backfill (")) {
            database.execute("INSERT INTO begun DEFAULT VALUES");
          }
        });
    return joined(member(statements.dataSource(), declared));
  }

  private void isStopped(MigrationReport report, int least) {
    assertThat(report.status()).isEqualTo(MigrationStatus.FAILED);
    assertThat(report.lastError())
        .containsPattern("row with key \\[" + least + "\\] of \"public\".\"work\"")
        .contains("not one that can be repeated");
    assertThat(database.rows("SELECT id, n FROM work WHERE n > 1")).isEmpty();
  }

  @Test
  void fromTheFirstRowOn() {
    try (Orchestrator member = member(1)) {
      isStopped(of(member.drive()), 1);
    }
    assertThat(changed()).isZero();
  }

  @Test
  void fromALaterBatchOn() {
    try (Orchestrator member = member(50)) {
      isStopped(of(member.drive()), 50);
    }
    assertThat(changed()).isEqualTo(100);
  }

  /** With them a row is written under the id of a subtransaction, which is not the current one. */
  @Test
  void underSavepointsOfTheDriver() {
    PGSimpleDataSource source = database.newDataSource();
    source.setAutosave(AutoSave.CONSERVATIVE);
    HikariConfig config = new HikariConfig();
    config.setDataSource(source);
    config.setMaximumPoolSize(3);
    try (HikariDataSource pool = new HikariDataSource(config);
        Orchestrator member = member(50, pool)) {
      isStopped(of(member.drive()), 50);
    }
    assertThat(changed()).isEqualTo(100);
  }

  /** The batch goes around what somebody holds, and looks for what it has left. */
  @Test
  void whereARowIsLocked() throws Exception {
    try (Orchestrator member = member(21);
        Connection application = database.dataSource().getConnection();
        Statement statement = application.createStatement()) {
      application.setAutoCommit(false);
      statement.execute("SELECT FROM work WHERE id = 30 FOR UPDATE");
      isStopped(of(member.drive()), 21);
      application.rollback();
    }
    assertThat(changed()).isEqualTo(20);
  }
}
