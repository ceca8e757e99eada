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
 * Adds an exclusion constraint to an empty table. To one with rows it is refused: PostgreSQL builds
 * the constraint's index while nobody may read or write the table, for there is neither a
 * CONCURRENTLY nor a NOT VALID for it. (Rows that come in between are looked at within the lock
 * budget, or not at all.)
 *
 * <p>What can be done instead: where all operators are {@code =}, {@link AddUnique}; else a new
 * table that has the constraint from the beginning ({@link CreateTable} with {@code
 * constraint(...)}) that code moves to; or a maintenance window.
 *
 * <p>The way back drops the constraint.
 *
 * <p>PostgreSQL only.
 */
public final class AddExclusion extends Migration<AddExclusion.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddExclusion> TYPE =
      new OperationType<>("AddExclusion", AddExclusion.class, AddExclusion::restore);

  /** The constraint holds. */
  public static final int DONE = 1;

  /** What code writes. */
  public enum Code implements CodeStage {
    /** Rows that the constraint may reject. */
    MAY_VIOLATE,
    /** Only rows that it accepts, or it copes with the error. */
    CONFORMS
  }

  private final String table;
  private final String name;
  private final String definition;

  private AddExclusion(Builder b, String table, String name, String definition) {
    super(b);
    this.table = table;
    this.name = name;
    this.definition = definition;
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
   * What excludes what.
   *
   * @return the SQL that follows {@code EXCLUDE}
   */
  public String definition() {
    return definition;
  }

  @Override
  public Set<String> columns() {
    // Which ones it is over only the database knows. Migrations of one table start one after the
    // other.
    return Set.of();
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "DONE"),
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
    fields.put("name", name);
    fields.put("definition", definition);
    return fields;
  }

  private static AddExclusion restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .name(stored.text("name"))
        .definition(stored.text("definition"))
        .build();
  }

  /** Declares an {@link AddExclusion}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddExclusion> {

    private @Nullable String table;
    private @Nullable String name;
    private @Nullable String definition;

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
     * The constraint.
     *
     * @param name its name, unquoted
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /**
     * What excludes what.
     *
     * @param sql what follows {@code EXCLUDE}, such as {@code USING gist (room WITH =, during WITH
     *     &&)}
     * @return this
     */
    public Builder definition(String sql) {
      this.definition = sql;
      return this;
    }

    @Override
    public AddExclusion build() {
      return checked(
          new AddExclusion(
              this,
              require("table", table),
              require("constraint name", name),
              require("definition", definition)));
    }
  }
}
