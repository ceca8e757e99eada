package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Creates a table.
 *
 * <p>Nobody knows the table yet, so it is locked without anybody waiting; a table that a foreign
 * key points to is locked SHARE ROW EXCLUSIVE, which its writes wait for, within the lock budget.
 *
 * <p>The way back loses nothing: the table is renamed to a tombstone, with the rows it has come to
 * hold. Going on again brings that back; who doesn't want it drops it by hand. While it is
 * quarantined its foreign keys still hold, as they do for code that is {@code UNAWARE} of the
 * table: a row that it references can't be deleted, unless the foreign key says ON DELETE.
 *
 * <p>The table belongs to the user that changes the schema. If the application's is another one,
 * let ALTER DEFAULT PRIVILEGES say what that one may do.
 *
 * <p>Refused: a name that is taken; whatever the server doesn't take of the statement, which is
 * tried on a temporary table first; a foreign key to something else than a table with a matching
 * key.
 */
public final class CreateTable extends Migration<CreateTable.Code> {

  /** How this operation is stored. */
  public static final OperationType<CreateTable> TYPE =
      new OperationType<>("CreateTable", CreateTable.class, CreateTable::restore);

  /** The table is there. */
  public static final int DONE = 1;

  /** What code expects of the table. */
  public enum Code implements CodeStage {
    /** Does not use it. */
    UNAWARE,
    /** Uses it. */
    NEEDS
  }

  /**
   * A column.
   *
   * @param name unquoted
   * @param type as SQL; COLLATE or GENERATED may follow
   * @param notNull whether it is NOT NULL
   * @param defaultSql its default as SQL, or null
   */
  public record Column(String name, String type, boolean notNull, @Nullable String defaultSql) {}

  /**
   * A foreign key.
   *
   * @param columns unquoted names of the columns
   * @param table the table it points to, in the same schema; unquoted
   * @param references unquoted names of that table's columns
   * @param sql what follows, such as {@code ON DELETE CASCADE}; may be empty
   */
  public record ForeignKey(
      List<String> columns, String table, List<String> references, String sql) {

    /** Copies the lists. */
    public ForeignKey {
      columns = List.copyOf(columns);
      references = List.copyOf(references);
    }
  }

  private final String table;
  private final List<Column> tableColumns;
  private final List<String> primaryKey;
  private final List<ForeignKey> foreignKeys;
  private final List<String> constraints;

  private CreateTable(Builder b, String table) {
    super(b);
    this.table = table;
    this.tableColumns = List.copyOf(b.columns);
    this.primaryKey = List.copyOf(b.primaryKey);
    this.foreignKeys = List.copyOf(b.foreignKeys);
    this.constraints = List.copyOf(b.constraints);
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
   * The table's columns.
   *
   * @return in order
   */
  public List<Column> tableColumns() {
    return tableColumns;
  }

  /**
   * The columns of the primary key.
   *
   * @return unquoted names; empty for none
   */
  public List<String> primaryKey() {
    return primaryKey;
  }

  /**
   * The foreign keys.
   *
   * @return in order
   */
  public List<ForeignKey> foreignKeys() {
    return foreignKeys;
  }

  /**
   * Further constraints.
   *
   * @return SQL, such as {@code CHECK (amount > 0)}
   */
  public List<String> constraints() {
    return constraints;
  }

  @Override
  public Set<String> columns() {
    // Nothing is changed that is there; what comes later waits in declaration order.
    return Set.of();
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
    List<Object> parts = new ArrayList<>();
    for (Column column : tableColumns) {
      Map<String, Object> part = new LinkedHashMap<>();
      part.put("name", column.name());
      part.put("type", column.type());
      if (column.notNull()) {
        part.put("notNull", true);
      }
      if (column.defaultSql() != null) {
        part.put("default", column.defaultSql());
      }
      parts.add(part);
    }
    fields.put("columns", parts);
    if (!primaryKey.isEmpty()) {
      fields.put("primaryKey", primaryKey);
    }
    List<Object> keys = new ArrayList<>();
    for (ForeignKey key : foreignKeys) {
      Map<String, Object> part = new LinkedHashMap<>();
      part.put("columns", key.columns());
      part.put("table", key.table());
      part.put("references", key.references());
      part.put("sql", key.sql());
      keys.add(part);
    }
    if (!keys.isEmpty()) {
      fields.put("foreignKeys", keys);
    }
    if (!constraints.isEmpty()) {
      fields.put("constraints", constraints);
    }
    return fields;
  }

  private static CreateTable restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table"));
    for (Map<String, Object> part : stored.maps("columns")) {
      builder.columns.add(
          new Column(
              text(part, "name"),
              text(part, "type"),
              Boolean.TRUE.equals(part.get("notNull")),
              (String) part.get("default")));
    }
    builder.primaryKey.addAll(stored.texts("primaryKey"));
    for (Map<String, Object> part : stored.maps("foreignKeys")) {
      builder.foreignKeys.add(
          new ForeignKey(
              texts(part, "columns"),
              text(part, "table"),
              texts(part, "references"),
              text(part, "sql")));
    }
    builder.constraints.addAll(stored.texts("constraints"));
    return builder.build();
  }

  private static String text(Map<String, Object> part, String name) {
    if (part.get(name) instanceof String text) {
      return text;
    }
    throw new IllegalArgumentException("field " + name + " is missing");
  }

  private static List<String> texts(Map<String, Object> part, String name) {
    List<String> texts = new ArrayList<>();
    if (part.get(name) instanceof List<?> list) {
      list.forEach(each -> texts.add((String) each));
    }
    return texts;
  }

  /** Declares a {@link CreateTable}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, CreateTable> {

    private @Nullable String table;
    private final List<Column> columns = new ArrayList<>();
    private final List<String> primaryKey = new ArrayList<>();
    private final List<ForeignKey> foreignKeys = new ArrayList<>();
    private final List<String> constraints = new ArrayList<>();

    private Builder(String id) {
      super(id);
    }

    /**
     * The new table.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * Adds a column, nullable and without a default.
     *
     * @param name unquoted
     * @param type as SQL, such as {@code numeric(10,2)}; COLLATE or GENERATED may follow
     * @return this
     */
    public Builder column(String name, String type) {
      return add(name, type, false, null);
    }

    /**
     * Adds a column that is NOT NULL, without a default.
     *
     * @param name unquoted
     * @param type see {@link #column(String, String)}
     * @return this
     */
    public Builder notNullColumn(String name, String type) {
      return add(name, type, true, null);
    }

    /**
     * Adds a column that is NOT NULL, with a default.
     *
     * @param name unquoted
     * @param type see {@link #column(String, String)}
     * @param defaultSql an SQL expression
     * @return this
     */
    public Builder notNullColumn(String name, String type, String defaultSql) {
      return add(name, type, true, require("default", defaultSql));
    }

    /**
     * Adds a nullable column with a default.
     *
     * @param name unquoted
     * @param type see {@link #column(String, String)}
     * @param defaultSql an SQL expression
     * @return this
     */
    public Builder column(String name, String type, String defaultSql) {
      return add(name, type, false, require("default", defaultSql));
    }

    private Builder add(String name, String type, boolean notNull, @Nullable String defaultSql) {
      columns.add(new Column(require("column", name), require("type", type), notNull, defaultSql));
      return this;
    }

    /**
     * The primary key. Default: none.
     *
     * @param columns unquoted names
     * @return this
     */
    public Builder primaryKey(String... columns) {
      primaryKey.clear();
      for (String column : columns) {
        primaryKey.add(require("key column", column));
      }
      return this;
    }

    /**
     * Adds a foreign key of one column.
     *
     * @param column unquoted
     * @param table the table it points to, in the same schema; unquoted
     * @param references that table's column
     * @param sql what follows, such as {@code ON DELETE CASCADE}; may be empty
     * @return this
     */
    public Builder foreignKey(String column, String table, String references, String sql) {
      return foreignKey(List.of(column), table, List.of(references), sql);
    }

    /**
     * Adds a foreign key.
     *
     * @param columns unquoted names
     * @param table the table it points to, in the same schema; unquoted
     * @param references names of that table's columns
     * @param sql what follows, such as {@code ON DELETE CASCADE}; may be empty
     * @return this
     */
    public Builder foreignKey(
        List<String> columns, String table, List<String> references, String sql) {
      columns.forEach(each -> require("foreign key column", each));
      references.forEach(each -> require("referenced column", each));
      foreignKeys.add(new ForeignKey(columns, require("referenced table", table), references, sql));
      return this;
    }

    /**
     * Adds a constraint that is neither the primary key nor a foreign key.
     *
     * @param sql such as {@code CONSTRAINT positive CHECK (amount > 0)}
     * @return this
     */
    public Builder constraint(String sql) {
      constraints.add(require("constraint", sql));
      return this;
    }

    @Override
    public CreateTable build() {
      if (columns.isEmpty()) {
        throw invalid("the table has no column", "Add column(...).");
      }
      return checked(new CreateTable(this, require("table", table)));
    }
  }
}
