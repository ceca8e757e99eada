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
 * Takes a column's default away, once no code relies on it. Rows that are there stay as they are.
 *
 * <p>From then on a row that omits the column gets NULL; where the column is NOT NULL, such an
 * INSERT fails. So {@code UNUSED} is code that gives the column a value in every INSERT, and
 * whatever else omits it counts as {@code USES}, an import or a report's staging included.
 *
 * <p>Locks the table ACCESS EXCLUSIVE for a change of the catalog, within the lock budget. The way
 * back restores the very expression. A sequence that belongs to the column goes on belonging to it.
 *
 * <p>Refused: identity and generated columns, which have no default; a column that has none, or
 * whose type, a domain, has one that would take its place.
 */
public final class DropDefault extends Migration<DropDefault.Code> {

  /** How this operation is stored. */
  public static final OperationType<DropDefault> TYPE =
      new OperationType<>("DropDefault", DropDefault.class, DropDefault::restore);

  /** The column has no default. */
  public static final int DONE = 1;

  /** What code does about the default. */
  public enum Code implements CodeStage {
    /** Inserts rows that omit the column. */
    USES,
    /** Names the column in every INSERT. */
    UNUSED
  }

  private final String table;
  private final String column;

  private DropDefault(Builder b, String table, String column) {
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

  private static DropDefault restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).column(stored.text("column"));
    return builder.build();
  }

  /** Declares a {@link DropDefault}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DropDefault> {

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
    public DropDefault build() {
      return checked(new DropDefault(this, require("table", table), require("column", column)));
    }
  }
}
