package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a partition a table of its own again, without locking the partitioned table for its users.
 *
 * <p>A check stays behind, {@code zdo_bound_...}, that its rows are within the bounds: so the way
 * back attaches it again without looking at them. Where no way back is needed any more, drop it.
 *
 * <p>Tables that the partitioned one's foreign keys point to are locked as well, within the lock
 * budget: ACCESS EXCLUSIVE to attach, SHARE ROW EXCLUSIVE to detach concurrently. Where code uses
 * them and the partition in one transaction, detaching takes many tries; so does attaching, unless
 * the user may lock them (UPDATE, DELETE or TRUNCATE): then they are locked first.
 */
public final class DetachPartition extends Migration<DetachPartition.Code> {

  /** How this operation is stored. */
  public static final OperationType<DetachPartition> TYPE =
      new OperationType<>("DetachPartition", DetachPartition.class, DetachPartition::restore);

  /** It is a table of its own. */
  public static final int DONE = 1;

  /** What code does with the partition's rows. */
  public enum Code implements CodeStage {
    /** Reads or writes them by way of the partitioned table. */
    USES,
    /** Does not. */
    UNUSED
  }

  private final String table;
  private final String partition;

  private DetachPartition(Builder b, String table, String partition) {
    super(b);
    this.table = table;
    this.partition = partition;
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
   * The partition.
   *
   * @return its unquoted name
   */
  public String partition() {
    return partition;
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
        List.of("NOT_STARTED", "DONE"),
        List.of(new StageSpan("USES", new Span(0, 0)), new StageSpan("UNUSED", new Span(0, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("partition", partition);
    return fields;
  }

  private static DetachPartition restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .partition(stored.text("partition"))
        .build();
  }

  /** Declares an {@link DetachPartition}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DetachPartition> {

    private @Nullable String table;
    private @Nullable String partition;

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
     * Its partition, in the same schema.
     *
     * @param partition its name, unquoted and unqualified
     * @return this
     */
    public Builder partition(String partition) {
      this.partition = partition;
      return this;
    }

    @Override
    public DetachPartition build() {
      return checked(
          new DetachPartition(this, require("table", table), require("partition", partition)));
    }
  }
}
