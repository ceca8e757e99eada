package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Builds an index, or each index of a table, anew without blocking anybody: because it is bloated,
 * or its collation's rules have changed. Each takes as long as building it does, and the room of
 * the old one beside the new one. The table's TOAST index is left alone.
 *
 * <p>That an index was rebuilt is known by its file, which is another one then. What a killed run
 * left behind, an INVALID index of the name with {@code _ccnew} or {@code _ccold} added, is
 * dropped. On the way back nothing is left to undo; who goes up again rebuilds again.
 *
 * <p>Refused for indexes of exclusion constraints: PostgreSQL can't rebuild them concurrently.
 */
public final class Reindex extends Migration<Reindex.Code> {

  /** How this operation is stored. */
  public static final OperationType<Reindex> TYPE =
      new OperationType<>("Reindex", Reindex.class, Reindex::restore);

  /** Everything was rebuilt. */
  public static final int DONE = 1;

  /** What code does with the index: no code can tell the difference. */
  public enum Code implements CodeStage {
    /** Works before, meanwhile and afterwards. */
    UNAWARE
  }

  private final String table;
  private final @Nullable String name;

  private Reindex(Builder b, String table) {
    super(b);
    this.table = table;
    this.name = b.name;
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
   * The only index to rebuild.
   *
   * @return its unquoted name; empty for all of the table's
   */
  public Optional<String> name() {
    return Optional.ofNullable(name);
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
        List.of(new StageSpan("UNAWARE", new Span(0, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    if (name != null) {
      fields.put("name", name);
    }
    return fields;
  }

  private static Reindex restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table"));
    builder.name = stored.optionalText("name");
    return builder.build();
  }

  /** Declares a {@link Reindex}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, Reindex> {

    private @Nullable String table;
    private @Nullable String name;

    private Builder(String id) {
      super(id);
    }

    /**
     * The table.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * Rebuilds only one of the table's indexes. Default: all of them.
     *
     * @param name its name, unquoted and unqualified
     * @return this
     */
    public Builder name(String name) {
      this.name = require("index name", name);
      return this;
    }

    /**
     * Has the table copied, and with it all its indexes, by {@link OrchestratorBuilder#copyTool}:
     * on MySQL and MariaDB, for what the server does only by blocking every write, or for a table
     * that is too big to be rebuilt in place. Refused on PostgreSQL, which needs no copy.
     *
     * @return this
     */
    public Builder byCopy() {
      copied();
      return this;
    }

    @Override
    public Reindex build() {
      return checked(new Reindex(this, require("table", table)));
    }
  }
}
