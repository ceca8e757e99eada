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
 * Makes a column nullable. The way back makes it NOT NULL again, as it was: rows that have come to
 * be without a value are counted and shown first, and it is proved while the table is in use.
 *
 * <p>A column that is nullable already is left alone, on the way back too.
 */
public final class DropNotNull extends Migration<DropNotNull.Code> {

  /** How this operation is stored. */
  public static final OperationType<DropNotNull> TYPE =
      new OperationType<>("DropNotNull", DropNotNull.class, DropNotNull::restore);

  /** Rows may be without a value. */
  public static final int DONE = 1;

  /** What code relies on. */
  public enum Code implements CodeStage {
    /** That every row has a value. */
    USES,
    /** Copes with rows that have none. */
    UNUSED
  }

  private final String table;
  private final String column;

  private DropNotNull(Builder b, String table, String column) {
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
    fields.put("column", column);
    return fields;
  }

  private static DropNotNull restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .column(stored.text("column"))
        .build();
  }

  /** Declares a {@link DropNotNull}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DropNotNull> {

    private @Nullable String table;
    private @Nullable String column;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table it is of.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The column.
     *
     * @param column its name, unquoted
     * @return this
     */
    public Builder column(String column) {
      this.column = column;
      return this;
    }

    @Override
    public DropNotNull build() {
      return checked(new DropNotNull(this, require("table", table), require("column", column)));
    }
  }
}
