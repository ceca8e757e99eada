package dev.zerodowntime.samples.quickstart;

import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.time.Duration;

/** What happens to the schema: four declarations, and nothing else. */
final class Migrations {

  static final String APPLICATION = "shop";

  /** A week in production. Here nobody wants to wait that long for the end. */
  static final Duration RETENTION = Duration.ofSeconds(2);

  /** Every row gets a value of its own, old ones too: with plain SQL, a rewrite of the table. */
  static final AddColumn PUBLIC_ID =
      AddColumn.of("shop/add-public-id")
          .table("customers")
          .column("public_id", Product.current().uuidType())
          .notNull()
          .fillWithSql(Product.current().newUuid())
          .batchRows(5_000)
          .batchPause(Duration.ofMillis(20))
          .build();

  static final RenameColumn FULL_NAME =
      RenameColumn.of("shop/rename-name")
          .table("customers")
          .from("name")
          .to("full_name")
          .batchRows(5_000)
          .batchPause(Duration.ofMillis(20))
          .retention(RETENTION)
          .build();

  static final DropColumn FAX =
      DropColumn.of("shop/drop-fax").table("customers").column("fax").retention(RETENTION).build();

  static final CreateIndex BY_PUBLIC_ID =
      CreateIndex.of("shop/index-public-id")
          .table("customers")
          .name("customers_by_public_id")
          .columns("public_id")
          .after(PUBLIC_ID)
          .build();

  private Migrations() {}

  /**
   * All rules of production, in a hurry: what takes a minute, a day or a week there takes seconds
   * here. The lock budget stays what it is.
   */
  static Timing hurried(Timing production) {
    return production
        .heartbeat(Duration.ofMillis(500), Duration.ofSeconds(3))
        .soak(Duration.ofSeconds(1))
        .horizon(Duration.ofSeconds(3))
        .drain(Duration.ofMillis(500))
        .lease(Duration.ofSeconds(2))
        .retryPause(Duration.ofMillis(100))
        .tick(Duration.ofMillis(100));
  }
}
