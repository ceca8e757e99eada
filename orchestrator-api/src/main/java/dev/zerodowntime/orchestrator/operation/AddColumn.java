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
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds a column, nullable first, always.
 *
 * <ul>
 *   <li>{@code EXPAND}: the column is there, nullable, with its default. With {@link
 *       Builder#notNull()}, a trigger also fills it wherever a row is written without it.
 *   <li>{@code BACKFILL}: rows written before are filled, in batches.
 *   <li>{@code ENFORCE}: NOT NULL, proved by a check constraint that was validated without blocking
 *       writes.
 *   <li>{@code DONE}: the fill trigger is gone.
 * </ul>
 *
 * <p>A nullable column goes through the same phases; those with nothing to do have no steps. The
 * way back is open from every phase and quarantines the column instead of dropping it.
 */
public final class AddColumn extends Migration<AddColumn.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddColumn> TYPE =
      new OperationType<>("AddColumn", AddColumn.class, AddColumn::restore);

  /** The column is there. */
  public static final int EXPAND = 1;

  /** Existing rows are filled. */
  public static final int BACKFILL = 2;

  /** NOT NULL holds. */
  public static final int ENFORCE = 3;

  /** The fill trigger is gone. */
  public static final int DONE = 4;

  /** What code does with the new column. */
  public enum Code implements CodeStage {
    /** Does not know the column: omits it when it writes. */
    UNAWARE,
    /** Writes the column, and does not rely on old rows having a value. */
    WRITES,
    /** Relies on every row having a value, and always writes one. */
    READS
  }

  private final String table;
  private final String column;
  private final String type;
  private final boolean notNull;
  private final @Nullable String defaultSql;
  private final @Nullable String fillSql;

  private AddColumn(Builder b, String table, String column, String type) {
    super(b);
    this.table = table;
    this.column = column;
    this.type = type;
    this.notNull = b.notNull;
    this.defaultSql = b.defaultSql;
    this.fillSql = b.fillSql;
  }

  /**
   * Starts a declaration.
   *
   * @param id the migration's id, such as {@code billing/2026-11-users-region}
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
   * @return as written in the database's SQL
   */
  public String type() {
    return type;
  }

  /**
   * Whether it ends up NOT NULL.
   *
   * @return false if it stays nullable
   */
  public boolean notNull() {
    return notNull;
  }

  /**
   * The column's default.
   *
   * @return an SQL expression
   */
  public Optional<String> defaultSql() {
    return Optional.ofNullable(defaultSql);
  }

  /**
   * The value of rows that are written without the column while the roll-out lasts, and of rows
   * that were there before.
   *
   * @return an SQL expression over the row's columns
   */
  public Optional<String> fillSql() {
    return Optional.ofNullable(fillSql);
  }

  @Override
  public Set<String> columns() {
    return Set.of(column);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "EXPAND", "BACKFILL", "ENFORCE", "DONE"),
        List.of(
            // Nothing rejects a row without the column when it may be null for good.
            new StageSpan("UNAWARE", new Span(0, notNull ? ENFORCE : DONE)),
            new StageSpan("WRITES", new Span(EXPAND, notNull ? ENFORCE : DONE)),
            new StageSpan("READS", new Span(notNull || fillSql != null ? ENFORCE : EXPAND, DONE))),
        ENFORCE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("column", column);
    fields.put("type", type);
    fields.put("notNull", notNull);
    if (defaultSql != null) {
      fields.put("default", defaultSql);
    }
    if (fillSql != null) {
      fields.put("fill", fillSql);
    }
    return fields;
  }

  private static AddColumn restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).column(stored.text("column"), stored.text("type"));
    builder.notNull = stored.flag("notNull");
    builder.defaultSql = stored.optionalText("default");
    builder.fillSql = stored.optionalText("fill");
    return builder.build();
  }

  /** Declares an {@link AddColumn}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddColumn> {

    private @Nullable String table;
    private @Nullable String column;
    private @Nullable String type;
    private boolean notNull;
    private @Nullable String defaultSql;
    private @Nullable String fillSql;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table that gets the column.
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
     * @param name its name, unquoted; any Unicode
     * @param type its type in the database's SQL, such as {@code varchar(40)}
     * @return this
     */
    public Builder column(String name, String type) {
      this.column = name;
      this.type = type;
      return this;
    }

    /**
     * The column ends up NOT NULL. Needs {@link #fillWithSql} or {@link #defaultSql}.
     *
     * @return this
     */
    public Builder notNull() {
      this.notNull = true;
      return this;
    }

    /**
     * The column's default. A constant one costs nothing on existing rows where the server has fast
     * defaults; a volatile one is filled in batches.
     *
     * @param expression an SQL expression
     * @return this
     */
    public Builder defaultSql(String expression) {
      this.defaultSql = require("default", expression);
      return this;
    }

    /**
     * The value of rows that lack one. Evaluated in the row's own UPDATE or INSERT, with the rights
     * of the driver's database user; with NOT NULL it must not yield NULL.
     *
     * @param expression an SQL expression over the table's columns
     * @return this
     */
    public Builder fillWithSql(String expression) {
      this.fillSql = require("fill expression", expression);
      return this;
    }

    @Override
    public AddColumn build() {
      AddColumn built =
          new AddColumn(
              this,
              require("table", table),
              require("column", column),
              require("column type", type));
      if (notNull && fillSql == null && defaultSql == null) {
        throw invalid(
            "column " + column + " is NOT NULL, but existing rows would have no value",
            "Add fillWithSql(\"...\") or defaultSql(\"...\").");
      }
      return checked(built);
    }
  }
}
