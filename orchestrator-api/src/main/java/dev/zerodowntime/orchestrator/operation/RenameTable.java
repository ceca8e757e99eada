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
 * Renames a table; for a while a view shows it under its old name. No row is touched, so that it
 * takes milliseconds at any size.
 *
 * <ul>
 *   <li>{@code EXPAND}: in one transaction the table gets its new name, and a view of all its
 *       columns takes the old one. The view's owner, privileges, defaults and comments are the
 *       table's. Code reads and writes by either name, {@code ON CONFLICT}, {@code RETURNING} and
 *       {@code FOR UPDATE} included.
 *   <li>{@code CONTRACT}: the view is dropped.
 * </ul>
 *
 * <p>Each takes one ACCESS EXCLUSIVE lock for as long as a rename takes, within the lock budget,
 * and each has a way back that loses nothing. What the table has stays on it: keys, foreign keys
 * from and to it, indexes, checks, triggers, sequences, views that read it, row security (from
 * PostgreSQL 15 on; before, a table with row security is refused). Names that were made from the
 * table's, of indexes, constraints and sequences, stay as they are.
 *
 * <p>Until {@code CONTRACT} these statements fail by the old name. They work by the new one:
 *
 * <ul>
 *   <li>{@code ON CONFLICT ON CONSTRAINT} (name the columns instead), {@code MERGE INTO} before
 *       PostgreSQL 17, {@code TRUNCATE}, {@code COPY} from or to the table (but not {@code COPY
 *       (SELECT ...) TO}), {@code TABLESAMPLE}, {@code WHERE CURRENT OF};
 *   <li>the system columns {@code xmin}, {@code ctid}, {@code tableoid} and so on;
 *   <li>{@code SET column = DEFAULT} for an identity column: it writes a null;
 *   <li>a {@code GROUP BY} of the primary key alone, with other columns selected;
 *   <li>{@code ALTER TABLE} and other DDL, {@code REFERENCES} in new foreign keys. And {@code
 *       pg_get_serial_sequence} returns null; drivers see no primary key, so that updatable result
 *       sets fail.
 * </ul>
 *
 * <p>Where the extension {@code pg_stat_statements} is installed, the statements that it has
 * recorded are searched for those of the first two kinds and for {@code SET ... = DEFAULT}; the
 * text of functions is, everywhere. What is found is refused by name before anything is touched.
 * For the others, and where the extension is not installed, the author vouches for there being
 * none.
 *
 * <p>Functions whose text names the table go on working through the view; they are changed between
 * {@code EXPAND} and {@code CONTRACT}, which refuses those that still have the old name ({@code
 * allowFunctions} for one that means something else). A published table is refused.
 *
 * <p>No other unfinished migration may change the same table, by either name, until {@code
 * CONTRACT}; what comes after that, by the new name, is declared {@code .after} this one. An
 * application that narrows itself by {@code touches} names both.
 *
 * <p>That is PostgreSQL. On MySQL and MariaDB the view has whichever of the two names comes first
 * in the alphabet, and the table moves in {@code EXPAND} or in {@code CONTRACT} accordingly; what
 * fails by the view's name there is in {@code docs/mysql.md}.
 */
public final class RenameTable extends Migration<RenameTable.Code> {

  /** How this operation is stored. */
  public static final OperationType<RenameTable> TYPE =
      new OperationType<>("RenameTable", RenameTable.class, RenameTable::restore);

  /** The table has its new name, and a view the old one. */
  public static final int EXPAND = 1;

  /** Only the new name is left. */
  public static final int CONTRACT = 2;

  /** Which name code uses. */
  public enum Code implements CodeStage {
    /** Reads and writes by the old name. */
    OLD,
    /** Reads and writes by the new name. */
    NEW
  }

  private final String from;
  private final String to;

  private RenameTable(Builder b, String from, String to) {
    super(b);
    this.from = from;
    this.to = to;
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

  /** The table, by its name so far. */
  @Override
  public String table() {
    return from;
  }

  @Override
  public Set<String> tableNames() {
    return Set.of(from, to);
  }

  /**
   * The table's new name.
   *
   * @return unquoted
   */
  public String to() {
    return to;
  }

  @Override
  public Set<String> columns() {
    return Set.of(WHOLE_TABLE);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "EXPAND", "CONTRACT"),
        List.of(
            new StageSpan("OLD", new Span(0, EXPAND)),
            new StageSpan("NEW", new Span(EXPAND, CONTRACT))),
        EXPAND,
        CONTRACT,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("from", from);
    fields.put("to", to);
    return fields;
  }

  private static RenameTable restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .from(stored.text("from"))
        .to(stored.text("to"))
        .build();
  }

  /** Declares a {@link RenameTable}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, RenameTable> {

    private @Nullable String from;
    private @Nullable String to;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table's name so far.
     *
     * @param from unquoted and unqualified
     * @return this
     */
    public Builder from(String from) {
      this.from = from;
      return this;
    }

    /**
     * The table's new name.
     *
     * @param to unquoted and unqualified; any Unicode
     * @return this
     */
    public Builder to(String to) {
      this.to = to;
      return this;
    }

    @Override
    public RenameTable build() {
      String before = require("table to rename (from)", from);
      String after = require("new table name (to)", to);
      if (after.equals(before)) {
        throw invalid("from and to are both \"" + after + "\"", "Give a new name.");
      }
      return checked(new RenameTable(this, before, after));
    }
  }
}
