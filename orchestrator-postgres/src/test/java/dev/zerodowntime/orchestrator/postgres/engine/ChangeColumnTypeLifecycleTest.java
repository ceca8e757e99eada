package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a value that can't be converted does to the fleet's way. */
@PostgresTest
class ChangeColumnTypeLifecycleTest {

  private static final ChangeColumnType BIG =
      ChangeColumnType.of("billing/big-amount")
          .table("orders")
          .from("amount")
          .to("big_amount")
          .type("bigint")
          .up("10 / nullif(amount - 13, 0) * 0 + amount::bigint")
          .down("big_amount::int")
          .retention(Duration.ofDays(7))
          .build();

  private static MigrationReport of(AdvanceReport report) {
    return report.migration(BIG.id()).orElseThrow();
  }

  private static AdvanceReport drive(Orchestrator member, String phase) {
    AdvanceReport report = member.drive();
    for (int i = 0; i < 50 && !of(report).phase().equals(phase); i++) {
      report = member.drive(Duration.ofMillis(100));
    }
    assertThat(of(report).phase()).as(report.toString()).isEqualTo(phase);
    return report;
  }

  @Test
  void rowsInTheWayAreNamedOnTheWayUpAndOnTheWayBack(TestDatabase database) {
    database.execute(
        "CREATE TABLE orders (id bigint PRIMARY KEY, amount int NOT NULL)",
        "INSERT INTO orders SELECT n, n + 100 FROM generate_series(1, 3000) n",
        // Makes NULL of what must not be NULL.
        "INSERT INTO orders VALUES (4711, 13)");
    Members.install(database.dataSource());
    try (Orchestrator old =
        Members.member(database.dataSource(), "1")
            .thisBuild(BIG, ChangeColumnType.Code.USES_OLD_COLUMN)
            .build()) {
      old.advance();
      AdvanceReport report = old.drive(Duration.ofSeconds(20));
      assertThat(of(report).status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(of(report).waits().toString()).contains("row with key [4711]", "yields NULL");
      database.execute("UPDATE orders SET amount = 14 WHERE id = 4711");
      old.resume(BIG.id());
      drive(old, "ENFORCE");
    }
    try (Orchestrator fresh =
        Members.member(database.dataSource(), "2")
            .thisBuild(BIG, ChangeColumnType.Code.USES_NEW_COLUMN)
            .build()) {
      fresh.advance();
      drive(fresh, "CONTRACT");
      database.execute("UPDATE orders SET big_amount = 3000000000 WHERE id = 1234");
      fresh.rollback(BIG.id(), "ENFORCE");
      AdvanceReport report = fresh.drive(Duration.ofSeconds(20));
      assertThat(of(report).status()).isEqualTo(MigrationStatus.FAILED);
      assertThat(of(report).waits().toString()).contains("1234");
      assertThat(database.queryLong("SELECT big_amount FROM orders WHERE id = 1234"))
          .isEqualTo(3_000_000_000L);
      // Mended, it is open again.
      database.execute("UPDATE orders SET big_amount = 3 WHERE id = 1234");
      fresh.resume(BIG.id());
      fresh.rollback(BIG.id(), "ENFORCE");
      drive(fresh, "ENFORCE");
      assertThat(database.queryLong("SELECT amount FROM orders WHERE id = 1234")).isEqualTo(3);
    }
  }
}
