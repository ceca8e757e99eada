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
 * Drops a check, a foreign key or a unique constraint. The way back restores it exactly, with its
 * comment: first for new and changed rows, then it is proved for all rows while the table is in
 * use. Rows that a check would reject by then are counted and shown first.
 *
 * <p>A unique constraint's index goes with it. On the way back that is built while the table is in
 * use, which finds duplicates, and the constraint takes it. One that a foreign key of any table
 * depends on is refused, and so is one that is deferrable, the replica identity, or what the table
 * is clustered by.
 */
public final class DropConstraint extends Migration<DropConstraint.Code> {

  /** How this operation is stored. */
  public static final OperationType<DropConstraint> TYPE =
      new OperationType<>("DropConstraint", DropConstraint.class, DropConstraint::restore);

  /** The constraint is gone. */
  public static final int DONE = 1;

  /** What code relies on. */
  public enum Code implements CodeStage {
    /** That what is stored satisfies the constraint; or upserts on it, or is fast by its index. */
    USES,
    /** Does not rely on the constraint. */
    UNUSED
  }

  private final String table;
  private final String name;

  private DropConstraint(Builder b, String table, String name) {
    super(b);
    this.table = table;
    this.name = name;
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
   * The constraint.
   *
   * @return its unquoted name
   */
  public String name() {
    return name;
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
        List.of(new StageSpan("USES", new Span(0, 0)), new StageSpan("UNUSED", new Span(0, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("name", name);
    return fields;
  }

  private static DropConstraint restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .name(stored.text("name"))
        .build();
  }

  /** Declares a {@link DropConstraint}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DropConstraint> {

    private @Nullable String table;
    private @Nullable String name;

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
     * The constraint.
     *
     * @param name its name, unquoted
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    @Override
    public DropConstraint build() {
      return checked(
          new DropConstraint(this, require("table", table), require("constraint name", name)));
    }
  }
}
