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
 * Drops an index without blocking anybody, once no code needs it.
 *
 * <p>The way back builds it again, while the table is in use: the same definition, in the same
 * place, with its comment and statistics targets. That takes as long as the first build did. A
 * unique index rejects no duplicates meanwhile: where some have come, the way back fails and names
 * one, leaves no index behind, and {@code resume} tries again. An index that was not valid when it
 * was dropped isn't built again: it was of use to nobody.
 *
 * <p>Refused for an index that a constraint has, that foreign keys rest on, by which the table is
 * clustered, or that is its replica identity.
 */
public final class DropIndex extends Migration<DropIndex.Code> {

  /** How this operation is stored. */
  public static final OperationType<DropIndex> TYPE =
      new OperationType<>("DropIndex", DropIndex.class, DropIndex::restore);

  /** The index is gone. */
  public static final int DONE = 1;

  /** What code does with the index. */
  public enum Code implements CodeStage {
    /**
     * Needs it: would be too slow without it, or names it in a hint. Of a unique index also: relies
     * on it to reject duplicates, or upserts on it. {@code ON CONFLICT} over its columns or its
     * expressions fails without it: "there is no unique or exclusion constraint matching the ON
     * CONFLICT specification" (42P10).
     */
    USES,
    /** Works without it. */
    UNUSED
  }

  private final String table;
  private final String name;

  private DropIndex(Builder b, String table, String name) {
    super(b);
    this.table = table;
    this.name = name;
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
   * The index.
   *
   * @return its unquoted name
   */
  public String name() {
    return name;
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
        List.of(new StageSpan("USES", new Span(0, 0)), new StageSpan("UNUSED", new Span(0, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("name", name);
    return fields;
  }

  private static DropIndex restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .name(stored.text("name"))
        .build();
  }

  /** Declares a {@link DropIndex}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, DropIndex> {

    private @Nullable String table;
    private @Nullable String name;

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
     * The index to drop.
     *
     * @param name its name, unquoted and unqualified
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    @Override
    public DropIndex build() {
      return checked(new DropIndex(this, require("table", table), require("index name", name)));
    }
  }
}
