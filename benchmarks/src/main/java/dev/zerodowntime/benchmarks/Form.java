package dev.zerodowntime.benchmarks;

import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.util.function.UnaryOperator;

/**
 * Two migrations whose backfills set the very same column to the very same values. Both wait for an
 * approval before the backfill, so that it begins when the measurement does, and after it, so that
 * nothing follows that would be measured too.
 */
enum Form {
  /** A nullable column with a fill expression: the backfill has the table to itself. */
  PLAIN,
  /** A renamed column: triggers keep both names in step while the backfill runs. */
  SYNC_TRIGGERS;

  static final String ID = "bench/full-name";

  void declare(OrchestratorBuilder builder, UnaryOperator<Pace> pace) {
    switch (this) {
      case PLAIN ->
          builder.thisBuild(
              AddColumn.of(ID)
                  .table(Users.TABLE)
                  .column(Users.NEW, "text")
                  .fillWithSql(Users.OLD)
                  .pace(pace)
                  .approvalBefore("BACKFILL", "ENFORCE")
                  .build(),
              AddColumn.Code.UNAWARE);
      case SYNC_TRIGGERS ->
          builder.thisBuild(
              RenameColumn.of(ID)
                  .table(Users.TABLE)
                  .from(Users.OLD)
                  .to(Users.NEW)
                  .pace(pace)
                  .approvalBefore("BACKFILL", "VERIFY")
                  .build(),
              RenameColumn.Code.USES_OLD_NAME);
    }
  }
}
