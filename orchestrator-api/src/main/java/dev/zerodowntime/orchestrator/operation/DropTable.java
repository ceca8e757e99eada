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
import org.jspecify.annotations.Nullable;

/**
 * Drops a table, once no code uses it, and not at once.
 *
 * <ul>
 *   <li>{@code CONTRACT}: the table is renamed to a tombstone, with everything that belongs to it:
 *       rows, indexes, constraints, sequences, triggers, privileges keep their names. The way back
 *       is a rename.
 *   <li>{@code PURGE}: after retention and the backup gate, it is dropped. There is no way back.
 * </ul>
 *
 * <p>Both lock the table ACCESS EXCLUSIVE for a change of the catalog, within the lock budget; the
 * second one also the tables that its foreign keys point to.
 *
 * <p>While it is quarantined its own foreign keys still hold: a row that it references can't be
 * deleted, or takes its rows along, as before. Code that deletes such rows drops the foreign keys
 * first.
 *
 * <p>Refused, by name, is a table that something else depends on: views, foreign keys of other
 * tables, policies, functions whose text names it unless they are allowed by {@code
 * allowFunctions(...)}, columns of its row type, publications that name it, tables it inherits from
 * or that inherit from it, and sequences of its own that other tables use.
 *
 * <p>Until {@code PURGE} no other migration may change the table or create one of its name.
 */
public final class DropTable extends Migration<DropTable.Code> {

  /** How this operation is stored. */
  public static final OperationType<DropTable> TYPE =
      new OperationType<>("DropTable", DropTable.class, DropTable::restore);

  /** The table is quarantined. */
  public static final int CONTRACT = 1;

  /** The table is gone. */
  public static final int PURGE = 2;

  /** What code does with the table. */
  public enum Code implements CodeStage {
    /** Reads or writes it. */
    USES,
    /** Does not name it in any statement. */
    UNUSED
  }

  private final String table;

  private DropTable(Builder b, String table) {
    super(b);
    this.table = table;
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
  public Set<String> columns() {
    return Set.of(WHOLE_TABLE);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "CONTRACT", "PURGE"),
        List.of(new StageSpan("USES", new Span(0, 0)), new StageSpan("UNUSED", new Span(0, PURGE))),
        CONTRACT,
        // Until then the way back needs the name.
        PURGE,
        PURGE);
  }

  @Override
  public Map<String, Object> fields() {
    return Map.of("table", table);
  }

  private static DropTable restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .build();
  }

  /** Declares a {@link DropTable}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DropTable> {

    private @Nullable String table;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table to drop.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    @Override
    public DropTable build() {
      return checked(new DropTable(this, require("table", table)));
    }
  }
}
