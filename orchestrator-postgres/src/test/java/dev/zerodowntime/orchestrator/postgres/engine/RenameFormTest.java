package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which form of a rename the plan advises, and why. */
@PostgresTest
@Timeout(120)
class RenameFormTest {

  private static final RenameColumn BY_TRIGGER =
      RenameColumn.of("billing/full-name").table("users").from("name").to("full_name").build();

  private static final RenameColumnByView BY_VIEW =
      RenameColumnByView.of("billing/full-name-shown")
          .table("users")
          .from("name")
          .to("full_name")
          .build();

  private final TestDatabase database;

  RenameFormTest(TestDatabase database) {
    this.database = database;
  }

  @BeforeEach
  void users() {
    database.execute(
        "DROP SCHEMA IF EXISTS public, orchestrator CASCADE",
        "DROP PUBLICATION IF EXISTS sent",
        "CREATE SCHEMA public",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text)",
        "INSERT INTO users SELECT n, 'n' || n FROM generate_series(1, 30000) n",
        "ANALYZE users");
    Members.install(database.dataSource());
  }

  private Orchestrator member() {
    return Members.member(database.dataSource(), "1")
        .thisBuild(BY_TRIGGER, RenameColumn.Code.USES_OLD_NAME)
        .build();
  }

  @Test
  void whereNothingIsAgainstIt() {
    List<List<Object>> before = Untouched.of(database);
    try (Orchestrator member = member()) {
      MigrationPlan plan = member.plan().get(0);
      assertThat(plan.advice())
          .anyMatch(each -> each.startsWith("RenameColumnByView would do as well"))
          // 30,000 rows in batches of 10,000 to 1,000, each 105 ms with its pause.
          .contains(
              "The rows are backfilled in 420 ms to 3.2 s at their pace, what it waits for not"
                  + " counted.");
      assertThat(plan.toString()).contains("advice: RenameColumnByView would do as well");
      assertThat(Untouched.of(database)).isEqualTo(before);
    }
  }

  @Test
  void whereSomethingIs() {
    database.execute("CREATE PUBLICATION sent FOR TABLE users");
    try (Orchestrator member = member()) {
      assertThat(member.plan().get(0).advice())
          .noneMatch(each -> each.contains("RenameColumnByView"))
          .anyMatch(each -> each.contains("backfilled"));
    }
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(BY_VIEW, RenameColumnByView.Code.USES_OLD_NAME)
            .build()) {
      assertThatThrownBy(member::plan)
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("publication")
          .hasMessageContaining("Or use RenameColumn, which works with a second column.");
    } finally {
      database.execute("DROP PUBLICATION sent");
    }
  }
}
