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
 * Gives a column a wider type under the same name, where that is a change of the catalog only: a
 * longer {@code varchar}, or {@code text} instead; a {@code numeric} with more digits and the same
 * scale; and whatever else the server itself can change without touching a row. Which changes are
 * of that kind is not known here: the server is asked, by a trial on an empty copy of the table. A
 * change that would rewrite the table, rebuild an index, or look at every row under a blocking lock
 * is refused, and {@link ChangeColumnType}, which copies the values to a second column, can do it.
 *
 * <p>Locks the table, and those at the other end of the column's foreign keys, ACCESS EXCLUSIVE for
 * a moment, within the lock budget. The step itself proves that the files of the table and its
 * indexes are the same as before, or is rolled back and fails. Checks over the column, whose rows
 * the server would look at under that lock, are added again without looking, and validated while
 * the table is in use. The column's statistics are gone with its old type: the table is analyzed.
 *
 * <p>Statements that name the column, and that a driver has had prepared before, fail inside a
 * transaction after this. So it waits for drivers that are safe by themselves ({@code
 * autosave=conservative}); {@code noStarQueries()} is not enough.
 *
 * <p>The way back: where the old type can be restored the same way, it is. Else the column keeps
 * the wider type, which needs consent, and gets a check that accepts what the old type accepted;
 * rows that don't fit are found first, and named.
 *
 * <p>Refused, by name: views, rules, policies, generated columns, triggers and publications that
 * name the column, functions whose text names it, uses of the table's row type, inherited columns,
 * and partitioned tables.
 */
public final class WidenColumn extends Migration<WidenColumn.Code> {

  /** How this operation is stored. */
  public static final OperationType<WidenColumn> TYPE =
      new OperationType<>("WidenColumn", WidenColumn.class, WidenColumn::restore);

  /** The column has the new type. */
  public static final int DONE = 1;

  /** What code makes of the column's values. */
  public enum Code implements CodeStage {
    /** Fails, or loses something, when it reads a value that only the new type can have. */
    OLD_TYPE,
    /** Works with values of either type; writes what only the new type can have, if it is there. */
    EITHER_TYPE
  }

  private final String table;
  private final String column;
  private final String type;

  private WidenColumn(Builder b, String table, String column, String type) {
    super(b);
    this.table = table;
    this.column = column;
    this.type = type;
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
   * The new type.
   *
   * @return as SQL
   */
  public String type() {
    return type;
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
            new StageSpan("OLD_TYPE", new Span(0, 0)),
            new StageSpan("EITHER_TYPE", new Span(0, DONE))),
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
    return fields;
  }

  private static WidenColumn restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .column(stored.text("column"))
        .type(stored.text("type"))
        .build();
  }

  /** Declares a {@link WidenColumn}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, WidenColumn> {

    private @Nullable String table;
    private @Nullable String column;
    private @Nullable String type;

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
     * The new type. The column keeps its collation.
     *
     * @param type as SQL, such as {@code varchar(200)}
     * @return this
     */
    public Builder type(String type) {
      this.type = type;
      return this;
    }

    /**
     * Has the table copied, with the column of its new type, by {@link
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
    public WidenColumn build() {
      return checked(
          new WidenColumn(
              this, require("table", table), require("column", column), require("new type", type)));
    }
  }
}
