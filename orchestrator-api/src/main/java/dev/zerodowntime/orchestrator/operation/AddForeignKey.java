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
 * Adds a foreign key, without looking at the rows under a blocking lock.
 *
 * <ul>
 *   <li>{@code ENFORCE}: rows that refer to nothing are counted and shown first. Then new and
 *       changed rows must refer to a row, and what is referred to can't go.
 *   <li>{@code DONE}: it is proved for all rows.
 * </ul>
 *
 * <p>As usual in SQL (MATCH SIMPLE), a row that has NULL in one of the columns refers to nothing
 * and is accepted. Both tables are in the same schema. The way back drops the foreign key.
 *
 * <p>A partitioned table's is proved partition by partition. Before PostgreSQL 18, which can't have
 * an unproved one on the whole, each partition has its own until {@code DONE}.
 */
public final class AddForeignKey extends Migration<AddForeignKey.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddForeignKey> TYPE =
      new OperationType<>("AddForeignKey", AddForeignKey.class, AddForeignKey::restore);

  /** New and changed rows must refer to a row. */
  public static final int ENFORCE = 1;

  /** All rows do. */
  public static final int DONE = 2;

  /** What code writes into the two tables. */
  public enum Code implements CodeStage {
    /** Rows that refer to nothing; or it deletes rows that others refer to, in the wrong order. */
    MAY_VIOLATE,
    /** Only what the foreign key accepts. */
    CONFORMS
  }

  /** What happens to rows that refer to one that is deleted, or whose key is changed. */
  public enum Action {
    /** The statement fails, unless they are gone when it is checked. */
    NO_ACTION,
    /** The statement fails at once. */
    RESTRICT,
    /** They are deleted or changed, too. */
    CASCADE,
    /** They get NULL. */
    SET_NULL,
    /** They get the columns' defaults. */
    SET_DEFAULT;

    /**
     * As SQL has it.
     *
     * @return such as {@code SET NULL}
     */
    public String sql() {
      return name().replace('_', ' ');
    }
  }

  private final String table;
  private final List<String> key;
  private final String name;
  private final @Nullable String referencedSchema;
  private final String referencedTable;
  private final List<String> referencedColumns;
  private final Action onDelete;
  private final Action onUpdate;
  private final boolean deferrable;
  private final boolean initiallyDeferred;
  private final boolean withoutIndex;

  private AddForeignKey(Builder b, String table, String name, String referencedTable) {
    super(b);
    this.table = table;
    this.key = b.key;
    this.name = name;
    this.referencedSchema = b.referencedSchema;
    this.referencedTable = referencedTable;
    this.referencedColumns = b.referencedColumns;
    this.onDelete = b.onDelete;
    this.onUpdate = b.onUpdate;
    this.deferrable = b.deferrable;
    this.initiallyDeferred = b.initiallyDeferred;
    this.withoutIndex = b.withoutIndex;
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
   * The columns that refer to the other table.
   *
   * @return unquoted names, in order
   */
  public List<String> key() {
    return key;
  }

  /**
   * The foreign key.
   *
   * @return its unquoted name
   */
  public String name() {
    return name;
  }

  /**
   * The schema of the table that they refer to.
   *
   * @return empty for the migration's own
   */
  public Optional<String> referencedSchema() {
    return Optional.ofNullable(referencedSchema);
  }

  /**
   * The table that is referred to.
   *
   * @return its unqualified, unquoted name
   */
  public String referencedTable() {
    return referencedTable;
  }

  /**
   * The columns that are referred to.
   *
   * @return unquoted names, in the order of {@link #key()}
   */
  public List<String> referencedColumns() {
    return referencedColumns;
  }

  /**
   * What happens when a row is deleted that others refer to.
   *
   * @return the action
   */
  public Action onDelete() {
    return onDelete;
  }

  /**
   * What happens when the key of a row is changed that others refer to.
   *
   * @return the action
   */
  public Action onUpdate() {
    return onUpdate;
  }

  /**
   * Whether a transaction may have it checked at its end.
   *
   * @return false unless set
   */
  public boolean deferrable() {
    return deferrable;
  }

  /**
   * Whether it is checked at the end of each transaction that doesn't say otherwise.
   *
   * @return false unless set
   */
  public boolean initiallyDeferred() {
    return initiallyDeferred;
  }

  /**
   * Whether the author does without an index on the referring columns.
   *
   * @return false unless set
   */
  public boolean withoutIndex() {
    return withoutIndex;
  }

  @Override
  public Set<String> columns() {
    // Columns may be in several keys. Migrations of one table start one after the other, and
    // preflight finds what is gone by then.
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
    fields.put("key", key);
    fields.put("name", name);
    if (referencedSchema != null) {
      fields.put("referencedSchema", referencedSchema);
    }
    fields.put("referencedTable", referencedTable);
    fields.put("referencedColumns", referencedColumns);
    if (onDelete != Action.NO_ACTION) {
      fields.put("onDelete", onDelete.name());
    }
    if (onUpdate != Action.NO_ACTION) {
      fields.put("onUpdate", onUpdate.name());
    }
    if (deferrable) {
      fields.put("deferrable", true);
    }
    if (initiallyDeferred) {
      fields.put("initiallyDeferred", true);
    }
    if (withoutIndex) {
      fields.put("withoutIndex", true);
    }
    return fields;
  }

  private static AddForeignKey restore(OperationType.Stored stored) {
    Builder builder =
        of(stored.id())
            .restored(stored.schema(), stored.after(), stored.policy())
            .table(stored.text("table"))
            .name(stored.text("name"));
    builder.key = List.copyOf(stored.texts("key"));
    builder.referencedSchema = stored.optionalText("referencedSchema");
    builder.referencedTable = stored.text("referencedTable");
    builder.referencedColumns = List.copyOf(stored.texts("referencedColumns"));
    builder.onDelete = action(stored.optionalText("onDelete"));
    builder.onUpdate = action(stored.optionalText("onUpdate"));
    builder.deferrable = stored.flag("deferrable");
    builder.initiallyDeferred = stored.flag("initiallyDeferred");
    builder.withoutIndex = stored.flag("withoutIndex");
    return builder.build();
  }

  private static Action action(@Nullable String name) {
    return name == null ? Action.NO_ACTION : Action.valueOf(name);
  }

  /** Declares an {@link AddForeignKey}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddForeignKey> {

    private @Nullable String table;
    private List<String> key = List.of();
    private @Nullable String name;
    private @Nullable String referencedSchema;
    private @Nullable String referencedTable;
    private List<String> referencedColumns = List.of();
    private Action onDelete = Action.NO_ACTION;
    private Action onUpdate = Action.NO_ACTION;
    private boolean deferrable;
    private boolean initiallyDeferred;
    private boolean withoutIndex;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table whose rows refer to another's.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The columns that refer to the other table.
     *
     * @param columns unquoted names
     * @return this
     */
    public Builder columns(String... columns) {
      this.key = List.of(columns);
      return this;
    }

    /**
     * The foreign key's name.
     *
     * @param name unquoted
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /**
     * What they refer to: columns that are unique together.
     *
     * @param table the other table, or the same one; unquoted, in the same schema unless {@link
     *     #referencedSchema} names another
     * @param columns unquoted names, in the order of {@link #columns}
     * @return this
     */
    public Builder references(String table, String... columns) {
      this.referencedTable = table;
      this.referencedColumns = List.of(columns);
      return this;
    }

    /**
     * The schema of the table that they refer to. Default: the migration's. The user needs to own
     * no table there, but USAGE of the schema and SELECT and REFERENCES on the table.
     *
     * @param schema unquoted
     * @return this
     */
    public Builder referencedSchema(String schema) {
      this.referencedSchema = require("referenced schema", schema);
      return this;
    }

    /**
     * What happens when a row is deleted that others refer to. Default: {@link Action#NO_ACTION}.
     *
     * @param action the action
     * @return this
     */
    public Builder onDelete(Action action) {
      this.onDelete = action;
      return this;
    }

    /**
     * What happens when the key of a row is changed that others refer to. Default: {@link
     * Action#NO_ACTION}.
     *
     * @param action the action
     * @return this
     */
    public Builder onUpdate(Action action) {
      this.onUpdate = action;
      return this;
    }

    /**
     * Lets transactions have it checked at their end. Default: it is checked with each statement.
     *
     * @return this
     */
    public Builder deferrable() {
      this.deferrable = true;
      return this;
    }

    /**
     * Has it checked at the end of each transaction that doesn't say otherwise.
     *
     * @return this
     */
    public Builder initiallyDeferred() {
      this.deferrable = true;
      this.initiallyDeferred = true;
      return this;
    }

    /**
     * Consents to there being no index on the referring columns: whoever deletes a row of the other
     * table, or changes its key, then waits until all rows of this table were read. Default: it is
     * refused.
     *
     * @return this
     */
    public Builder withoutIndex() {
      this.withoutIndex = true;
      return this;
    }

    @Override
    public AddForeignKey build() {
      AddForeignKey built =
          new AddForeignKey(
              this,
              require("table", table),
              require("constraint name", name),
              require("referenced table", referencedTable));
      key.forEach(each -> require("column", each));
      referencedColumns.forEach(each -> require("referenced column", each));
      if (key.isEmpty() || key.size() != referencedColumns.size()) {
        throw invalid(
            "the foreign key has columns " + key + " for the referenced " + referencedColumns,
            "Give columns(...) and references(table, ...) the same number of columns, at least"
                + " one.");
      }
      if (Set.copyOf(key).size() != key.size()
          || Set.copyOf(referencedColumns).size() != key.size()) {
        throw invalid(
            "a column is there twice in " + key + " or " + referencedColumns, "Name each once.");
      }
      return checked(built);
    }
  }
}
