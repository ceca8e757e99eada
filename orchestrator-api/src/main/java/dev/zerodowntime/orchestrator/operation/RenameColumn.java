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
 * Renames a column while old and new code both write it: a second column, kept in step by triggers.
 *
 * <ul>
 *   <li>{@code EXPAND}: the new column, and triggers that carry every write across, both ways.
 *   <li>{@code BACKFILL}, {@code VERIFY}: rows written before are copied, and proved equal by
 *       image.
 *   <li>{@code ENFORCE}: the new column gets everything the old one has, but its default.
 *   <li>{@code CONTRACT}: the default moves, the old column is relaxed and quarantined as a
 *       tombstone; values are still carried to it, so that the way back loses nothing.
 *   <li>{@code PURGE}: after retention and the backup gate, the tombstone and the triggers go.
 * </ul>
 *
 * <p>What a second column can't carry is refused, and {@link RenameColumnByView}, which copies
 * nothing, can: primary keys, columns that other tables reference, unique indexes that are partial
 * or over expressions.
 *
 * <p>Until {@code PURGE} no other migration may change either column: the triggers name the new
 * one, and the way back needs it.
 *
 * <p>Where a unique index covers the column, code may not upsert on the new name ({@code ON
 * CONFLICT (new_name)}) before {@code CONTRACT}: that is {@link Code#UPSERTS_NEW_NAME}.
 */
public final class RenameColumn extends Migration<RenameColumn.Code> implements ColumnRename {

  /** How this operation is stored. */
  public static final OperationType<RenameColumn> TYPE =
      new OperationType<>("RenameColumn", RenameColumn.class, RenameColumn::restore);

  /** The new column and the sync triggers are there. */
  public static final int EXPAND = 1;

  /** Existing rows are copied. */
  public static final int BACKFILL = 2;

  /** Every row is proved equal. */
  public static final int VERIFY = 3;

  /** The new column has what the old one has. */
  public static final int ENFORCE = 4;

  /** The old column is quarantined. */
  public static final int CONTRACT = 5;

  /** The old column is gone. */
  public static final int PURGE = 6;

  /** Which name code uses. */
  public enum Code implements CodeStage {
    /** Reads and writes the old name. */
    USES_OLD_NAME,
    /** Reads and writes the new name, but does not upsert on it. */
    USES_NEW_NAME,
    /** Also upserts on a unique index over the new name. */
    UPSERTS_NEW_NAME
  }

  private final String table;
  private final String from;
  private final String to;

  private RenameColumn(Builder b) {
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

  @Override
  public Set<String> columns() {
    return Set.of(from, to);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "EXPAND", "BACKFILL", "VERIFY", "ENFORCE", "CONTRACT", "PURGE"),
        List.of(
            new StageSpan("USES_OLD_NAME", new Span(0, ENFORCE)),
            new StageSpan("USES_NEW_NAME", new Span(ENFORCE, PURGE)),
            // [4,6] where the dialect finds no unique index on the column.
            new StageSpan("UPSERTS_NEW_NAME", new Span(CONTRACT, PURGE))),
        ENFORCE,
        // At CONTRACT the sync still names the new column, and the way back the tombstone.
        PURGE,
        PURGE);
  }

  @Override
  public Map<String, Object> fields() {
    return renameFields();
  }

  private static RenameColumn restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .from(stored.text("from"))
        .to(stored.text("to"))
        .build();
  }

  /** Declares a {@link RenameColumn}. Not thread-safe. */
  public static final class Builder extends ColumnRename.Builder<Builder, RenameColumn> {

    private Builder(String id) {
      super(id);
    }

    @Override
    public RenameColumn build() {
      return checked(new RenameColumn(this));
    }
  }
}
