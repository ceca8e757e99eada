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
 * Gives a table that has none a primary key, without blocking writes. Its columns must be NOT NULL
 * already.
 *
 * <ul>
 *   <li>{@code ENFORCE}: a unique index is built while the table is in use. It rejects duplicates
 *       from the middle of its build on; so first all code must conform.
 *   <li>{@code DONE}: the index becomes the constraint's; no row is looked at.
 * </ul>
 *
 * <p>Duplicates that are there are shown before anything is built: how many, and the worst of them
 * with their keys. For that the table is grouped by the key, when the migration is registered and
 * again right before {@code ENFORCE}, without a lock beyond that of a SELECT and for 2 seconds at
 * most. Where that is not enough, on a large table, the build itself looks for them: one pass over
 * the table and one sort, as any other look would cost, and it rejects nothing before it has found
 * none. Duplicates that come in between fail the migration in the same way: it names one, the index
 * is dropped at once, and {@code resume} builds it again.
 *
 * <p>Nothing else of that name may be there; the same constraint or index, made by hand, is taken
 * over. Leaving {@code ENFORCE} downwards drops constraint and index, within the lock budget; it is
 * refused by the database while a foreign key references them. The columns stay NOT NULL.
 */
public final class AddPrimaryKey extends Migration<AddPrimaryKey.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddPrimaryKey> TYPE =
      new OperationType<>("AddPrimaryKey", AddPrimaryKey.class, AddPrimaryKey::restore);

  /** The unique index is there and valid: no row breaks the rule, and none can come to. */
  public static final int ENFORCE = 1;

  /** The index is the primary key's. */
  public static final int DONE = 2;

  /** What code does about the rule. */
  public enum Code implements CodeStage {
    /** May write a key that is there already. */
    MAY_VIOLATE,
    /** Never writes a key twice, but does not need the primary key. */
    CONFORMS,
    /**
     * Fails without it: names the key in ON CONFLICT, groups by it alone, or declares a foreign key
     * to it.
     */
    NEEDS
  }

  private final String table;
  private final String name;
  private final List<String> keyColumns;
  private final List<String> include;

  private AddPrimaryKey(Builder b, String table, String name) {
    super(b);
    this.table = table;
    this.name = name;
    this.keyColumns = List.copyOf(b.keyColumns);
    this.include = List.copyOf(b.include);
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
   * The constraint, and its index.
   *
   * @return its unquoted name
   */
  public String name() {
    return name;
  }

  /**
   * What is to be unique.
   *
   * @return unquoted names of columns, in the index's order
   */
  public List<String> keyColumns() {
    return keyColumns;
  }

  /**
   * Columns that the index carries along.
   *
   * @return unquoted names
   */
  public List<String> include() {
    return include;
  }

  @Override
  public Set<String> columns() {
    // It changes none of them, and may follow a backfill that removes duplicates; the same one
    // twice is found by its name.
    return Set.of();
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "ENFORCE", "DONE"),
        List.of(
            new StageSpan("MAY_VIOLATE", new Span(0, 0)),
            new StageSpan("CONFORMS", new Span(0, DONE)),
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
    fields.put("columns", keyColumns);
    if (!include.isEmpty()) {
      fields.put("include", include);
    }
    return fields;
  }

  private static AddPrimaryKey restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).name(stored.text("name"));
    builder.keyColumns.addAll(stored.texts("columns"));
    builder.include.addAll(stored.texts("include"));
    return builder.build();
  }

  /** Declares an {@link AddPrimaryKey}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddPrimaryKey> {

    private @Nullable String table;
    private @Nullable String name;
    private final List<String> keyColumns = new ArrayList<>();
    private final List<String> include = new ArrayList<>();

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
     * The constraint's name, which is its index's as well.
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
        keyColumns.add(require("key column", column));
      }
      return this;
    }

    /**
     * Columns that the index carries along without their being part of the key. Default: none.
     *
     * @param columns unquoted names
     * @return this
     */
    public Builder include(String... columns) {
      for (String column : columns) {
        include.add(require("included column", column));
      }
      return this;
    }

    @Override
    public AddPrimaryKey build() {
      if (keyColumns.isEmpty()) {
        throw invalid("the primary key has no column", "Add columns(...).");
      }
      for (String column : keyColumns) {
        if (keyColumns.indexOf(column) != keyColumns.lastIndexOf(column)) {
          throw invalid(
              "the primary key has column \"" + column + "\" twice", "Name each column once.");
        }
      }
      return checked(
          new AddPrimaryKey(this, require("table", table), require("primary key's name", name)));
    }
  }
}
