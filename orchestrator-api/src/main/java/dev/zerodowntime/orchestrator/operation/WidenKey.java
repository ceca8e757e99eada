package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives the column of a primary key a wider integer type under the same name: {@code int} to {@code
 * bigint}. A second column is filled beside it, and takes its place in one short transaction.
 *
 * <ul>
 *   <li>{@code EXPAND}: a column of the new type, and a trigger that copies every key into it.
 *   <li>{@code BACKFILL}: keys of rows written before are copied.
 *   <li>{@code ENFORCE}: all of them are proved equal; NOT NULL and a unique index, built while the
 *       table is in use.
 *   <li>{@code CONTRACT}: the columns change names; the index becomes the primary key's; default,
 *       identity and sequences move along, and the sequence gets the new type too. The old column
 *       is a tombstone, which keys are still carried to where they fit.
 *   <li>{@code PURGE}: after retention and the backup gate, the tombstone and the trigger go.
 * </ul>
 *
 * <p>From {@code CONTRACT} on the key is the table's last column: {@code SELECT *} has another
 * order, and code that relies on positions has to be changed first. Statements that were prepared
 * before and name the column fail inside a transaction after the swap, so it waits for drivers that
 * are safe by themselves ({@code autosave=conservative}); {@code noStarQueries()} is not enough.
 *
 * <p>From {@code ENFORCE} to {@code CONTRACT} there are two unique indexes: an upsert by the key
 * ({@code ON CONFLICT (id)}) may then fail with a duplicate on the other one, where two sessions
 * insert the same key at once. {@link Builder#noUpserts()} says that no code does that.
 *
 * <p>The way back out of {@code CONTRACT} is open for as long as every key fits the old type; a row
 * whose key doesn't is named.
 *
 * <p>Refused, by name: keys of several columns, foreign keys to or from the column, other indexes
 * and checks over it, views and whatever else names it, and partitioned tables.
 */
public final class WidenKey extends Migration<WidenKey.Code> {

  /** How this operation is stored. */
  public static final OperationType<WidenKey> TYPE =
      new OperationType<>("WidenKey", WidenKey.class, WidenKey::restore);

  /** The second column and the trigger are there. */
  public static final int EXPAND = 1;

  /** Existing keys are copied. */
  public static final int BACKFILL = 2;

  /** The second column can be a key. */
  public static final int ENFORCE = 3;

  /** The key has the new type. */
  public static final int CONTRACT = 4;

  /** The old column is gone. */
  public static final int PURGE = 5;

  /** What code makes of the column's values. */
  public enum Code implements CodeStage {
    /** Reads the key as the old type, and fails for a key that only the new one can have. */
    OLD_TYPE,
    /** Reads the key as the new type. */
    EITHER_TYPE
  }

  private final String table;
  private final String column;
  private final String type;
  private final boolean noUpserts;

  private WidenKey(Builder b, String table, String column, String type) {
    super(b);
    this.table = table;
    this.column = column;
    this.type = type;
    this.noUpserts = b.noUpserts;
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

  /**
   * Whether code is said not to upsert by the key.
   *
   * @return see {@link Builder#noUpserts()}
   */
  public boolean noUpserts() {
    return noUpserts;
  }

  @Override
  public Set<String> columns() {
    return Set.of(column);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "EXPAND", "BACKFILL", "ENFORCE", "CONTRACT", "PURGE"),
        List.of(
            new StageSpan("OLD_TYPE", new Span(0, ENFORCE)),
            new StageSpan("EITHER_TYPE", new Span(0, PURGE))),
        CONTRACT,
        // Until then the way back needs the tombstone.
        PURGE,
        PURGE);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("column", column);
    fields.put("type", type);
    if (noUpserts) {
      fields.put("noUpserts", true);
    }
    return fields;
  }

  private static WidenKey restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).column(stored.text("column")).type(stored.text("type"));
    builder.noUpserts = stored.flag("noUpserts");
    return builder.build();
  }

  /** Declares a {@link WidenKey}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, WidenKey> {

    private @Nullable String table;
    private @Nullable String column;
    private String type = "bigint";
    private boolean noUpserts;

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
     * The new type. Default: {@code bigint}.
     *
     * @param type {@code bigint}, or {@code int} for a key that is {@code smallint}
     * @return this
     */
    public Builder type(String type) {
      this.type = type;
      return this;
    }

    /**
     * Says that no code upserts by the key with values that another session may insert at the same
     * time.
     *
     * @return this
     */
    public Builder noUpserts() {
      this.noUpserts = true;
      return this;
    }

    @Override
    public WidenKey build() {
      String wanted = require("new type", type).strip().toLowerCase(Locale.ROOT);
      if (!List.of("bigint", "int", "integer").contains(wanted)) {
        throw invalid("a key can't become \"" + type + "\"", "It can become bigint, or int.");
      }
      return checked(
          new WidenKey(
              this,
              require("table", table),
              require("column", column),
              wanted.equals("int") ? "integer" : wanted));
    }
  }
}
