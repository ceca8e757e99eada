package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a table a partition of a partitioned one, without the server looking at its rows while it
 * keeps everybody out.
 *
 * <ul>
 *   <li>{@code ENFORCE}: first no row may be out of bounds, which is proved in batches; nor may the
 *       default partition have one within them. Then checks see to it for new and changed rows.
 *   <li>{@code DONE}: the checks are validated, what indexes the table lacks are built, it is
 *       attached, and the checks are dropped.
 * </ul>
 *
 * <p>The way back detaches it, CONCURRENTLY where there is no default partition.
 *
 * <p>Tables that the partitioned one's foreign keys point to are locked as well, within the lock
 * budget: ACCESS EXCLUSIVE to attach, SHARE ROW EXCLUSIVE to detach concurrently. Where code uses
 * them and the partition in one transaction, detaching takes many tries; so does attaching, unless
 * the user may lock them (UPDATE, DELETE or TRUNCATE): then they are locked first.
 */
public final class AttachPartition extends Migration<AttachPartition.Code> {

  /** How this operation is stored. */
  public static final OperationType<AttachPartition> TYPE =
      new OperationType<>("AttachPartition", AttachPartition.class, AttachPartition::restore);

  /** New and changed rows must be within the bounds. */
  public static final int ENFORCE = 1;

  /** It is a partition. */
  public static final int DONE = 2;

  /** What rows code writes. */
  public enum Code implements CodeStage {
    /** Some that are out of bounds, or some within them by way of the partitioned table. */
    MAY_VIOLATE,
    /**
     * Into the table only rows within the bounds; by way of the partitioned table none of these
     * until it is attached, if there is a default partition; and it can do with the table's rows
     * being the partitioned table's too.
     */
    CONFORMS
  }

  private final String table;
  private final String partition;
  private final String bound;

  private AttachPartition(Builder b, String table, String partition, String bound) {
    super(b);
    this.table = table;
    this.partition = partition;
    this.bound = bound;
  }

  /**
   * Starts a declaration.
   *
   * @param id the migration's id
   * @return a builder
   */
  public static Builder of(String id) {
    return new Builder(id);
  }

  @Override
  public String table() {
    return table;
  }

  /**
   * The table that becomes a partition.
   *
   * @return its unquoted name
   */
  public String partition() {
    return partition;
  }

  /**
   * Which rows are its.
   *
   * @return SQL that begins with {@code FOR VALUES}
   */
  public String bound() {
    return bound;
  }

  @Override
  public Set<String> columns() {
    // Those of the table don't change. Migrations of one table start one after the other.
    return Set.of();
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "ENFORCE", "DONE"),
        List.of(
            new StageSpan("MAY_VIOLATE", new Span(0, 0)),
            new StageSpan("CONFORMS", new Span(0, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("partition", partition);
    fields.put("bound", bound);
    return fields;
  }

  private static AttachPartition restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .partition(stored.text("partition"))
        .bound(stored.text("bound"))
        .build();
  }

  /** Declares an {@link AttachPartition}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AttachPartition> {

    private @Nullable String table;
    private @Nullable String partition;
    private @Nullable String bound;

    private Builder(String id) {
      super(id);
    }

    /**
     * The partitioned table.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The table that becomes a partition of it, in the same schema.
     *
     * @param partition its name, unquoted and unqualified
     * @return this
     */
    public Builder partition(String partition) {
      this.partition = partition;
      return this;
    }

    /**
     * Which rows are its.
     *
     * @param bound SQL, such as {@code FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')} or {@code
     *     FOR VALUES IN ('de')}
     * @return this
     */
    public Builder bound(String bound) {
      this.bound = bound;
      return this;
    }

    @Override
    public AttachPartition build() {
      String text = require("bound", bound);
      if (!text.strip().toUpperCase(Locale.ROOT).startsWith("FOR VALUES")) {
        throw invalid(
            "the bound \"" + text + "\" does not begin with FOR VALUES",
            "What belongs to a default partition changes with every other one: attach that by"
                + " hand.");
      }
      return checked(
          new AttachPartition(
              this, require("table", table), require("partition", partition), text));
    }
  }
}
