package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Builds an index without blocking writes. Not for unique indexes, which can make code fail that
 * this one can't.
 */
public final class CreateIndex extends Migration<CreateIndex.Code> {

  /** How this operation is stored. */
  public static final OperationType<CreateIndex> TYPE =
      new OperationType<>("CreateIndex", CreateIndex.class, CreateIndex::restore);

  /** The index is there and valid. */
  public static final int DONE = 1;

  /** What code expects of the index. */
  public enum Code implements CodeStage {
    /** Works without it. */
    UNAWARE,
    /** Would be too slow without it. */
    NEEDS
  }

  /**
   * One part of the index key.
   *
   * @param column the column's unquoted name, or null for an expression
   * @param sql the expression, or what follows the column ({@code DESC NULLS LAST}, an operator
   *     class), as SQL
   */
  public record Key(@Nullable String column, @Nullable String sql) {}

  private final String table;
  private final String name;
  private final List<Key> keys;
  private final List<String> include;
  private final @Nullable String method;
  private final @Nullable String where;

  private CreateIndex(Builder b, String table, String name) {
    super(b);
    this.table = table;
    this.name = name;
    this.keys = List.copyOf(b.keys);
    this.include = List.copyOf(b.include);
    this.method = b.method;
    this.where = b.where;
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
   * The index.
   *
   * @return its unquoted name
   */
  public String name() {
    return name;
  }

  /**
   * The parts of its key.
   *
   * @return in order
   */
  public List<Key> keys() {
    return keys;
  }

  /**
   * Columns carried along.
   *
   * @return unquoted names
   */
  public List<String> include() {
    return include;
  }

  /**
   * The access method.
   *
   * @return empty for the database's default
   */
  public Optional<String> method() {
    return Optional.ofNullable(method);
  }

  /**
   * The predicate of a partial index.
   *
   * @return an SQL expression
   */
  public Optional<String> where() {
    return Optional.ofNullable(where);
  }

  @Override
  public Set<String> columns() {
    // An index shares its columns peacefully; only the same index twice would be a conflict, and
    // preflight finds that by its name.
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
    fields.put("name", name);
    List<Object> parts = new ArrayList<>();
    for (Key key : keys) {
      Map<String, Object> part = new LinkedHashMap<>();
      if (key.column() != null) {
        part.put("column", key.column());
      }
      if (key.sql() != null) {
        part.put("sql", key.sql());
      }
      parts.add(part);
    }
    fields.put("keys", parts);
    if (!include.isEmpty()) {
      fields.put("include", List.copyOf(include));
    }
    if (method != null) {
      fields.put("method", method);
    }
    if (where != null) {
      fields.put("where", where);
    }
    return fields;
  }

  private static CreateIndex restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).name(stored.text("name"));
    for (Map<String, Object> part : stored.maps("keys")) {
      builder.keys.add(new Key((String) part.get("column"), (String) part.get("sql")));
    }
    builder.include.addAll(stored.texts("include"));
    builder.method = stored.optionalText("method");
    builder.where = stored.optionalText("where");
    return builder.build();
  }

  /** Declares a {@link CreateIndex}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, CreateIndex> {

    private @Nullable String table;
    private @Nullable String name;
    private final List<Key> keys = new ArrayList<>();
    private final Set<String> include = new LinkedHashSet<>();
    private @Nullable String method;
    private @Nullable String where;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table to index.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The index's name.
     *
     * @param name unquoted
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /**
     * Adds columns to the key.
     *
     * @param columns unquoted names
     * @return this
     */
    public Builder columns(String... columns) {
      for (String column : columns) {
        keys.add(new Key(require("key column", column), null));
      }
      return this;
    }

    /**
     * Adds a column to the key, with an order or operator class.
     *
     * @param column unquoted name
     * @param suffix SQL that follows it, such as {@code DESC NULLS LAST}
     * @return this
     */
    public Builder column(String column, String suffix) {
      keys.add(new Key(require("key column", column), require("key suffix", suffix)));
      return this;
    }

    /**
     * Adds an expression to the key.
     *
     * @param expression SQL, such as {@code lower(email)}
     * @return this
     */
    public Builder expression(String expression) {
      keys.add(new Key(null, require("key expression", expression)));
      return this;
    }

    /**
     * Columns carried along without being part of the key.
     *
     * @param columns unquoted names
     * @return this
     */
    public Builder include(String... columns) {
      include.addAll(List.of(columns));
      return this;
    }

    /**
     * The access method. Default: the database's own, a B-tree.
     *
     * @param method such as {@code gin}
     * @return this
     */
    public Builder using(String method) {
      this.method = require("index method", method);
      return this;
    }

    /**
     * Makes it a partial index.
     *
     * @param predicate SQL
     * @return this
     */
    public Builder where(String predicate) {
      this.where = require("index predicate", predicate);
      return this;
    }

    @Override
    public CreateIndex build() {
      if (keys.isEmpty()) {
        throw invalid("the index has no key", "Add columns(...) or expression(...).");
      }
      return checked(new CreateIndex(this, require("table", table), require("index name", name)));
    }
  }
}
