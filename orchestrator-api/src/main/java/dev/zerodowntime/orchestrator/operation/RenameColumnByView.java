package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Renames a column without copying it: for a while the table is a view that shows the column under
 * both names. No row is touched, so that it takes milliseconds at any size.
 *
 * <ul>
 *   <li>{@code EXPAND}: in one transaction the table gets a name of ours, and a view takes its
 *       place. It has the table's columns in their order, and the new name at the end; its owner,
 *       privileges and comments are the table's. Code reads and writes either name, {@code ON
 *       CONFLICT} included; only a statement that writes both fails.
 *   <li>{@code CONTRACT}: in one transaction the view goes, the table gets its name back, and the
 *       column its new one.
 * </ul>
 *
 * <p>Each takes one ACCESS EXCLUSIVE lock for as long as a rename takes, within the lock budget,
 * and each has a way back that loses nothing. What the table has stays on it, and goes on working:
 * keys, foreign keys from and to it, indexes of every kind, checks, triggers, generated columns,
 * views that read it, row security (from PostgreSQL 15 on).
 *
 * <p>Between {@code EXPAND} and {@code CONTRACT} these statements on the table fail:
 *
 * <ul>
 *   <li>{@code ON CONFLICT ON CONSTRAINT} (name the columns instead), {@code MERGE INTO} before
 *       PostgreSQL 17, {@code TRUNCATE}, {@code COPY} from or to the table (but not {@code COPY
 *       (SELECT ...) TO}), {@code TABLESAMPLE}, {@code WHERE CURRENT OF};
 *   <li>the system columns {@code xmin}, {@code ctid}, {@code tableoid} and so on;
 *   <li>{@code SET column = DEFAULT} for the renamed column: it writes a null;
 *   <li>the same for an identity column;
 *   <li>a {@code GROUP BY} of the primary key alone, with other columns selected;
 *   <li>an {@code INSERT} without a list of columns that gives a value for each of {@code SELECT
 *       *}'s;
 *   <li>{@code ALTER TABLE} and other DDL. And {@code pg_get_serial_sequence} returns null; drivers
 *       see no primary key, so that updatable result sets fail.
 * </ul>
 *
 * <p>Where the extension {@code pg_stat_statements} is installed, the statements that it has
 * recorded are searched for those of the first three kinds, and refused by name before anything is
 * touched. For the others, and where it is not installed, the author vouches for there being none.
 * {@link RenameColumn}, with a second column and triggers, has none of these limits.
 *
 * <p>No other unfinished migration may change the same table until {@code CONTRACT}.
 *
 * <p>PostgreSQL only.
 */
public final class RenameColumnByView extends Migration<RenameColumnByView.Code>
    implements ColumnRename {

  /** How this operation is stored. */
  public static final OperationType<RenameColumnByView> TYPE =
      new OperationType<>(
          "RenameColumnByView", RenameColumnByView.class, RenameColumnByView::restore);

  /** The view is there, with both names. */
  public static final int EXPAND = 1;

  /** The table is back, with the new name alone. */
  public static final int CONTRACT = 2;

  /** Which name code uses. */
  public enum Code implements CodeStage {
    /** Reads and writes the old name. */
    USES_OLD_NAME,
    /** Reads and writes the new name. */
    USES_NEW_NAME
  }

  private final String table;
  private final String from;
  private final String to;

  private RenameColumnByView(Builder b) {
    super(b);
    this.table = b.table();
    this.from = b.from();
    this.to = b.to();
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

  @Override
  public String from() {
    return from;
  }

  @Override
  public String to() {
    return to;
  }

  /** The whole table: meanwhile it is a view. */
  @Override
  public Set<String> columns() {
    return Set.of(from, to, WHOLE_TABLE);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "EXPAND", "CONTRACT"),
        List.of(
            new StageSpan("USES_OLD_NAME", new Span(0, EXPAND)),
            new StageSpan("USES_NEW_NAME", new Span(EXPAND, CONTRACT))),
        EXPAND,
        CONTRACT,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    return renameFields();
  }

  private static RenameColumnByView restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .from(stored.text("from"))
        .to(stored.text("to"))
        .build();
  }

  /** Declares a {@link RenameColumnByView}. Not thread-safe. */
  public static final class Builder extends ColumnRename.Builder<Builder, RenameColumnByView> {

    private Builder(String id) {
      super(id);
    }

    @Override
    public RenameColumnByView build() {
      return checked(new RenameColumnByView(this));
    }
  }
}
