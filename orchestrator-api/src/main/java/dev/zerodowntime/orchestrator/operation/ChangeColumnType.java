package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives a column another type while old and new code both write it: a second column under a new
 * name, kept in step by triggers that convert every value, both ways.
 *
 * <ul>
 *   <li>{@code EXPAND}: the new column, and triggers that carry every write across, both ways.
 *   <li>{@code BACKFILL}, {@code VERIFY}: rows written before are converted, and proved to
 *       correspond by image: each is what one column's value converts to. A row whose value {@code
 *       up} fails for, or makes NULL where the column is NOT NULL, is named by its key.
 *   <li>{@code ENFORCE}: the new column gets what the old one has, but its default.
 *   <li>{@code CONTRACT}: the old column is relaxed and quarantined as a tombstone; values are
 *       still carried to it, so that the way back loses nothing.
 *   <li>{@code PURGE}: after retention and the backup gate, the tombstone and the triggers go.
 * </ul>
 *
 * <p>{@code up} and {@code down} are SQL expressions over the one column, such as {@code
 * amount::bigint} and {@code amount_big::int}. NULL must stay NULL where the column is nullable.
 * Old code's write that {@code up} fails for is taken as it is, and found later, until NOT NULL is
 * enforced. Until {@code CONTRACT} a write of new code that {@code down} fails for is rejected, for
 * old code could not read it; from then on it is taken, and the tombstone gets NULL: the way back
 * is closed for as long as there is such a row, and says its key.
 *
 * <p>Where the change is one of the catalog only, {@link WidenColumn} does without a second column;
 * the plan says so.
 *
 * <p>Refused: what {@link RenameColumn} refuses; and, since it can't be carried over to another
 * type without its author, indexes that are partial or over expressions, foreign keys, identity
 * columns, checks and operator classes that the new type doesn't have, and domains.
 *
 * <p>Until {@code PURGE} no other migration may change either column. The new column is the table's
 * last: code that relies on positions ({@code INSERT} without a column list, {@code SELECT *} by
 * number) has to be changed first, as for a renamed column.
 */
public final class ChangeColumnType extends Migration<ChangeColumnType.Code>
    implements ColumnRename {

  /** How this operation is stored. */
  public static final OperationType<ChangeColumnType> TYPE =
      new OperationType<>("ChangeColumnType", ChangeColumnType.class, ChangeColumnType::restore);

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

  /** Which column code uses. */
  public enum Code implements CodeStage {
    /** Reads and writes the old column. */
    USES_OLD_COLUMN,
    /** Reads and writes the new column: values that old code can read, and no upserts on it. */
    USES_NEW_COLUMN,
    /** Also writes what only the new type can hold, and upserts on a unique index over it. */
    USES_NEW_VALUES
  }

  private final String table;
  private final String from;
  private final String to;
  private final String type;
  private final String up;
  private final String down;
  private final @Nullable String defaultSql;

  private ChangeColumnType(Builder b) {
    super(b);
    this.table = b.table();
    this.from = b.from();
    this.to = b.to();
    this.type = b.type();
    this.up = b.up();
    this.down = b.down();
    this.defaultSql = b.defaultSql;
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

  /**
   * The new column's type.
   *
   * @return as SQL
   */
  public String type() {
    return type;
  }

  /**
   * What the new column's value is.
   *
   * @return an SQL expression over the old column
   */
  public String up() {
    return up;
  }

  /**
   * What the old column's value is.
   *
   * @return an SQL expression over the new column
   */
  public String down() {
    return down;
  }

  /**
   * The new column's default.
   *
   * @return an SQL expression
   */
  public Optional<String> defaultSql() {
    return Optional.ofNullable(defaultSql);
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
            new StageSpan("USES_OLD_COLUMN", new Span(0, ENFORCE)),
            new StageSpan("USES_NEW_COLUMN", new Span(ENFORCE, PURGE)),
            new StageSpan("USES_NEW_VALUES", new Span(CONTRACT, PURGE))),
        ENFORCE,
        // At CONTRACT the sync still names the new column, and the way back the tombstone.
        PURGE,
        PURGE);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = renameFields();
    fields.put("type", type);
    fields.put("up", up);
    fields.put("down", down);
    if (defaultSql != null) {
      fields.put("default", defaultSql);
    }
    return fields;
  }

  private static ChangeColumnType restore(OperationType.Stored stored) {
    Builder builder =
        of(stored.id())
            .restored(stored.schema(), stored.after(), stored.policy())
            .table(stored.text("table"))
            .from(stored.text("from"))
            .to(stored.text("to"))
            .type(stored.text("type"))
            .up(stored.text("up"))
            .down(stored.text("down"));
    builder.defaultSql = stored.optionalText("default");
    return builder.build();
  }

  /** Declares a {@link ChangeColumnType}. Not thread-safe. */
  public static final class Builder extends ColumnRename.Builder<Builder, ChangeColumnType> {

    private @Nullable String type;
    private @Nullable String up;
    private @Nullable String down;
    private @Nullable String defaultSql;

    private Builder(String id) {
      super(id);
    }

    /**
     * The new column's type.
     *
     * @param type as SQL, such as {@code bigint}
     * @return this
     */
    public Builder type(String type) {
      this.type = type;
      return this;
    }

    /**
     * What the new column's value is.
     *
     * @param expression SQL over the old column alone, such as {@code amount::bigint}
     * @return this
     */
    public Builder up(String expression) {
      this.up = expression;
      return this;
    }

    /**
     * What the old column's value is.
     *
     * @param expression SQL over the new column alone, such as {@code amount_big::int}; it should
     *     fail rather than yield something else for a value that the old column can't hold
     * @return this
     */
    public Builder down(String expression) {
      this.down = expression;
      return this;
    }

    /**
     * The new column's default from {@code CONTRACT} on; until then rows that omit both columns get
     * the old one's, converted. Needed where the old column has one.
     *
     * @param expression an SQL expression of the new type
     * @return this
     */
    public Builder defaultSql(String expression) {
      this.defaultSql = require("default", expression);
      return this;
    }

    private String type() {
      return require("new type", type);
    }

    private String up() {
      return require("expression up", up);
    }

    private String down() {
      return require("expression down", down);
    }

    @Override
    public ChangeColumnType build() {
      return checked(new ChangeColumnType(this));
    }
  }
}
