package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An id, one operation, one target schema, and a policy. An immutable value, declared in code and
 * never edited once it has started; what may change later is its {@link Policy}.
 *
 * <p>Each operation is one subclass: its fields, and its {@link Lifecycle}.
 *
 * @param <C> what code can do with the changed object
 */
public abstract class Migration<C extends Enum<C> & CodeStage> {

  /** Among {@link #columns()}: the migration changes the table as a whole. */
  public static final String WHOLE_TABLE = "*";

  private final String id;
  private final @Nullable String schema;
  private final List<String> after;
  private final Policy policy;
  private final @Nullable String flyway;

  /**
   * Takes over what every migration has.
   *
   * @param builder the builder, whose id was checked
   */
  protected Migration(Builder<?, ?> builder) {
    this.id = builder.id;
    this.schema = builder.schema;
    this.after = List.copyOf(builder.after);
    this.policy = builder.policy;
    this.flyway = builder.flyway;
  }

  /**
   * Names a migration that another team declares.
   *
   * @param id its id
   * @param operation its operation's class
   * @param <C> the operation's code stages
   * @param <M> the operation
   * @return a reference for {@link OrchestratorBuilder#thisBuild(MigrationRef, Enum[])}
   */
  public static <C extends Enum<C> & CodeStage, M extends Migration<C>> MigrationRef<C> ref(
      String id, Class<M> operation) {
    return new MigrationRef<>(id, operation);
  }

  /**
   * The migration's id, prefixed by its owner: {@code billing/2026-11-users-full-name}.
   *
   * @return the id
   */
  public final String id() {
    return id;
  }

  /**
   * The schema the table lives in.
   *
   * @return empty for the connection's current schema
   */
  public final Optional<String> schema() {
    return Optional.ofNullable(schema);
  }

  /**
   * Migrations that must be usable before this one starts.
   *
   * @return their ids
   */
  public final List<String> after() {
    return after;
  }

  /**
   * How it is carried out.
   *
   * @return the policy
   */
  public final Policy policy() {
    return policy;
  }

  /**
   * Its place in the order of the application's own Flyway migrations.
   *
   * @return a version; empty where it has none
   */
  public final Optional<String> flyway() {
    return Optional.ofNullable(flyway);
  }

  /**
   * The table that is changed.
   *
   * @return its unqualified, unquoted name
   */
  public abstract String table();

  /**
   * Every name that the table has on the way: an application may say that it touches one of them
   * before there is such a table.
   *
   * @return unqualified, unquoted names; {@link #table} among them
   */
  public Set<String> tableNames() {
    return Set.of(table());
  }

  /**
   * The columns that are changed, under every name they have on the way. Two unfinished migrations
   * may not share one.
   *
   * @return unquoted names; {@link #WHOLE_TABLE} among them if no other unfinished migration may
   *     change the table at all
   */
  public abstract Set<String> columns();

  /**
   * The phases, stages and spans, as far as they are known without a database.
   *
   * @return the lifecycle
   */
  public abstract Lifecycle lifecycle();

  /**
   * What makes this migration what it is: compared with what the database knows of a migration that
   * has started.
   *
   * @return strings, numbers (as {@code Long}), booleans, lists and maps of these; no nulls
   */
  public abstract Map<String, Object> fields();

  /**
   * The operation's fields with their form's version: the canonical form that is stored and
   * compared.
   *
   * @return the canonical form
   */
  public final Map<String, Object> canonical() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("operation", lifecycle().operation());
    map.put("form", 1L);
    map.putAll(fields());
    return map;
  }

  @Override
  public final boolean equals(@Nullable Object other) {
    return other instanceof Migration<?> that
        && id.equals(that.id)
        && Objects.equals(schema, that.schema)
        && canonical().equals(that.canonical());
  }

  @Override
  public final int hashCode() {
    return Objects.hash(id, schema);
  }

  @Override
  public String toString() {
    return id + " " + canonical();
  }

  /**
   * What the builders of all operations share.
   *
   * @param <B> the builder itself
   * @param <M> what it builds
   */
  public abstract static class Builder<B extends Builder<B, M>, M extends Migration<?>> {

    /** The migration's id. */
    protected final String id;

    private @Nullable String schema;
    private final List<String> after = new ArrayList<>();
    private Policy policy = Policy.DEFAULT;
    private @Nullable String flyway;

    /**
     * Starts a builder.
     *
     * @param id the migration's id
     */
    protected Builder(String id) {
      this.id = Names.requireId(id);
    }

    /**
     * The builder itself.
     *
     * @return this
     */
    @SuppressWarnings("unchecked")
    private B self() {
      return (B) this;
    }

    /**
     * The schema the table lives in. Default: the connection's current schema. One id may be
     * declared once per schema (one schema per tenant).
     *
     * @param schema its name
     * @return this
     */
    public B schema(String schema) {
      this.schema = Names.require(id, "schema", schema);
      return self();
    }

    /**
     * Waits until other migrations are usable: until their new shape is there for new code.
     * Replaces the default, which is that migrations of one table start in declaration order.
     *
     * @param others the other migrations
     * @return this
     */
    public B after(Migration<?>... others) {
      for (Migration<?> other : others) {
        after.add(other.id());
      }
      return self();
    }

    /**
     * Its place in the order of the application's own Flyway migrations, for {@link
     * Orchestrator#joinFlyway}: in a new database it is carried out there, so that SQL of later
     * versions finds the new shape. Default: none; then it comes after all of them.
     *
     * @param version a Flyway version such as {@code 39.1}, above those that databases have by now
     *     and used by no script
     * @return this
     */
    public B flyway(String version) {
      if (!version.matches("[0-9]+([._][0-9]+)*")) {
        throw invalid(
            "flyway(\"" + version + "\") is no version",
            "Give numbers with dots between them, such as 39.1.");
      }
      this.flyway = version.replace('_', '.');
      return self();
    }

    /**
     * A fixed number of rows per backfill batch, fewer only where rows are slow. Default: 1,000 to
     * 10,000, towards 5 ms a batch.
     *
     * @param rows 1 to 10,000
     * @return this
     */
    public B batchRows(int rows) {
      return pace(pace -> pace.rows(rows, rows));
    }

    /**
     * The pause between two backfill batches. Default: 100 ms.
     *
     * @param pause not negative
     * @return this
     */
    public B batchPause(Duration pause) {
      return pace(pace -> pace.pause(pause));
    }

    /**
     * How fast backfills go, and what they give way to. Default: {@link Pace#DEFAULT}. Adds to
     * earlier calls.
     *
     * @param change given the pace so far
     * @return this
     */
    public B pace(UnaryOperator<Pace> change) {
      policy = policy.pace(change.apply(policy.pace()));
      return self();
    }

    /**
     * How long a quarantined object is kept before it may be purged. Default: 7 days.
     *
     * @param retention not negative
     * @return this
     */
    public B retention(Duration retention) {
      policy = policy.retention(retention);
      return self();
    }

    /**
     * When long builds are cancelled, to be tried again later. Default: {@link
     * BuildLimits#DEFAULT}. Adds to earlier calls.
     *
     * @param change given the limits so far
     * @return this
     */
    public B builds(UnaryOperator<BuildLimits> change) {
      policy = policy.builds(change.apply(policy.builds()));
      return self();
    }

    /**
     * Watches the application's health for a time after each phase: the next one is not entered
     * before, and a phase after which the {@link HealthCheck} finds a problem is left again. Needs
     * a driver with {@link OrchestratorBuilder#healthCheck}. Default: zero, which asks nobody.
     *
     * @param time how long after each phase
     * @return this
     */
    public B healthyFor(Duration time) {
      policy = policy.healthyFor(time);
      return self();
    }

    /**
     * Makes phases wait until the {@link BackupGate} has confirmed a backup, or a person has
     * approved them; a purge always does. Adds to earlier calls. Default: none.
     *
     * @param phases names of phases
     * @return this
     */
    public B backupBefore(String... phases) {
      policy = policy.backups(union(policy.backups(), phases));
      return self();
    }

    /**
     * Makes phases wait for a person's {@link Orchestrator#approve}. Adds to earlier calls.
     * Default: none.
     *
     * @param phases names of phases
     * @return this
     */
    public B approvalBefore(String... phases) {
      policy = policy.approvals(union(policy.approvals(), phases));
      return self();
    }

    /**
     * Consents to row triggers of the application firing for every backfilled row. Adds to earlier
     * calls.
     *
     * @param triggers names of triggers
     * @return this
     */
    public B allowTriggers(String... triggers) {
      policy = policy.allowedTriggers(union(policy.allowedTriggers(), triggers));
      return self();
    }

    /**
     * Says of functions that name the column which is renamed or dropped that they go on working
     * all the same: they were found by their text, which may mean something else. Adds to earlier
     * calls.
     *
     * @param functions names of functions, unqualified
     * @return this
     */
    public B allowFunctions(String... functions) {
      policy = policy.allowedFunctions(union(policy.allowedFunctions(), functions));
      return self();
    }

    /** Has the table copied by a tool; for the builders of operations that can go that way. */
    protected final void copied() {
      policy = policy.byCopy(true);
    }

    private static Set<String> union(Set<String> before, String... more) {
      Set<String> all = new TreeSet<>(before);
      all.addAll(List.of(more));
      return all;
    }

    /**
     * Restores what a row of the control tables holds.
     *
     * @param schema the target schema
     * @param after ids of the migrations to wait for
     * @param policy the policy
     * @return this
     */
    public B restored(String schema, List<String> after, Policy policy) {
      this.schema = schema;
      this.after.addAll(after);
      this.policy = policy;
      return self();
    }

    /**
     * Checks that a name was given.
     *
     * @param what what the name is for
     * @param value the name
     * @return the name
     */
    protected final String require(String what, @Nullable String value) {
      return Names.require(id, what, value == null ? "" : value);
    }

    /**
     * A declaration error of this migration.
     *
     * @param problem what is wrong
     * @param remedy what to do
     * @return the exception, to be thrown
     */
    protected final DeclarationException invalid(String problem, String remedy) {
      return new DeclarationException(
          ErrorCode.INVALID_DECLARATION, "Migration " + id + ": " + problem, remedy);
    }

    /**
     * Builds the migration.
     *
     * @return an immutable value
     * @throws DeclarationException if something is missing or contradictory
     */
    public abstract M build();

    /**
     * Names of the phases that wait for approval or a backup must exist; called by {@link
     * #build()}.
     *
     * @param built what was built
     * @return the same
     */
    protected final M checked(M built) {
      new TreeSet<>(built.policy().approvals()).forEach(built.lifecycle()::position);
      new TreeSet<>(built.policy().backups()).forEach(built.lifecycle()::position);
      if (built.after().contains(id)) {
        throw invalid("it is declared to come after itself", "Remove that.");
      }
      return built;
    }
  }
}
