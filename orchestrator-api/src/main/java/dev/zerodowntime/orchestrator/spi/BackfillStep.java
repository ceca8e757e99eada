package dev.zerodowntime.orchestrator.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batched, resumable DML. Rows and progress commit together.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param scan which rows
 * @param set the assignments, as SQL
 * @param poison SQL predicate over a pending row that the assignments can't mend, or null
 * @param mustFinish whether no pending row may be left at the end; false where rows written
 *     meanwhile may legitimately stay as they are
 */
public record BackfillStep(
    String name, String summary, Scan scan, String set, @Nullable String poison, boolean mustFinish)
    implements Step {

  @Override
  public List<String> sql() {
    return List.of(
        "UPDATE "
            + scan.table()
            + " SET "
            + set
            + " WHERE "
            + scan.pending()
            + " -- in batches along "
            + scan.keys().stream().map(Scan.KeyColumn::name).toList());
  }

  @Override
  public String lock() {
    return "the rows of one batch, FOR NO KEY UPDATE SKIP LOCKED";
  }
}
