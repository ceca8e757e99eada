package dev.zerodowntime.orchestrator.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batched, resumable DML. Rows and progress commit together.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param scan which rows
 * @param change what is done to them
 * @param repeat how a second time is harmless or kept from happening
 * @param poison SQL predicate over a pending row that the change can't mend, or null
 * @param mustFinish whether no pending row may be left at the end; false where rows written
 *     meanwhile may legitimately stay as they are
 */
public record BackfillStep(
    String name,
    String summary,
    Scan scan,
    RowChange change,
    Repeat repeat,
    @Nullable String poison,
    boolean mustFinish)
    implements Step {

  /**
   * Assigns expressions that may be assigned again.
   *
   * @param name see {@link Step#name()}
   * @param summary see {@link Step#summary()}
   * @param scan which rows
   * @param set the assignments, as SQL
   * @param poison SQL predicate over a pending row that the assignments can't mend, or null
   * @param mustFinish whether no pending row may be left at the end
   * @return the step
   */
  public static BackfillStep assign(
      String name,
      String summary,
      Scan scan,
      String set,
      @Nullable String poison,
      boolean mustFinish) {
    return new BackfillStep(
        name, summary, scan, new RowChange.Assign(set), Repeat.HARMLESS, poison, mustFinish);
  }

  @Override
  public List<String> sql() {
    String batches =
        " -- in batches along " + scan.keys().stream().map(Scan.KeyColumn::name).toList();
    String rows = " WHERE " + scan.pending() + batches;
    if (change instanceof RowChange.Assign assign) {
      RowChange.Join join = assign.join();
      return List.of(
          "UPDATE "
              + scan.table()
              + " SET "
              + assign.set()
              + (join == null ? "" : " FROM " + join.from())
              + " WHERE "
              + (join == null ? "" : "(" + join.on() + ") AND ")
              + scan.pending()
              + batches);
    }
    if (change instanceof RowChange.Copy copy) {
      return List.of(
          "INSERT INTO "
              + copy.into()
              + " ("
              + String.join(", ", copy.columns())
              + ") SELECT "
              + String.join(", ", copy.values())
              + " FROM "
              + scan.table()
              + rows);
    }
    RowChange.Compute compute = (RowChange.Compute) change;
    return List.of(
        "UPDATE "
            + scan.table()
            + " SET "
            + compute.writes().stream().map(each -> each.name() + " = (Java)").toList()
            + rows);
  }

  @Override
  public String lock() {
    return "the rows of one batch, within the lock budget; rows that others have locked are not"
        + " waited for";
  }
}
