package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Changes rows' data, apart from any schema change: in batches, resumable, verified at the end.
 *
 * <p>One of three kinds: {@link Builder#set assigns expressions} over the row, or over tables
 * {@linkplain Builder#join joined} to it; {@linkplain Builder#compute computes values in Java};
 * {@linkplain Builder#copyInto copies rows into another table}.
 *
 * <p>Unless it is told otherwise, the work must be harmless to repeat: a row that was changed is
 * not changed again, and whoever changes it later finds it changed again as long as the backfill
 * runs. Work for which that isn't so, such as {@code n = n + 1}, says how it is done {@linkplain
 * Builder#oncePerKey() once}, and has no way back once it was begun. Any other changes no row on
 * the way back, unless {@link Builder#undo} says what to.
 *
 * <p>A partitioned table is walked partition by partition, then once more for rows that moved from
 * one to another meanwhile. Partitions that come before the end are walked too. Expressions then
 * name columns bare: in a partition the table has another name.
 */
public final class Backfill extends Migration<Backfill.Code> {

  /** How this operation is stored. */
  public static final OperationType<Backfill> TYPE =
      new OperationType<>("Backfill", Backfill.class, Backfill::restore);

  /** The rows are changed. */
  public static final int BACKFILL = 1;

  /** What code expects of the rows. */
  public enum Code implements CodeStage {
    /** Works with rows that are changed and with rows that are not. */
    UNAWARE,
    /** Needs every row changed. */
    NEEDS
  }

  /** How work that is not harmless to repeat is kept from being repeated. */
  public enum Once {
    /** See {@link Builder#oncePerKey()}. */
    PER_KEY,
    /** See {@link Builder#oncePerLedger()}. */
    PER_LEDGER
  }

  /**
   * A column and what it gets.
   *
   * @param column the column's unquoted name
   * @param sql an SQL expression
   */
  public record Assignment(String column, String sql) {}

  /**
   * Tables beside the one that is changed.
   *
   * @param from tables with their aliases, as in a FROM clause
   * @param on the condition that ties their rows to a row
   */
  public record Join(String from, String on) {}

  /**
   * Values computed in Java.
   *
   * @param reads the columns that are read, unquoted
   * @param writes the columns that are set, unquoted
   * @param name the function's name, which stands for it in the database
   * @param function the function; null in a process whose build doesn't declare it
   */
  public record Computation(
      List<String> reads, List<String> writes, String name, @Nullable RowFunction function) {
    /** Copies the lists. */
    public Computation {
      reads = List.copyOf(reads);
      writes = List.copyOf(writes);
    }
  }

  /**
   * Another table that rows are copied to.
   *
   * @param table its name, unquoted, in the same schema
   * @param key the columns that tell which row of it is whose, unquoted
   */
  public record Destination(String table, List<String> key) {
    /** Copies the list. */
    public Destination {
      key = List.copyOf(key);
    }
  }

  private final String table;
  private final List<Assignment> set;
  private final @Nullable Join join;
  private final @Nullable Computation computation;
  private final @Nullable Destination destination;
  private final @Nullable String where;
  private final @Nullable Once once;
  private final List<Assignment> undo;

  private Backfill(Builder b, String table) {
    super(b);
    this.table = table;
    this.set = List.copyOf(b.set);
    this.join = b.join;
    this.computation = b.computation;
    this.destination = b.destination;
    this.where = b.where;
    this.once = b.once;
    this.undo = List.copyOf(b.undo);
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
   * What is assigned: to columns of the table, or of the {@link #destination()} if there is one.
   *
   * @return in order; empty where values are computed in Java
   */
  public List<Assignment> set() {
    return set;
  }

  /**
   * Tables to compute from.
   *
   * @return empty for none but the row's own
   */
  public Optional<Join> join() {
    return Optional.ofNullable(join);
  }

  /**
   * What is computed in Java.
   *
   * @return empty where SQL computes it
   */
  public Optional<Computation> computation() {
    return Optional.ofNullable(computation);
  }

  /**
   * Where rows are copied to.
   *
   * @return empty where the rows themselves are changed
   */
  public Optional<Destination> destination() {
    return Optional.ofNullable(destination);
  }

  /**
   * Which rows.
   *
   * @return an SQL predicate over the row; empty for all
   */
  public Optional<String> where() {
    return Optional.ofNullable(where);
  }

  /**
   * How the work is kept from being repeated.
   *
   * @return empty where that is harmless
   */
  public Optional<Once> once() {
    return Optional.ofNullable(once);
  }

  /**
   * What is assigned on the way back.
   *
   * @return in order; empty where the way back changes no row
   */
  public List<Assignment> undo() {
    return undo;
  }

  /** The columns that are changed; none where rows are copied elsewhere. */
  @Override
  public Set<String> columns() {
    Set<String> columns = new TreeSet<>();
    if (computation != null) {
      columns.addAll(computation.writes());
    } else if (destination == null) {
      set.forEach(each -> columns.add(each.column()));
    }
    undo.forEach(each -> columns.add(each.column()));
    return columns;
  }

  @Override
  public Lifecycle lifecycle() {
    Lifecycle open =
        Lifecycle.of(
            TYPE.name(),
            List.of("NOT_STARTED", "BACKFILL"),
            List.of(
                new StageSpan("UNAWARE", new Span(0, BACKFILL)),
                new StageSpan("NEEDS", new Span(BACKFILL, BACKFILL))),
            BACKFILL,
            BACKFILL,
            -1);
    // Nobody would know afterwards which rows to leave alone.
    return once == null ? open : open.closedFrom(BACKFILL);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    if (!set.isEmpty()) {
      fields.put("set", maps(set));
    }
    if (join != null) {
      fields.put("from", join.from());
      fields.put("on", join.on());
    }
    if (computation != null) {
      fields.put("function", computation.name());
      fields.put("reads", computation.reads());
      fields.put("writes", computation.writes());
    }
    if (destination != null) {
      fields.put("into", destination.table());
      fields.put("key", destination.key());
    }
    if (where != null) {
      fields.put("where", where);
    }
    if (once != null) {
      fields.put("once", once.name());
    }
    if (!undo.isEmpty()) {
      fields.put("undo", maps(undo));
    }
    return fields;
  }

  private static List<Object> maps(List<Assignment> assignments) {
    List<Object> maps = new ArrayList<>();
    for (Assignment each : assignments) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("column", each.column());
      map.put("sql", each.sql());
      maps.add(map);
    }
    return maps;
  }

  private static List<Assignment> assignments(List<Map<String, Object>> maps) {
    return maps.stream()
        .map(
            each ->
                new Assignment(String.valueOf(each.get("column")), String.valueOf(each.get("sql"))))
        .toList();
  }

  private static Backfill restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table"));
    builder.set.addAll(assignments(stored.maps("set")));
    builder.undo.addAll(assignments(stored.maps("undo")));
    builder.where = stored.optionalText("where");
    String from = stored.optionalText("from");
    if (from != null) {
      builder.join = new Join(from, stored.text("on"));
    }
    String into = stored.optionalText("into");
    if (into != null) {
      builder.destination = new Destination(into, stored.texts("key"));
    }
    String once = stored.optionalText("once");
    if (once != null) {
      builder.once = Once.valueOf(once);
    }
    String function = stored.optionalText("function");
    if (function != null) {
      RowFunction code =
          stored.declared() instanceof Backfill declared
              ? declared.computation().map(Computation::function).orElse(null)
              : null;
      builder.computation =
          new Computation(stored.texts("reads"), stored.texts("writes"), function, code);
    }
    return builder.build();
  }

  /** Declares a {@link Backfill}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, Backfill> {

    private @Nullable String table;
    private final List<Assignment> set = new ArrayList<>();
    private @Nullable Join join;
    private @Nullable Computation computation;
    private @Nullable Destination destination;
    private @Nullable String where;
    private @Nullable Once once;
    private final List<Assignment> undo = new ArrayList<>();

    private Builder(String id) {
      super(id);
    }

    /**
     * The table whose rows are walked.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * Assigns an expression to a column: of the table, or of the one that {@link #copyInto} names.
     * Adds to earlier calls; as in an UPDATE, expressions see the row as it was before.
     *
     * @param column the column's unquoted name
     * @param expression a constant or an SQL expression over the row's columns, and over those of
     *     joined tables; names of tables and functions are looked up as the driver's connection
     *     does, so qualify those that other drivers might not find
     * @return this
     */
    public Builder set(String column, String expression) {
      set.add(assignment(column, expression));
      return this;
    }

    private Assignment assignment(String column, String expression) {
      return new Assignment(require("column", column), require("expression", expression));
    }

    /**
     * Lets expressions use columns of other tables. A row that matches nothing is left as it is; of
     * several rows that match, any is taken. Which rows match, and what is in them, is read as of
     * the moment when a batch begins: rows of other tables are not locked.
     *
     * @param from tables with their aliases, such as {@code "customers c"}
     * @param on the condition, such as {@code "c.id = invoices.customer_id"}
     * @return this
     */
    public Builder join(String from, String on) {
      this.join = new Join(require("joined table", from), require("join condition", on));
      return this;
    }

    /**
     * Computes values in Java, a batch at a time, while its rows are locked. Needs {@link #where},
     * which must not hold any more for a row that was computed, or {@link #oncePerKey()} or {@link
     * #oncePerLedger()}. Only processes whose build declares the migration can do it; others leave
     * it to them.
     *
     * @param reads the columns that the function reads, unquoted
     * @param writes the columns that it sets, unquoted
     * @param name a name for the function, which stands for it in the database: another name is
     *     another migration, and another function under the same name is not noticed
     * @param function the function
     * @return this
     */
    public Builder compute(
        List<String> reads, List<String> writes, String name, RowFunction function) {
      reads.forEach(each -> require("column that is read", each));
      writes.forEach(each -> require("column that is written", each));
      this.computation =
          new Computation(reads, writes, require("name of the function", name), function);
      return this;
    }

    /**
     * Copies rows into another table, with the values that {@link #set} gives; a row that is there
     * is overwritten where it differs. Later changes and deletions of rows are not carried over.
     *
     * @param table the other table's name, unquoted, in the same schema
     * @param key those of its columns that a unique index is on, unquoted; two rows must not have
     *     the same values for them
     * @return this
     */
    public Builder copyInto(String table, String... key) {
      this.destination = new Destination(require("table to copy into", table), List.of(key));
      return this;
    }

    /**
     * Restricts the rows. Default: all of them.
     *
     * @param predicate an SQL predicate over the row
     * @return this
     */
    public Builder where(String predicate) {
      this.where = require("predicate", predicate);
      return this;
    }

    /**
     * Work that must not be repeated: every range of keys is walked once. You promise that keys of
     * rows don't change while it runs; a row whose key does may be changed twice or not at all, and
     * nothing can be verified afterwards. Rows that are inserted meanwhile are not changed if their
     * key is greater than the greatest when it began, and any other may be: where that matters,
     * restrict the rows with {@link #where}, or use {@link #oncePerLedger()}. The way back is
     * closed once it was begun.
     *
     * @return this
     */
    public Builder oncePerKey() {
      this.once = Once.PER_KEY;
      return this;
    }

    /**
     * Work that must not be repeated: a ledger keeps the keys of rows that were changed, and
     * triggers let it follow rows whose key changes. Every row that was there when it began, and is
     * still there at the end, is changed exactly once; one that is inserted meanwhile is not
     * changed, even if it has the key of one that was deleted. Each insert and each change of a key
     * costs a row in the ledger while it runs. The way back is closed once it was begun. Not for
     * partitioned tables: to triggers, a row that moves to another partition is a new one.
     *
     * @return this
     */
    public Builder oncePerLedger() {
      this.once = Once.PER_LEDGER;
      return this;
    }

    /**
     * Assigns an expression on the way back, to rows where it makes a difference. Adds to earlier
     * calls. Default: the way back changes no row.
     *
     * @param column the column's unquoted name
     * @param expression a constant or an SQL expression over the row's columns, harmless to repeat
     * @return this
     */
    public Builder undo(String column, String expression) {
      undo.add(assignment(column, expression));
      return this;
    }

    @Override
    public Backfill build() {
      Backfill built = new Backfill(this, require("table", table));
      requireOneKind();
      requireDistinct(set);
      requireDistinct(undo);
      if (computation != null && where == null && once == null) {
        throw invalid(
            "nothing says which rows function "
                + computation.name()
                + " has still to compute: a process that goes on would begin anew",
            "Add where(\"...\"), which no longer holds for a row that was computed; or"
                + " oncePerLedger().");
      }
      if (once == Once.PER_KEY && join != null) {
        throw invalid(
            "a row that is led to another row of a joined table while its batch runs would be"
                + " missed, and nothing would notice",
            "Use oncePerLedger().");
      }
      if (once != null && !undo.isEmpty()) {
        throw invalid(
            "nothing is known afterwards of which rows were changed once, so that undo would change"
                + " others too",
            "Leave out undo; a migration of its own may change the rows again.");
      }
      return checked(built);
    }

    private void requireOneKind() {
      String problem = null;
      if (computation != null) {
        if (!set.isEmpty() || join != null || destination != null) {
          problem = "what is computed in Java is not assigned, joined or copied as well";
        } else if (computation.writes().isEmpty()) {
          problem = "function " + computation.name() + " writes no column";
        }
      } else if (set.isEmpty()) {
        problem = "it changes nothing";
      } else if (destination != null) {
        if (join != null) {
          problem = "a copy can't join other tables";
        } else if (destination.key().isEmpty()
            || !set.stream().map(Assignment::column).toList().containsAll(destination.key())) {
          problem = "each column of the key of table " + destination.table() + " needs a value";
        } else if (!undo.isEmpty()) {
          problem = "a copy isn't undone: the way back leaves the other table alone";
        }
      }
      if (problem != null) {
        throw invalid(
            problem,
            "Give one of set(column, expression), compute(...), or copyInto(table, key) with set"
                + " for each of its columns.");
      }
    }

    private void requireDistinct(List<Assignment> assignments) {
      Set<String> seen = new TreeSet<>();
      for (Assignment each : assignments) {
        if (!seen.add(each.column())) {
          throw invalid("column " + each.column() + " is assigned twice", "Remove one of them.");
        }
      }
    }
  }
}
