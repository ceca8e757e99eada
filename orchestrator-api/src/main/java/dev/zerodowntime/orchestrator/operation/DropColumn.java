package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
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
 * Drops a column, once no code uses it, and not at once.
 *
 * <ul>
 *   <li>{@code RELAX}: nothing rejects a row that omits the column any more: NOT NULL, checks, a
 *       domain's NOT NULL, a default that is unique or must exist elsewhere.
 *   <li>{@code CONTRACT}: the column is renamed to a tombstone. The way back is a rename.
 *   <li>{@code PURGE}: after retention and the backup gate, it is dropped. There is no way back.
 * </ul>
 *
 * <p>Until {@code PURGE} no other migration may add a column of that name: the way back needs it.
 *
 * <p>From a partitioned table it goes with all partitions at once; none may have anything of its
 * own on it. Until {@code PURGE}, a table that is attached as a partition needs the tombstone too.
 */
public final class DropColumn extends Migration<DropColumn.Code> {

  /** How this operation is stored. */
  public static final OperationType<DropColumn> TYPE =
      new OperationType<>("DropColumn", DropColumn.class, DropColumn::restore);

  /** Rows may omit the column. */
  public static final int RELAX = 1;

  /** The column is quarantined. */
  public static final int CONTRACT = 2;

  /** The column is gone. */
  public static final int PURGE = 3;

  /** What code does with the column. */
  public enum Code implements CodeStage {
    /** Reads it. */
    USES,
    /** Writes it, but does not read it. */
    NOT_READING,
    /** Does not use it: neither by its name, nor by its position in {@code *}. */
    UNUSED
  }

  private final String table;
  private final String column;
  private final @Nullable String fillBackSql;
  private final Set<String> droppedIndexes;

  private DropColumn(Builder b, String table, String column) {
    super(b);
    this.table = table;
    this.column = column;
    this.fillBackSql = b.fillBackSql;
    this.droppedIndexes = Set.copyOf(b.droppedIndexes);
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
   * The column to drop.
   *
   * @return its unquoted name
   */
  public String column() {
    return column;
  }

  /**
   * The value that rows written without the column get on the way back out of {@code RELAX}.
   *
   * @return an SQL expression over the row's columns
   */
  public Optional<String> fillBackSql() {
    return Optional.ofNullable(fillBackSql);
  }

  /**
   * Indexes that cover other columns too and may go with the column.
   *
   * @return names of indexes
   */
  public Set<String> droppedIndexes() {
    return droppedIndexes;
  }

  @Override
  public Set<String> columns() {
    return Set.of(column);
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "RELAX", "CONTRACT", "PURGE"),
        List.of(
            new StageSpan("USES", new Span(0, 0)),
            new StageSpan("NOT_READING", new Span(0, RELAX)),
            // [0,3] where the dialect finds that nothing rejects a row without it.
            new StageSpan("UNUSED", new Span(RELAX, PURGE))),
        CONTRACT,
        // Until then the way back needs the name.
        PURGE,
        PURGE);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("column", column);
    if (fillBackSql != null) {
      fields.put("fillBack", fillBackSql);
    }
    if (!droppedIndexes.isEmpty()) {
      fields.put("droppedIndexes", new ArrayList<>(new TreeSet<>(droppedIndexes)));
    }
    return fields;
  }

  private static DropColumn restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).column(stored.text("column"));
    builder.fillBackSql = stored.optionalText("fillBack");
    builder.droppedIndexes.addAll(stored.texts("droppedIndexes"));
    return builder.build();
  }

  /** Declares a {@link DropColumn}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DropColumn> {

    private @Nullable String table;
    private @Nullable String column;
    private @Nullable String fillBackSql;
    private final Set<String> droppedIndexes = new TreeSet<>();

    private Builder(String id) {
      super(id);
    }

    /**
     * The table that loses the column.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The column to drop.
     *
     * @param column its name, unquoted
     * @return this
     */
    public Builder column(String column) {
      this.column = column;
      return this;
    }

    /**
     * Opens the way back out of {@code RELAX} for a column that was NOT NULL: the value of rows
     * that were written without it. Without it, that way back needs an approval, and the column
     * stays nullable.
     *
     * @param expression an SQL expression over the table's columns
     * @return this
     */
    public Builder fillBackWithSql(String expression) {
      this.fillBackSql = require("fill expression", expression);
      return this;
    }

    /**
     * Consents to indexes over this and other columns being dropped with it.
     *
     * @param indexes names of indexes
     * @return this
     */
    public Builder alsoDropsIndexes(String... indexes) {
      droppedIndexes.addAll(List.of(indexes));
      return this;
    }

    @Override
    public DropColumn build() {
      return checked(new DropColumn(this, require("table", table), require("column", column)));
    }
  }
}
