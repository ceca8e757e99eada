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
 * Renames a column without triggers: the application itself writes both columns for a while. Takes
 * five releases instead of two, and needs no right to create triggers.
 *
 * <ul>
 *   <li>{@code EXPAND}: the new column, nullable.
 *   <li>{@code BACKFILL}: once all code writes both, rows that differ are copied.
 *   <li>{@code VERIFY}: every row is proved equal by image.
 *   <li>{@code ENFORCE}: the new column gets everything the old one has.
 *   <li>{@code RELAX}: nothing rejects a row that omits the old column.
 *   <li>{@code CONTRACT}: the old column is quarantined as a tombstone.
 *   <li>{@code PURGE}: after retention and the backup gate, the tombstone goes.
 * </ul>
 *
 * <p>Until {@code PURGE} no other migration may change either column: the way back needs both.
 *
 * <p>Where a unique index covers the column: {@link Code#DUAL_WRITE} may upsert on the old name,
 * {@link Code#READS_NEW} on neither, {@link Code#NEW} on the new one.
 */
public final class RenameColumnInCode extends Migration<RenameColumnInCode.Code>
    implements ColumnRename {

  /** How this operation is stored. */
  public static final OperationType<RenameColumnInCode> TYPE =
      new OperationType<>(
          "RenameColumnInCode", RenameColumnInCode.class, RenameColumnInCode::restore);

  /** The new column is there. */
  public static final int EXPAND = 1;

  /** Rows that differ are copied. */
  public static final int BACKFILL = 2;

  /** Every row is proved equal. */
  public static final int VERIFY = 3;

  /** The new column has what the old one has. */
  public static final int ENFORCE = 4;

  /** Rows may omit the old column. */
  public static final int RELAX = 5;

  /** The old column is quarantined. */
  public static final int CONTRACT = 6;

  /** The old column is gone. */
  public static final int PURGE = 7;

  /** Which columns code reads and writes. */
  public enum Code implements CodeStage {
    /** Reads and writes the old column. */
    OLD,
    /** Always writes both, with the same value; reads the old one. */
    DUAL_WRITE,
    /** Always writes both, with the same value; reads the new one. */
    READS_NEW,
    /** Reads and writes the new column only. */
    NEW
  }

  private final String table;
  private final String from;
  private final String to;

  private RenameColumnInCode(Builder b) {
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
        List.of(
            "NOT_STARTED", "EXPAND", "BACKFILL", "VERIFY", "ENFORCE", "RELAX", "CONTRACT", "PURGE"),
        List.of(
            new StageSpan("OLD", new Span(0, EXPAND)),
            new StageSpan("DUAL_WRITE", new Span(EXPAND, ENFORCE)),
            new StageSpan("READS_NEW", new Span(ENFORCE, RELAX)),
            new StageSpan("NEW", new Span(RELAX, PURGE))),
        ENFORCE,
        // Until then the way back copies from the new column.
        PURGE,
        PURGE);
  }

  @Override
  public Map<String, Object> fields() {
    return renameFields();
  }

  private static RenameColumnInCode restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .from(stored.text("from"))
        .to(stored.text("to"))
        .build();
  }

  /** Declares a {@link RenameColumnInCode}. Not thread-safe. */
  public static final class Builder extends ColumnRename.Builder<Builder, RenameColumnInCode> {

    private Builder(String id) {
      super(id);
    }

    @Override
    public RenameColumnInCode build() {
      return checked(new RenameColumnInCode(this));
    }
  }
}
