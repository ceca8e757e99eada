package dev.zerodowntime.orchestrator;

import dev.zerodowntime.orchestrator.internal.engine.Engine;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Builds an {@link Orchestrator}. Not thread-safe. */
public final class OrchestratorBuilder {

  private static final int MAX_NAME_BYTES = 63;

  private final DataSource dataSource;
  private @Nullable DataSource ddlDataSource;
  private final Map<String, DataSource> readers = new LinkedHashMap<>();
  private @Nullable Dialect dialect;
  private @Nullable String application;
  private @Nullable String release;
  private @Nullable String controlSchema;
  private Role role = Role.BOTH;
  private Environment environment = Environment.PRODUCTION;
  private UnaryOperator<Timing> timing = UnaryOperator.identity();
  private final List<Engine.Declaration> declarations = new ArrayList<>();
  private final Set<String> finished = new LinkedHashSet<>();
  private @Nullable Set<String> touches;
  private @Nullable BackupGate backupGate;
  private @Nullable EndBlockers endBlockers;
  private @Nullable HealthCheck healthCheck;
  private boolean noStarQueries;
  private boolean developmentOnRows;
  private boolean background = true;
  private @Nullable Integer backfillWorkers;
  private final List<LoadSignal> loadSignals = new ArrayList<>();
  private final Map<String, Double> loadLimits = new LinkedHashMap<>();
  private @Nullable BackfillListener backfillListener;
  private @Nullable CopyTool copyTool;

  OrchestratorBuilder(DataSource dataSource) {
    this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
  }

  /** For what a build says of itself alone; whatever needs a database is an error. */
  OrchestratorBuilder(ThisBuild build) {
    this(new NoDataSource());
    thisBuild(build);
  }

  /**
   * The application this process is an instance of.
   *
   * @param application its name, the same in all releases
   * @return this
   */
  public OrchestratorBuilder application(String application) {
    this.application = application;
    return this;
  }

  /**
   * The release of the application that this build is.
   *
   * @param release any text that differs between builds
   * @return this
   */
  public OrchestratorBuilder release(String release) {
    this.release = release;
    return this;
  }

  /**
   * Says all that a build says of itself: application, release, declarations.
   *
   * @param build what it says; the same is written into its release manifest
   * @return this
   */
  public OrchestratorBuilder thisBuild(ThisBuild build) {
    build.declare(this);
    return this;
  }

  /**
   * Declares a migration and what this build's code does with the changed object. One id may be
   * declared once per schema, always with the same stages: the code is the same for all of them.
   *
   * @param migration the migration
   * @param stages the stages this build's code can be at; with several, the highest that fits at
   *     start-up is chosen, and {@link Orchestrator#stage} tells which
   * @param <C> the migration's code stages
   * @return this
   */
  @SafeVarargs
  @SuppressWarnings("varargs")
  public final <C extends Enum<C> & CodeStage> OrchestratorBuilder thisBuild(
      Migration<C> migration, C... stages) {
    return declare(
        new Engine.Declaration(
            migration.id(),
            migration.schema().orElse(null),
            migration.getClass(),
            migration,
            names(migration.id(), stages),
            stages[0].getDeclaringClass()));
  }

  /**
   * Says what this build's code does with an object that another team's migration changes.
   *
   * @param migration names it
   * @param stages as in {@link #thisBuild(Migration, Enum[])}
   * @param <C> the migration's code stages
   * @return this
   */
  @SafeVarargs
  @SuppressWarnings("varargs")
  public final <C extends Enum<C> & CodeStage> OrchestratorBuilder thisBuild(
      MigrationRef<C> migration, C... stages) {
    return declare(
        new Engine.Declaration(
            migration.id(),
            null,
            migration.operation(),
            null,
            names(migration.id(), stages),
            stages[0].getDeclaringClass()));
  }

  private static <C extends Enum<C> & CodeStage> List<String> names(String id, C[] stages) {
    if (stages.length == 0) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Migration " + id + " is declared without a code stage",
          "Say what this build's code does with the changed object.");
    }
    return EnumSet.copyOf(Arrays.asList(stages)).stream().map(Enum::name).toList();
  }

  private OrchestratorBuilder declare(Engine.Declaration declared) {
    for (Engine.Declaration each : declarations) {
      if (!each.id().equals(declared.id())) {
        continue;
      }
      boolean reference = each.migration() == null || declared.migration() == null;
      if (reference || Objects.equals(each.schema(), declared.schema())) {
        throw new DeclarationException(
            ErrorCode.DUPLICATE_ID,
            "Migration id " + declared.id() + " is used twice in this build",
            "Give every migration an id of its own; the same one may be declared again only for"
                + " another schema(...).");
      }
      if (each.operation() != declared.operation() || !each.stages().equals(declared.stages())) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "Migration "
                + declared.id()
                + " is declared for several schemas, once as "
                + each.describe()
                + " and once as "
                + declared.describe(),
            "A build has one code: declare the same operation and the same stages for every"
                + " schema.");
      }
    }
    declarations.add(declared);
    return this;
  }

  /**
   * Names migrations whose declarations were deleted from the code because they are finished.
   *
   * @param ids their ids
   * @return this
   */
  public OrchestratorBuilder finished(String... ids) {
    finished.addAll(List.of(ids));
    return this;
  }

  /**
   * Narrows this build to some tables: migrations of others don't count it. Other builds of the
   * application are judged by what they say themselves.
   *
   * @param tables unquoted names of tables and views that exist, without their schemas; none at all
   *     for an application that uses no table of this database
   * @return this
   */
  public OrchestratorBuilder touches(String... tables) {
    touches = new LinkedHashSet<>(List.of(tables));
    return this;
  }

  /**
   * Connections for DDL and backfills, with the rights these need. Default: the application's.
   * Needed where the application's connections go through a pooler in transaction mode.
   *
   * @param ddlDataSource direct connections
   * @return this
   */
  public OrchestratorBuilder ddlDataSource(DataSource ddlDataSource) {
    this.ddlDataSource = ddlDataSource;
    return this;
  }

  /**
   * Names a replica that this application's queries go to. Blocking statements look for long
   * queries there too, and a phase counts as reached only when it is replayed there. Default: none;
   * queries on replicas that are not named are outside the promise. Only drivers that were given
   * the same name drive while this build is live.
   *
   * @param name what to call it in messages
   * @param replica connections to it
   * @return this
   */
  public OrchestratorBuilder reader(String name, DataSource replica) {
    readers.put(named("reader", name), Objects.requireNonNull(replica, "replica"));
    return this;
  }

  /**
   * The database's dialect. Default: the one on the class path or module path.
   *
   * @param dialect the dialect
   * @return this
   */
  public OrchestratorBuilder dialect(Dialect dialect) {
    this.dialect = dialect;
    return this;
  }

  /**
   * The schema of the control tables. Default: {@code orchestrator}.
   *
   * @param controlSchema its name, unquoted
   * @return this
   */
  public OrchestratorBuilder controlSchema(String controlSchema) {
    this.controlSchema = controlSchema;
    return this;
  }

  /**
   * What this process does. Default: {@link Role#BOTH}.
   *
   * @param role the role
   * @return this
   */
  public OrchestratorBuilder role(Role role) {
    this.role = role;
    return this;
  }

  /**
   * What the database is for. Default: {@link Environment#PRODUCTION}.
   *
   * @param environment the environment
   * @return this
   */
  public OrchestratorBuilder environment(Environment environment) {
    this.environment = environment;
    return this;
  }

  /**
   * Says that a database that has rows really is a development database.
   *
   * @return this
   */
  public OrchestratorBuilder developmentOnExistingRows() {
    this.developmentOnRows = true;
    return this;
  }

  /**
   * Changes durations. Default: those of the environment. All processes of one database should use
   * the same.
   *
   * @param change gets the environment's durations
   * @return this
   */
  public OrchestratorBuilder timing(UnaryOperator<Timing> change) {
    this.timing = change;
    return this;
  }

  /**
   * Confirms that a backup exists before anything is physically dropped. Without it, every purge
   * waits for {@link Orchestrator#approve}.
   *
   * @param backupGate the callback
   * @return this
   */
  public OrchestratorBuilder backupGate(BackupGate backupGate) {
    this.backupGate = backupGate;
    return this;
  }

  /**
   * Ends sessions that keep short DDL from its lock. Off by default.
   *
   * @param endBlockers whose
   * @return this
   */
  public OrchestratorBuilder endBlockers(EndBlockers endBlockers) {
    this.endBlockers = endBlockers;
    return this;
  }

  /**
   * Says whether the application is well, for a time after each phase of the migrations that ask
   * for it: {@link Migration.Builder#healthyFor}. Those wait for a driver that has one.
   *
   * @param healthCheck the callback
   * @return this
   */
  public OrchestratorBuilder healthCheck(HealthCheck healthCheck) {
    this.healthCheck = healthCheck;
    return this;
  }

  /**
   * Says that this build neither selects {@code *} nor lets the driver do so (as it does for {@code
   * RETURN_GENERATED_KEYS}), so that a changed row type can't break a prepared statement. Says
   * nothing of a column that keeps its name and gets another type ({@link
   * dev.zerodowntime.orchestrator.operation.WidenColumn}): that breaks statements which name it, so
   * it waits for drivers that are safe by themselves.
   *
   * @return this
   */
  public OrchestratorBuilder noStarQueries() {
    this.noStarQueries = true;
    return this;
  }

  /**
   * Whether a daemon thread heartbeats and drives after {@link Orchestrator#advance()}. Default:
   * yes. Without it, a member heartbeats only when {@code advance()} is called, and is struck off
   * if that is too seldom.
   *
   * @param background whether to start it
   * @return this
   */
  public OrchestratorBuilder background(boolean background) {
    this.background = background;
    return this;
  }

  /**
   * How many threads of this process take part in backfills, beside the driver's. How many work on
   * one backfill is its own affair, see {@link Pace#workers}. Default: 1, and none for {@link
   * Role#MEMBER}. Each uses a connection while it works, of {@link #ddlDataSource} for batches and
   * of the application's pool for a look at the load: make them large enough.
   *
   * @param threads 0 to 64
   * @return this
   */
  public OrchestratorBuilder backfillWorkers(int threads) {
    if (threads < 0 || threads > Pace.MOST_WORKERS) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "backfillWorkers is " + threads,
          "Give a number between 0 and " + Pace.MOST_WORKERS + ".");
    }
    this.backfillWorkers = threads;
    return this;
  }

  /**
   * Adds something that backfills give way to, where this process works on them. Adds to earlier
   * calls. Default: none; {@link Pace} has limits for replication lag and waiting sessions, and see
   * {@link #loadLimit}.
   *
   * @param signal what to read, and its limit
   * @return this
   */
  public OrchestratorBuilder loadSignal(LoadSignal signal) {
    loadSignals.add(Objects.requireNonNull(signal, "signal"));
    return this;
  }

  /**
   * Replaces the limit of something that the server itself says of its load. MySQL and MariaDB say
   * {@code Threads_running} (default 50 threads) and {@code history list length} (default 1,000,000
   * transactions); PostgreSQL says none. Above half of it pauses get longer, above it no batch
   * runs.
   *
   * @param signal its name
   * @param limit the highest value at which batches run; {@link Double#POSITIVE_INFINITY} does
   *     without it
   * @return this
   */
  public OrchestratorBuilder loadLimit(String signal, double limit) {
    if (Double.isNaN(limit)) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "loadLimit(\"" + signal + "\", ...) is no number",
          "Give the highest value at which batches run.");
    }
    loadLimits.put(Objects.requireNonNull(signal, "signal"), limit);
    return this;
  }

  /**
   * Is told how backfills get on that this process works on. Default: nobody. The log says it every
   * 30 s, and at the end, in any case.
   *
   * @param listener who is told
   * @return this
   */
  public OrchestratorBuilder onBackfill(BackfillListener listener) {
    this.backfillListener = Objects.requireNonNull(listener, "listener");
    return this;
  }

  /**
   * Gives a tool that copies tables, to drivers on MySQL and MariaDB: for migrations that say
   * {@code byCopy()}, and for big tables. Default: none; a driver without it leaves what is to be
   * copied to another.
   *
   * @param tool the tool
   * @return this
   */
  public OrchestratorBuilder copyTool(CopyTool tool) {
    this.copyTool = Objects.requireNonNull(tool, "tool");
    return this;
  }

  /**
   * Builds it. Does not touch the database.
   *
   * @return an orchestrator
   * @throws DeclarationException if something is missing or contradictory
   */
  public Orchestrator build() {
    return new Engine(
        new Engine.Configuration(
            dataSource,
            ddlDataSource == null ? dataSource : ddlDataSource,
            Map.copyOf(readers),
            dialect,
            named("application", application),
            named("release", release),
            controlSchema == null
                ? null
                : fits("control schema", named("control schema", controlSchema)),
            role,
            environment,
            Timing.of(environment).with(timing),
            List.copyOf(declarations),
            Set.copyOf(finished),
            touches == null ? null : Set.copyOf(touches),
            backupGate,
            healthCheck,
            endBlockers,
            noStarQueries,
            developmentOnRows,
            background,
            copyTool,
            new Engine.Backfills(
                backfillWorkers == null ? (role.drives() ? 1 : 0) : backfillWorkers,
                List.copyOf(loadSignals),
                Map.copyOf(loadLimits),
                backfillListener)));
  }

  /** Databases cut longer names off, or refuse them when it is late. */
  private static String fits(String what, String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_NAME_BYTES) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "The name of the " + what + " is " + bytes + " bytes long: " + name,
          "Give the builder one of at most " + MAX_NAME_BYTES + " bytes.");
    }
    return name;
  }

  private static String named(String what, @Nullable String value) {
    if (value == null || value.isBlank() || value.length() > 200) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "The orchestrator has no usable " + what + ": " + value,
          "Give the builder one of 1 to 200 characters.");
    }
    return value;
  }
}
