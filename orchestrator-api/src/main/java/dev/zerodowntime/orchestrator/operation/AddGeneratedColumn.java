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
 * Adds a generated column, where that takes no rewrite of the table.
 *
 * <p>A virtual one (the default; PostgreSQL 18 and later) is computed when it is read: adding it
 * touches no row and takes an ACCESS EXCLUSIVE lock for a moment, within the lock budget. A stored
 * one is computed for every row while nobody may read the table; so it is refused unless the table
 * is empty. (Rows that come in between are rewritten within the lock budget, or not at all.) For a
 * table with rows use {@link AddColumn} with {@code fillWithSql(expression)}: its trigger computes
 * the value for new rows while batches fill the others.
 *
 * <p>The way back drops the column: its values come from other columns, so that nothing is lost.
 *
 * <p>Refused as well: an expression that the server doesn't take, such as one with a volatile
 * function; a column that is there already.
 *
 * <p>On MySQL and MariaDB a virtual one is INVISIBLE, and a stored one is always refused.
 */
public final class AddGeneratedColumn extends Migration<AddGeneratedColumn.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddGeneratedColumn> TYPE =
      new OperationType<>(
          "AddGeneratedColumn", AddGeneratedColumn.class, AddGeneratedColumn::restore);

  /** The column is there. */
  public static final int DONE = 1;

  /** What code does with the column. */
  public enum Code implements CodeStage {
    /** Does not use it. */
    UNAWARE,
    /** Reads it. */
    NEEDS
  }

  private final String table;
  private final String column;
  private final String type;
  private final String expression;
  private final boolean stored;

  private AddGeneratedColumn(
      Builder b, String table, String column, String type, String expression) {
    super(b);
    this.table = table;
    this.column = column;
    this.type = type;
    this.expression = expression;
    this.stored = b.stored;
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
   * The new column.
   *
   * @return its unquoted name
   */
  public String column() {
    return column;
  }

  /**
   * Its type.
   *
   * @return as SQL
   */
  public String type() {
    return type;
  }

  /**
   * What it is computed from.
   *
   * @return an SQL expression
   */
  public String expression() {
    return expression;
  }

  /**
   * Whether its values are stored.
   *
   * @return false if they are computed when they are read
   */
  public boolean stored() {
    return stored;
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
        List.of(
            new StageSpan("UNAWARE", new Span(0, DONE)),
            new StageSpan("NEEDS", new Span(DONE, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("column", column);
    fields.put("type", type);
    fields.put("expression", expression);
    if (stored) {
      fields.put("stored", true);
    }
    return fields;
  }

  private static AddGeneratedColumn restore(OperationType.Stored stored) {
    Builder builder =
        of(stored.id())
            .restored(stored.schema(), stored.after(), stored.policy())
            .table(stored.text("table"))
            .column(stored.text("column"), stored.text("type"))
            .expression(stored.text("expression"));
    builder.stored = stored.flag("stored");
    return builder.build();
  }

  /** Declares an {@link AddGeneratedColumn}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddGeneratedColumn> {

    private @Nullable String table;
    private @Nullable String column;
    private @Nullable String type;
    private @Nullable String expression;
    private boolean stored;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The new column.
     *
     * @param column its name, unquoted
     * @param type as SQL, such as {@code numeric(10,2)}
     * @return this
     */
    public Builder column(String column, String type) {
      this.column = column;
      this.type = type;
      return this;
    }

    /**
     * What it is computed from.
     *
     * @param expression an SQL expression over columns of the table that are not generated
     *     themselves
     * @return this
     */
    public Builder expression(String expression) {
      this.expression = expression;
      return this;
    }

    /**
     * Stores the values. Default: they are computed when they are read.
     *
     * @return this
     */
    public Builder stored() {
      this.stored = true;
      return this;
    }

    /**
     * Has the table copied, with the column in it, by {@link OrchestratorBuilder#copyTool}: on
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
    public AddGeneratedColumn build() {
      return checked(
          new AddGeneratedColumn(
              this,
              require("table", table),
              require("column", column),
              require("type", type),
              require("expression", expression)));
    }
  }
}
