package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a column NOT NULL, without looking at the rows under a blocking lock.
 *
 * <ul>
 *   <li>{@code ENFORCE}: rows without a value are counted and shown first, for from then on every
 *       update of one would fail, whatever it changes; a {@link Backfill} gives them one. Then new
 *       and changed rows must have a value.
 *   <li>{@code DONE}: it is proved for all rows, and the column is NOT NULL.
 * </ul>
 *
 * <p>A column that is NOT NULL already is left alone, on the way back too. Else the way back makes
 * it nullable again. On a partitioned table it is proved partition by partition.
 */
public final class SetNotNull extends Migration<SetNotNull.Code> {

  /** How this operation is stored. */
  public static final OperationType<SetNotNull> TYPE =
      new OperationType<>("SetNotNull", SetNotNull.class, SetNotNull::restore);

  /** New and changed rows must have a value. */
  public static final int ENFORCE = 1;

  /** All rows have one. */
  public static final int DONE = 2;

  /** What code writes into the column. */
  public enum Code implements CodeStage {
    /** NULL, or nothing, sometimes. */
    MAY_VIOLATE,
    /** Always a value. */
    CONFORMS
  }

  private final String table;
  private final String column;

  private SetNotNull(Builder b, String table, String column) {
    super(b);
    this.table = table;
    this.column = column;
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
   * The column.
   *
   * @return its unquoted name
   */
  public String column() {
    return column;
  }

  @Override
  public Set<String> columns() {
    return Set.of(column);
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
    fields.put("column", column);
    return fields;
  }

  private static SetNotNull restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .column(stored.text("column"))
        .build();
  }

  /** Declares a {@link SetNotNull}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, SetNotNull> {

    private @Nullable String table;
    private @Nullable String column;

    private Builder(String id) {
      super(id);
    }

    /**
     * The column's table.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The column that always has a value.
     *
     * @param column its name, unquoted
     * @return this
     */
    public Builder column(String column) {
      this.column = column;
      return this;
    }

    /**
     * Has the table copied, with the column NOT NULL, by {@link OrchestratorBuilder#copyTool}: on
     * MySQL and MariaDB, for what the server does only by blocking every write, or for a table that
     * is too big to be rebuilt in place. Refused on PostgreSQL, which needs no copy.
     *
     * @return this
     */
    public Builder byCopy() {
      copied();
      return this;
    }

    @Override
    public SetNotNull build() {
      return checked(new SetNotNull(this, require("table", table), require("column", column)));
    }
  }
}
