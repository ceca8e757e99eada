package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.BackfillControl;
import dev.zerodowntime.orchestrator.BackfillListener;
import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.BackupGate;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.Diagnosis;
import dev.zerodowntime.orchestrator.EndBlockers;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Export;
import dev.zerodowntime.orchestrator.FleetStatus;
import dev.zerodowntime.orchestrator.HealthCheck;
import dev.zerodowntime.orchestrator.LoadSignal;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationPlan;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.Readiness;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.flyway.FlywayJoin;
import dev.zerodowntime.orchestrator.internal.flyway.Host;
import dev.zerodowntime.orchestrator.internal.flyway.Unfinished;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link Orchestrator}: connects lazily, and hands every call to the part that does it. */
public final class Engine implements Orchestrator, Host {

  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  private final Configuration configuration;
  private final ReentrantLock connecting = new ReentrantLock();
  private volatile @Nullable Connected connected;
  private volatile boolean closed;

  /**
   * Takes a configuration that was checked.
   *
   * @param configuration what the builder was told
   */
  public Engine(Configuration configuration) {
    this.configuration = configuration;
  }

  /** What the builder was told. */
  public record Configuration(
      DataSource dataSource,
      DataSource ddlDataSource,
      Map<String, DataSource> readers,
      @Nullable Dialect dialect,
      String application,
      String release,
      @Nullable String controlSchema,
      Role role,
      Environment environment,
      Timing timing,
      List<Declaration> declarations,
      Set<String> finished,
      @Nullable Set<String> touches,
      @Nullable BackupGate backupGate,
      @Nullable HealthCheck healthCheck,
      @Nullable EndBlockers endBlockers,
      boolean noStarQueries,
      boolean developmentOnRows,
      boolean background,
      @Nullable CopyTool copyTool,
      Backfills backfills) {}

  /**
   * How this process takes part in backfills.
   *
   * @param workers threads beside the driver's
   * @param signals what the author wants them to give way to
   * @param limits the author's limits of what the server says of its load, by name
   * @param listener who is told how they get on, or null
   */
  public record Backfills(
      int workers,
      List<LoadSignal> signals,
      Map<String, Double> limits,
      @Nullable BackfillListener listener) {}

  /**
   * What a build declares of one migration.
   *
   * @param id the migration's id
   * @param schema the target schema; null for the connection's current one, and for references,
   *     which mean every schema
   * @param operation the operation's class
   * @param migration the declaration, or null where another team owns it
   * @param stages names of the stages its code can be at, oldest first
   * @param type the enum that they are of
   */
  public record Declaration(
      String id,
      @Nullable String schema,
      Class<?> operation,
      @Nullable Migration<?> migration,
      List<String> stages,
      Class<?> type) {

    /** For messages: operation and stages. */
    public String describe() {
      return operation.getSimpleName() + " at " + String.join(", ", stages);
    }
  }

  private Connected connected() throws SQLException {
    Connected found = connected;
    if (found != null) {
      return found;
    }
    connecting.lock();
    try {
      found = connected;
      if (found == null) {
        found = Connected.to(configuration);
        connected = found;
        if (closed) {
          found.close();
          throw new IllegalStateException("this orchestrator is closed");
        }
      }
      return found;
    } finally {
      connecting.unlock();
    }
  }

  private <T> T call(Failures.Call<T> call) {
    if (closed) {
      throw new IllegalStateException("this orchestrator is closed");
    }
    return Failures.translate(configuration, () -> connected, call);
  }

  @Override
  public AdvanceReport advance() {
    AdvanceReport report = call(() -> connected().startup().advance());
    LOG.info("{}", report);
    return report;
  }

  @Override
  public void joinFlyway(FluentConfiguration configuration) {
    List<Migration<?>> declared = new ArrayList<>();
    for (Declaration each : this.configuration.declarations()) {
      Migration<?> migration = each.migration();
      if (migration != null) {
        declared.add(migration);
      }
    }
    FlywayJoin.join(configuration, declared, this);
  }

  @Override
  public void install() {
    if (configuration.role().drives()) {
      call(
          () -> {
            connected().startup().tables();
            return true;
          });
    }
  }

  @Override
  public void place(String id) {
    call(() -> connected().steering().place(id));
  }

  @Override
  public boolean installed() {
    return call(() -> connected().reporter().installed());
  }

  @Override
  public void idle(Connection connection) {
    call(
        () -> {
          connected().dialect().longStatements().idle(connection);
          return true;
        });
  }

  @Override
  public void settle(Set<String> ids) {
    call(() -> connected().steering().settle(ids));
  }

  @Override
  public List<Unfinished> unfinished() {
    return call(() -> connected().reporter().unfinished());
  }

  @Override
  public boolean transactionalDdl() {
    return call(() -> connected().dialect().transactionalDdl());
  }

  @Override
  public String currentSchema() {
    return call(() -> connected().server().schema());
  }

  @Override
  public String controlSchema() {
    return call(() -> connected().controlSchema());
  }

  @Override
  public AdvanceReport drive() {
    return drive(Duration.ZERO);
  }

  @Override
  public AdvanceReport drive(Duration patience) {
    return call(() -> connected().startup().drive(patience));
  }

  @Override
  public Readiness await(ReleaseManifest manifest, Duration patience) {
    if (patience.isNegative()) {
      throw new IllegalArgumentException("patience must not be negative, but is " + patience);
    }
    Readiness readiness = call(() -> connected().startup().await(manifest, patience));
    LOG.info("{}", readiness);
    return readiness;
  }

  @Override
  public List<ReleaseManifest> countedManifests() {
    return call(() -> connected().reporter().counted());
  }

  @Override
  public AdvanceReport driveTo(String id, String phase) {
    return call(() -> connected().steering().driveTo(id, phase));
  }

  @Override
  public FleetStatus status() {
    return call(() -> connected().reporter().status());
  }

  @Override
  public List<MigrationPlan> plan() {
    return call(() -> connected().planner().plan());
  }

  @Override
  public Diagnosis doctor() {
    if (closed) {
      throw new IllegalStateException("this orchestrator is closed");
    }
    return Examination.of(configuration);
  }

  @Override
  public <C extends Enum<C> & CodeStage> C stage(Migration<C> migration) {
    Connected now = connected;
    if (now != null) {
      String schema = migration.schema().orElse(now.server().schema());
      String stage = now.membership().stages().get(MigrationRow.key(schema, migration.id()));
      if (stage != null) {
        return Stages.constant(migration, configuration.declarations(), stage);
      }
    }
    throw new IllegalStateException(
        "this process has not been admitted with a stage of "
            + migration.id()
            + "; declare it with thisBuild(...) and call advance() first");
  }

  @Override
  public ReleaseManifest manifest() {
    Map<String, ReleaseManifest.Declaration> declarations = new LinkedHashMap<>();
    for (Declaration each : configuration.declarations()) {
      Migration<?> migration = each.migration();
      declarations.putIfAbsent(
          each.id(),
          new ReleaseManifest.Declaration(
              migration == null ? null : migration.lifecycle(),
              migration == null ? null : migration.table(),
              each.stages()));
    }
    return new ReleaseManifest(
        configuration.application(),
        configuration.release(),
        declarations,
        List.copyOf(configuration.finished()),
        configuration.touches(),
        false);
  }

  @Override
  public boolean fit() {
    Connected now = connected;
    return now != null && now.membership().fit();
  }

  @Override
  public void pause(String id) {
    call(() -> connected().operator().pause(id));
  }

  @Override
  public void resume(String id) {
    call(() -> connected().operator().resume(id));
  }

  @Override
  public BackfillControl backfill(String id) {
    return new BackfillControl() {
      @Override
      public void pause() {
        call(() -> connected().backfills().pause(id, true));
      }

      @Override
      public void resume() {
        call(() -> connected().backfills().pause(id, false));
      }

      @Override
      public void tune(UnaryOperator<Pace> change) {
        call(() -> connected().backfills().tune(id, change));
      }

      @Override
      public void reset() {
        call(() -> connected().backfills().reset(id));
      }

      @Override
      public List<BackfillProgress> progress() {
        return call(() -> connected().backfills().progress(id));
      }
    };
  }

  @Override
  public void pauseAll(String reason) {
    call(() -> connected().operator().pauseAll(reason));
  }

  @Override
  public void resumeAll() {
    call(() -> connected().operator().resumeAll());
  }

  @Override
  public void approve(String id, String phase) {
    call(() -> connected().operator().approve(id, phase));
  }

  @Override
  public void rollback(String id, String phase) {
    call(() -> connected().operator().rollback(id, phase));
  }

  @Override
  public MigrationPlan abandon(String id) {
    return call(() -> connected().operator().abandon(id));
  }

  @Override
  public String finishScript(String id) {
    return call(() -> connected().scripts().finish(id));
  }

  @Override
  public String rollbackScript(String id) {
    return call(() -> connected().scripts().rollback(id));
  }

  @Override
  public Export export(String... ids) {
    return call(() -> connected().exports().of(ids));
  }

  @Override
  public void adopted(String application) {
    call(() -> connected().operator().adopted(application));
  }

  @Override
  public void pin(String application, String label) {
    call(() -> connected().operator().pin(application, label));
  }

  @Override
  public void unpin(String application, String label) {
    call(() -> connected().operator().unpin(application, label));
  }

  @Override
  public void forgetRelease(String application, String release) {
    call(() -> connected().operator().forgetRelease(application, release));
  }

  @Override
  public void moved() {
    call(() -> connected().operator().moved());
  }

  @Override
  public void copied() {
    call(() -> connected().operator().copied());
  }

  @Override
  public void close() {
    closed = true;
    Connected now = connected;
    if (now != null) {
      now.close();
    }
  }
}
