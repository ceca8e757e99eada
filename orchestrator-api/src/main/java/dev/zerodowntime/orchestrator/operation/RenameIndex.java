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
 * Renames an index. Queries use it as before, under either name; on PostgreSQL the rename locks
 * only the index, and waits for neither reads nor writes, nor they for it. The way back is the same
 * rename the other way.
 *
 * <p>Refused for an index that a constraint has: it would rename the constraint, which code may
 * name in {@code ON CONFLICT ON CONSTRAINT}, and which can't have two names in between.
 */
public final class RenameIndex extends Migration<RenameIndex.Code> {

  /** How this operation is stored. */
  public static final OperationType<RenameIndex> TYPE =
      new OperationType<>("RenameIndex", RenameIndex.class, RenameIndex::restore);

  /** The index has its new name. */
  public static final int DONE = 1;

  /**
   * What code knows of the index's name. Most code never names one. It may in an optimizer hint, in
   * maintenance of its own ({@code REINDEX}, {@code pg_prewarm}), and, of a unique index, when it
   * tells duplicates apart by the name that comes with the error (23505).
   */
  public enum Code implements CodeStage {
    /** Names it, by its old name. */
    USES_OLD_NAME,
    /** Doesn't name it, or knows both names. */
    UNAWARE,
    /** Names it, by its new name. */
    USES_NEW_NAME
  }

  private final String table;
  private final String from;
  private final String to;

  private RenameIndex(Builder b, String table, String from, String to) {
    super(b);
    this.table = table;
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

  @Override
  public String table() {
    return table;
  }

  /**
   * The index's name so far.
   *
   * @return unquoted
   */
  public String from() {
    return from;
  }

  /**
   * The index's new name.
   *
   * @return unquoted
   */
  public String to() {
    return to;
  }

  @Override
  public Set<String> columns() {
    // It changes none of them.
    return Set.of();
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "DONE"),
        List.of(
            new StageSpan("USES_OLD_NAME", new Span(0, 0)),
            new StageSpan("UNAWARE", new Span(0, DONE)),
            new StageSpan("USES_NEW_NAME", new Span(DONE, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("from", from);
    fields.put("to", to);
    return fields;
  }

  private static RenameIndex restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .from(stored.text("from"))
        .to(stored.text("to"))
        .build();
  }

  /** Declares a {@link RenameIndex}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, RenameIndex> {

    private @Nullable String table;
    private @Nullable String from;
    private @Nullable String to;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table that has the index.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The index's name so far.
     *
     * @param from unquoted and unqualified
     * @return this
     */
    public Builder from(String from) {
      this.from = from;
      return this;
    }

    /**
     * The index's new name.
     *
     * @param to unquoted and unqualified
     * @return this
     */
    public Builder to(String to) {
      this.to = to;
      return this;
    }

    @Override
    public RenameIndex build() {
      String old = require("old index name", from);
      if (old.equals(to)) {
        throw invalid("both names of the index are \"" + to + "\"", "Choose another new name.");
      }
      return checked(
          new RenameIndex(this, require("table", table), old, require("new index name", to)));
    }
  }
}
