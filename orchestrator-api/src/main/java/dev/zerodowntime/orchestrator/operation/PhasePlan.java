package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationRef;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.internal.plan.Locks;
import dev.zerodowntime.orchestrator.internal.plan.Placeholder;
import dev.zerodowntime.orchestrator.internal.plan.Rules;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A change that no operation of the library makes: phases, steps, code stages and the way back are
 * the author's, and are held to the rules of all others.
 *
 * <p>Statements that lock a table for longer than the lock budget, that lose data, or that code of
 * one side couldn't live with are refused when the plan is built, by rules whose refusals name the
 * operation to use instead; a step may {@linkplain PlanPhase.Builder#override override} one by
 * name. What no text says the server is asked before a DDL step commits: which locks it took, and
 * whether it rewrote a table.
 *
 * <p>A plan without {@linkplain PlanPhase.Builder#java Java steps} is kept as a whole in its row in
 * the database, and any driver can carry it out.
 *
 * @param <C> the author's code stages
 */
public final class PhasePlan<C extends Enum<C> & CodeStage> extends Migration<C> {

  /** How this operation is stored. */
  public static final OperationType<PhasePlan<?>> TYPE =
      new OperationType<>("PhasePlan", anyPlan(), PhasePlan::restore);

  /** What stands for the migration's schema in SQL. */
  public static final String SCHEMA = "{schema}";

  /** In a driver, stages are names and no enum. */
  private enum Restored implements CodeStage {}

  private final String table;
  private final Set<String> columns;
  private final List<PlanPhase> phases;
  private final Lifecycle lifecycle;

  private PhasePlan(Builder<C> b, String table, List<PlanPhase> phases, Lifecycle lifecycle) {
    super(b);
    this.table = table;
    this.columns = new TreeSet<>(b.columns.isEmpty() ? Set.of(WHOLE_TABLE) : b.columns);
    this.phases = List.copyOf(phases);
    this.lifecycle = lifecycle;
  }

  /**
   * Starts a declaration.
   *
   * @param id the migration's id
   * @param stages the author's code stages, an enum whose constants go from the oldest code to the
   *     newest
   * @param <C> the code stages
   * @return a builder
   */
  public static <C extends Enum<C> & CodeStage> Builder<C> of(String id, Class<C> stages) {
    return new Builder<>(id, List.of(stages.getEnumConstants()));
  }

  /**
   * Names a plan that another team declares.
   *
   * @param id its id
   * @param stages an enum with the names of its code stages
   * @param <C> the code stages
   * @return a reference for {@link
   *     dev.zerodowntime.orchestrator.OrchestratorBuilder#thisBuild(MigrationRef, Enum[])}
   */
  @SuppressWarnings("unchecked")
  public static <C extends Enum<C> & CodeStage> MigrationRef<C> refTo(String id, Class<C> stages) {
    return new MigrationRef<>(id, (Class<? extends Migration<C>>) (Class<?>) PhasePlan.class);
  }

  @SuppressWarnings("unchecked")
  private static Class<PhasePlan<?>> anyPlan() {
    return (Class<PhasePlan<?>>) (Class<?>) PhasePlan.class;
  }

  @Override
  public String table() {
    return table;
  }

  @Override
  public Set<String> columns() {
    return columns;
  }

  @Override
  public Lifecycle lifecycle() {
    return lifecycle;
  }

  /**
   * Its phases after the first, in which nothing has happened.
   *
   * @return in order
   */
  public List<PlanPhase> phases() {
    return phases;
  }

  /**
   * A phase by position.
   *
   * @param position from 1 on
   * @return the phase
   */
  public PlanPhase phase(int position) {
    if (position < 1 || position > phases.size()) {
      throw new IllegalArgumentException(id() + " has no phase " + position);
    }
    return phases.get(position - 1);
  }

  /**
   * Whether the SQL of its steps names the schema itself, and doesn't depend on a search path.
   *
   * @return whether {@link #SCHEMA} occurs anywhere
   */
  public boolean namesSchema() {
    return phases.stream().anyMatch(each -> each.steps().toString().contains(SCHEMA));
  }

  /**
   * SQL of this plan, with the schema's name in the place of {@link #SCHEMA}; within a string
   * literal, too.
   *
   * @param sql a statement, or a part of one
   * @param quoted the schema's name, quoted
   * @return the SQL
   */
  public static String inSchema(String sql, String quoted) {
    return Placeholder.replace(sql, SCHEMA, quoted);
  }

  /**
   * SQL of this plan whose names carry no schema, so that they mean the one it runs in.
   *
   * @param sql a statement, or a part of one
   * @return the SQL without {@link #SCHEMA} and the dot after it
   */
  public static String withoutSchema(String sql) {
    return Placeholder.replace(sql, SCHEMA + ".", "");
  }

  /**
   * A backfill of this plan as a migration of its own, which is how it is carried out: with the
   * plan's policy.
   *
   * @param step the step
   * @param schema the target schema
   * @return the backfill
   */
  public Backfill rows(PlanStep.Rows step, String schema) {
    return rows(step, schema, '"' + schema.replace("\"", "\"\"") + '"');
  }

  /**
   * The same where names are quoted in another way.
   *
   * @param step the step
   * @param schema the target schema
   * @param quoted its name, quoted
   * @return the backfill
   */
  public Backfill rows(PlanStep.Rows step, String schema, String quoted) {
    Map<String, Object> fields = new LinkedHashMap<>();
    step.rows().fields().forEach((name, value) -> fields.put(name, named(value, quoted)));
    return rows(id(), step.name(), fields, step.rows(), schema, policy());
  }

  /** The same with the schema's name in all texts. */
  private static Object named(Object value, String schema) {
    if (value instanceof String text) {
      return Placeholder.replace(text, SCHEMA, schema);
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>();
      list.forEach(each -> copy.add(named(each, schema)));
      return copy;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach((name, each) -> copy.put((String) name, named(each, schema)));
      return copy;
    }
    return value;
  }

  private static Backfill rows(
      String plan,
      String step,
      Map<String, Object> fields,
      @Nullable Backfill declared,
      String schema,
      Policy policy) {
    // Approvals and backups name phases of the plan.
    Policy own = policy.approvals(Set.of()).backups(Set.of());
    return Backfill.TYPE
        .restore()
        .apply(
            new OperationType.Stored(rowsId(plan, step), schema, List.of(), own, fields, declared));
  }

  static String rowsId(String plan, String step) {
    return plan + "." + step.replace(' ', '-');
  }

  /**
   * What statements lock, as far as their texts say.
   *
   * @param sql statements of a step
   * @return the strongest lock on each table; a table without a schema is in the migration's
   */
  public List<TextLock> locks(List<String> sql) {
    List<TextLock> locks = new ArrayList<>();
    Rules.statements(sql).stream()
        .flatMap(each -> Locks.of(each, table).stream())
        .forEach(
            each ->
                locks.add(
                    new TextLock(
                        each.mode(),
                        Optional.ofNullable(each.table().schema()),
                        each.table().name())));
    return locks;
  }

  /**
   * A lock that the text of a statement says.
   *
   * @param mode its mode
   * @param schema the table's schema; empty for the migration's
   * @param table the table, unquoted
   */
  public record TextLock(String mode, Optional<String> schema, String table) {}

  /**
   * Cuts texts into statements.
   *
   * @param sql texts of one or more statements each
   * @return one statement each
   */
  public static List<String> statements(List<String> sql) {
    return Rules.statements(sql).stream()
        .map(dev.zerodowntime.orchestrator.internal.sql.Statement::text)
        .toList();
  }

  /**
   * Whether prepared statements that read all columns of a table notice.
   *
   * @param sql statements of a step
   * @return whether a column comes, goes, or gets another name or type
   */
  public static boolean changesRowType(List<String> sql) {
    return Rules.changesRowType(Rules.statements(sql));
  }

  /**
   * Whether a step runs outside of a transaction.
   *
   * @param sql what takes a step back
   * @return whether it is something that blocks nobody
   */
  public static boolean runsOnline(List<String> sql) {
    return PlanCheck.online(Rules.statements(sql));
  }

  /**
   * The index that is built by a statement.
   *
   * @param sql a statement
   * @return its unquoted name and that of its table; empty if it is no CREATE INDEX CONCURRENTLY
   */
  public static Optional<List<String>> builtIndex(String sql) {
    return PlanCheck.builtIndex(sql);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("columns", List.copyOf(columns));
    List<Object> list = new ArrayList<>();
    for (PlanPhase phase : phases) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("name", phase.name());
      if (phase.closed() != null) {
        map.put("closed", phase.closed());
      }
      map.put("steps", phase.steps().stream().map(PlanStep::toMap).toList());
      list.add(map);
    }
    fields.put("phases", list);
    List<Object> stages = new ArrayList<>();
    for (StageSpan each : lifecycle.stages()) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("stage", each.stage());
      map.put("from", lifecycle.name(each.span().low()));
      map.put("to", lifecycle.name(each.span().high()));
      stages.add(map);
    }
    fields.put("stages", stages);
    return fields;
  }

  @SuppressWarnings("unchecked")
  private static PhasePlan<?> restore(OperationType.Stored stored) {
    Builder<Restored> builder = of(stored.id(), Restored.class);
    builder.restored(stored.schema(), stored.after(), stored.policy());
    builder.columns.addAll(stored.texts("columns"));
    Map<String, PlanStep> declared = new LinkedHashMap<>();
    if (stored.declared() instanceof PhasePlan<?> same) {
      same.phases().forEach(phase -> phase.steps().forEach(e -> declared.put(e.name(), e)));
    }
    List<PlanPhase> phases = new ArrayList<>();
    for (Map<String, Object> phase : stored.maps("phases")) {
      List<PlanStep> steps = new ArrayList<>();
      for (Object each : (List<?>) phase.getOrDefault("steps", List.of())) {
        Map<String, Object> map = (Map<String, Object>) each;
        steps.add(
            PlanStep.fromMap(
                map,
                (step, fields, rows) ->
                    rows(stored.id(), step, fields, rows, stored.schema(), stored.policy()),
                declared.get(String.valueOf(map.get("name")))));
      }
      phases.add(
          new PlanPhase(String.valueOf(phase.get("name")), steps, (String) phase.get("closed")));
    }
    for (Map<String, Object> stage : stored.maps("stages")) {
      builder.stages.add(
          new Stage(
              String.valueOf(stage.get("stage")),
              String.valueOf(stage.get("from")),
              String.valueOf(stage.get("to"))));
    }
    // Not held to the rules again: a library that knows more of them must be able to go on with
    // what an older one has begun.
    return new PhasePlan<>(
        builder, stored.text("table"), phases, PlanCheck.lifecycle(phases, builder.stages));
  }

  /**
   * A code stage and the phases it is for.
   *
   * @param name the stage's name
   * @param from name of the lowest phase
   * @param to name of the highest phase
   */
  record Stage(String name, String from, String to) {}

  /**
   * Declares a {@link PhasePlan}. Not thread-safe.
   *
   * @param <C> the author's code stages
   */
  public static final class Builder<C extends Enum<C> & CodeStage>
      extends Migration.Builder<Builder<C>, PhasePlan<C>> {

    private final List<C> constants;
    private @Nullable String table;
    private final Set<String> columns = new TreeSet<>();
    private final List<PlanPhase.Builder> phases = new ArrayList<>();
    private final List<Stage> stages = new ArrayList<>();

    private Builder(String id, List<C> constants) {
      super(id);
      this.constants = constants;
    }

    /**
     * The table that is changed. Applications that don't touch it aren't counted; DDL whose text
     * names no table is taken to lock this one.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder<C> table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The columns of the table that are changed: another unfinished migration may change others.
     * Adds to earlier calls. Default: all, so that no other migration may change the table.
     *
     * @param columns their unquoted names, those that are added included
     * @return this
     */
    public Builder<C> columns(String... columns) {
      this.columns.addAll(List.of(columns));
      return this;
    }

    /**
     * Adds a phase after the last one; the first phase is called {@code NOT_STARTED}, and nothing
     * has happened in it.
     *
     * @param name its name, such as {@code EXPAND}: capital letters, digits and '_'
     * @param steps declares the steps that lead to it
     * @return this
     */
    public Builder<C> phase(String name, Consumer<PlanPhase.Builder> steps) {
      PlanPhase.Builder phase = new PlanPhase.Builder(name, this::invalid);
      steps.accept(phase);
      phases.add(phase);
      return this;
    }

    /**
     * Says which phases code of a stage can run against; from the oldest stage to the newest, all
     * of them. A phase is entered when all code that is counted can run against it, and against the
     * one before.
     *
     * @param stage the stage
     * @param from name of the lowest phase
     * @param to name of the highest phase
     * @return this
     */
    public Builder<C> stage(C stage, String from, String to) {
      stages.add(new Stage(stage.name(), from, to));
      return this;
    }

    /**
     * Builds the plan.
     *
     * @return an immutable value
     * @throws DeclarationException if something is missing or contradictory, or a rule refuses a
     *     statement; the message names the operation to use instead
     */
    @Override
    public PhasePlan<C> build() {
      String name = require("table", table);
      List<PlanPhase> built = new ArrayList<>();
      phases.forEach(each -> built.add(each.build(id, name)));
      PlanCheck check = new PlanCheck(this::invalid);
      check.names(built);
      check.stages(built, stages, constants.stream().map(Enum::name).toList());
      check.steps(built);
      return checked(new PhasePlan<>(this, name, built, PlanCheck.lifecycle(built, stages)));
    }
  }

  /** A lifecycle of names. */
  static StageSpan span(List<String> phases, Stage stage) {
    return new StageSpan(
        stage.name(), new Span(phases.indexOf(stage.from()), phases.indexOf(stage.to())));
  }
}
