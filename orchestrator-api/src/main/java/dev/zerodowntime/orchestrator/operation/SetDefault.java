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
 * Gives a column a default, or another one. Only rows that are inserted later and omit the column
 * get it; none that is there is touched. Code that omits the column must work with either default.
 *
 * <p>Locks the table ACCESS EXCLUSIVE for a change of the catalog, within the lock budget. The way
 * back restores the former default exactly, or none where there was none.
 *
 * <p>Refused: identity and generated columns, whose values come from elsewhere; an expression that
 * the server doesn't take; a constant NULL where that is no default at all.
 */
public final class SetDefault extends Migration<SetDefault.Code> {

  /** How this operation is stored. */
  public static final OperationType<SetDefault> TYPE =
      new OperationType<>("SetDefault", SetDefault.class, SetDefault::restore);

  /** The column has the new default. */
  public static final int DONE = 1;

  /** What code expects of the default. */
  public enum Code implements CodeStage {
    /** Works with the former default, and with the new one. */
    UNAWARE,
    /** Omits the column, and relies on the new default. */
    NEEDS
  }

  private final String table;
  private final String column;
  private final String expression;

  private SetDefault(Builder b, String table, String column, String expression) {
    super(b);
    this.table = table;
    this.column = column;
    this.expression = expression;
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

  /**
   * The new default.
   *
   * @return an SQL expression
   */
  public String expression() {
    return expression;
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
    fields.put("default", expression);
    return fields;
  }

  private static SetDefault restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).column(stored.text("column"));
    builder.expression = stored.text("default");
    return builder.build();
  }

  /** Declares a {@link SetDefault}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, SetDefault> {

    private @Nullable String table;
    private @Nullable String column;
    private @Nullable String expression;

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

    /**
     * The new default.
     *
     * @param expression SQL, such as {@code 'de'} or {@code now()}; evaluated for every row that
     *     omits the column, with the privileges of who inserts it
     * @return this
     */
    public Builder defaultSql(String expression) {
      this.expression = require("default", expression);
      return this;
    }

    @Override
    public SetDefault build() {
      return checked(
          new SetDefault(
              this,
              require("table", table),
              require("column", column),
              require("default", expression)));
    }
  }
}
