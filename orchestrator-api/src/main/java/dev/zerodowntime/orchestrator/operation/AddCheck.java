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
 * Adds a check that every row must pass, without looking at the rows under a blocking lock.
 *
 * <ul>
 *   <li>{@code ENFORCE}: rows that don't pass are counted and shown first, for from then on every
 *       update of one would fail, whatever it changes. Then new and changed rows must pass.
 *   <li>{@code DONE}: it is proved for all rows.
 * </ul>
 *
 * <p>The way back drops it. On a partitioned table it is proved partition by partition.
 */
public final class AddCheck extends Migration<AddCheck.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddCheck> TYPE =
      new OperationType<>("AddCheck", AddCheck.class, AddCheck::restore);

  /** New and changed rows must pass. */
  public static final int ENFORCE = 1;

  /** All rows do. */
  public static final int DONE = 2;

  /** What rows code writes. */
  public enum Code implements CodeStage {
    /** Some that the check rejects. */
    MAY_VIOLATE,
    /** Only such as pass. */
    CONFORMS
  }

  private final String table;
  private final String name;
  private final String expression;

  private AddCheck(Builder b, String table, String name, String expression) {
    super(b);
    this.table = table;
    this.name = name;
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
   * The check.
   *
   * @return its unquoted name
   */
  public String name() {
    return name;
  }

  /**
   * What it demands.
   *
   * @return an SQL expression over the row's columns
   */
  public String expression() {
    return expression;
  }

  @Override
  public Set<String> columns() {
    // Which ones the expression is over only the database knows. Migrations of one table start one
    // after the other, and preflight finds what is gone by then.
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
    fields.put("name", name);
    fields.put("expression", expression);
    return fields;
  }

  private static AddCheck restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .name(stored.text("name"))
        .expression(stored.text("expression"))
        .build();
  }

  /** Declares an {@link AddCheck}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddCheck> {

    private @Nullable String table;
    private @Nullable String name;
    private @Nullable String expression;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table whose rows are checked.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The check's name.
     *
     * @param name unquoted
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /**
     * What it demands of a row. As in SQL, a row passes unless the expression is false: one for
     * which it is null passes.
     *
     * @param expression an SQL expression over the table's columns
     * @return this
     */
    public Builder expression(String expression) {
      this.expression = expression;
      return this;
    }

    /**
     * Has the table copied, with a check in it that the server enforces itself, by {@link
     * OrchestratorBuilder#copyTool}: on MySQL and MariaDB, for what the server does only by
     * blocking every write, or for a table that is too big to be rebuilt in place. Refused on
     * PostgreSQL, which needs no copy.
     *
     * @return this
     */
    public Builder byCopy() {
      copied();
      return this;
    }

    @Override
    public AddCheck build() {
      return checked(
          new AddCheck(
              this,
              require("table", table),
              require("constraint name", name),
              require("check expression", expression)));
    }
  }
}
