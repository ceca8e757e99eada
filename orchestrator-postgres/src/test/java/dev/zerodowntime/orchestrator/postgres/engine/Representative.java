package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;

/**
 * Operations that together have every kind of step: statements under a lock, online ones, backfills
 * with triggers, proofs over rows. Each on a table of its own, with several batches.
 */
final class Representative {

  private static final int ROWS = 250;
  private static final int BATCH = 100;

  static final AddColumn ADD =
      AddColumn.of("billing/1-add")
          .table("users")
          .column("region", "text")
          .notNull()
          .fillWithSql("upper(zip)")
          .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH))
          .build();

  static final RenameColumn RENAME =
      RenameColumn.of("billing/2-rename")
          .table("people")
          .from("name")
          .to("full_name")
          .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH))
          .build();

  static final CreateIndex INDEX =
      CreateIndex.of("billing/3-index")
          .table("parts")
          .name("parts_by_size")
          .columns("size")
          .build();

  static final AddForeignKey KEY =
      AddForeignKey.of("billing/4-key")
          .table("orders")
          .name("orders_user")
          .columns("user_id")
          .references("customers", "id")
          .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH))
          .build();

  static final DropColumn DROP =
      DropColumn.of("billing/5-drop")
          .table("legacy")
          .column("fax")
          .fillBackWithSql("'none'")
          .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH))
          .build();

  static final List<String> IDS = List.of(ADD.id(), RENAME.id(), INDEX.id(), KEY.id(), DROP.id());

  private Representative() {}

  /** In the schema that is current when it is executed. */
  static String[] tables() {
    return new String[] {
      "CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL)",
      "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'nobody')",
      "CREATE TABLE parts (id bigint PRIMARY KEY, size int)",
      "CREATE TABLE customers (id bigint PRIMARY KEY)",
      "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint)",
      "CREATE INDEX ON orders (user_id)",
      "CREATE TABLE legacy (id bigint PRIMARY KEY, fax text NOT NULL)",
      "INSERT INTO users SELECT i, 'z' || i FROM generate_series(1, " + ROWS + ") i",
      "INSERT INTO people SELECT i, 'n' || i FROM generate_series(1, " + ROWS + ") i",
      "INSERT INTO parts SELECT i, i FROM generate_series(1, " + ROWS + ") i",
      "INSERT INTO customers SELECT i FROM generate_series(1, " + ROWS + ") i",
      "INSERT INTO orders SELECT i, i FROM generate_series(1, " + ROWS + ") i",
      "INSERT INTO legacy SELECT i, 'f' || i FROM generate_series(1, " + ROWS + ") i"
    };
  }

  /** All of it, at the oldest stages. */
  static OrchestratorBuilder declared(OrchestratorBuilder builder) {
    return builder
        .thisBuild(ADD, AddColumn.Code.UNAWARE)
        .thisBuild(RENAME, RenameColumn.Code.USES_OLD_NAME)
        .thisBuild(INDEX, CreateIndex.Code.UNAWARE)
        .thisBuild(KEY, AddForeignKey.Code.MAY_VIOLATE)
        .thisBuild(DROP, DropColumn.Code.USES);
  }

  /**
   * Declares them through one member, which is gone then, so that nobody holds anything back.
   *
   * @return its release, which is forgotten
   */
  static void declareAndLeave(DataSource dataSource, UnaryOperator<OrchestratorBuilder> with) {
    try (Orchestrator member =
        with.apply(declared(Members.member(dataSource, "1").role(Role.MEMBER))).build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
    try (Orchestrator job = with.apply(Members.driver(dataSource)).build()) {
      job.advance();
      job.forgetRelease("billing", "1");
    }
  }

  /** Where each of them is at its end; what is quarantined stays there for a week. */
  static Map<String, String> done() {
    Map<String, String> phases = new LinkedHashMap<>();
    phases.put(ADD.id(), "DONE");
    phases.put(RENAME.id(), "CONTRACT");
    phases.put(INDEX.id(), "DONE");
    phases.put(KEY.id(), "DONE");
    phases.put(DROP.id(), "CONTRACT");
    return phases;
  }

  /** Drives all of them as far as they go. */
  static void forth(Orchestrator driver) throws InterruptedException {
    Eventually.until("all are done", () -> driven(driver).equals(done()));
  }

  /** Drives all of them back to where they began. */
  static void back(Orchestrator driver) throws InterruptedException {
    IDS.forEach(driver::rollback);
    Eventually.until(
        "all are back",
        () -> driven(driver).values().stream().allMatch(each -> each.equals("NOT_STARTED")));
  }

  private static Map<String, String> driven(Orchestrator driver) {
    List<MigrationReport> reports =
        new ArrayList<>(driver.drive(Duration.ofMillis(200)).migrations());
    Map<String, String> phases = new LinkedHashMap<>();
    for (MigrationReport each : reports) {
      assertThat(each.lastError()).as(each.toString()).isNull();
      phases.put(each.id(), each.state().atRest() ? each.phase() : "between");
    }
    return phases;
  }
}
