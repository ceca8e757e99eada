package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackupGate;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.EndBlockers;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.HealthCheck;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.internal.control.BackfillStore;
import dev.zerodowntime.orchestrator.internal.control.ChunkStore;
import dev.zerodowntime.orchestrator.internal.control.ControlReader;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events;
import dev.zerodowntime.orchestrator.internal.control.FleetRows;
import dev.zerodowntime.orchestrator.internal.control.FleetWriter;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.control.MigrationWriter;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What every part of the engine works with.
 *
 * @param dataSource the application's connections
 * @param ddlDataSource connections for DDL and backfills
 * @param readers replicas that the application reads from, by name
 * @param dialect the database's dialect
 * @param tables the control tables
 * @param reader queries of them
 * @param migrations changes of migrations
 * @param backfills backfills and their cursors
 * @param chunks chunks of backfills
 * @param fleet changes of who is counted
 * @param events the event log
 * @param server the server and database this process is connected to
 * @param member this process's id
 * @param application this build's application
 * @param release this build's release
 * @param role what this process does
 * @param environment what the database is for
 * @param timing the durations
 * @param declarations what this build declares
 * @param backupGate confirms that a backup exists
 * @param healthCheck says whether the application is well
 * @param endBlockers whose sessions may be ended
 * @param rules the fleet rules
 */
record EngineContext(
    DataSource dataSource,
    DataSource ddlDataSource,
    Map<String, DataSource> readers,
    Dialect dialect,
    ControlTables tables,
    ControlReader reader,
    MigrationWriter migrations,
    BackfillStore backfills,
    ChunkStore chunks,
    FleetWriter fleet,
    Events events,
    String server,
    String member,
    String application,
    String release,
    Role role,
    Environment environment,
    Timing timing,
    Declarations declarations,
    @Nullable BackupGate backupGate,
    @Nullable HealthCheck healthCheck,
    @Nullable EndBlockers endBlockers,
    FleetRules rules) {

  /** The least that a garbage collection or a slow disk is granted. */
  private static final long LEAST_MILLIS = 2_000;

  /** A transaction on the control tables, over the application's connections. */
  <T> T transaction(Db.Work<T> work) throws SQLException {
    return Db.transaction(dataSource, begin(), dialect.control().end(), work);
  }

  /** A transaction that changes the application's rows as well, over the connections for that. */
  <T> T ddlTransaction(Db.Work<T> work) throws SQLException {
    return Db.transaction(ddlDataSource, begin(), dialect.control().end(), work);
  }

  /**
   * Whoever is frozen in the middle of one must not keep the lease or the fleet for longer than a
   * driver that fell silent keeps the lease.
   */
  private List<String> begin() {
    long millis = Math.max(LEAST_MILLIS, timing.lease().toMillis() / 3);
    return dialect.control().begin(millis, millis);
  }

  /** Whether the control tables were written on another server, and nobody has said why. */
  boolean foreign(FleetRows.Control control) {
    return !control.identity().equals(server);
  }

  Target target(MigrationRow row) {
    return new Target(row.id(), row.schema(), tables.schema());
  }

  /** The dialect's support of a migration's operation; empty if this driver can't drive it. */
  Optional<Operation<?>> operation(MigrationRow row) {
    for (OperationSupport<?> each : dialect.operations()) {
      if (each.type().name().equals(row.lifecycle().operation())) {
        return Optional.of(restore(each, row, declarations.same(row).orElse(null)));
      }
    }
    return Optional.empty();
  }

  private static <M extends Migration<?>> Operation<M> restore(
      OperationSupport<M> support, MigrationRow row, @Nullable Migration<?> declared) {
    return new Operation<>(
        support,
        support
            .type()
            .restore()
            .apply(
                new OperationType.Stored(
                    row.id(), row.schema(), row.after(), row.policy(), row.operation(), declared)));
  }

  /** The dialect's support of a declared migration. */
  Optional<Operation<?>> operation(Migration<?> migration) {
    for (OperationSupport<?> each : dialect.operations()) {
      if (each.type().javaType().isInstance(migration)) {
        return Optional.of(cast(each, migration));
      }
    }
    return Optional.empty();
  }

  private static <M extends Migration<?>> Operation<M> cast(
      OperationSupport<M> support, Migration<?> migration) {
    return new Operation<>(support, support.type().javaType().cast(migration));
  }

  /**
   * What this build declares.
   *
   * @param all in declaration order; those with a migration have their schema
   * @param finished ids that it names as finished
   * @param touches the tables it narrows itself to, or null
   */
  record Declarations(
      List<Engine.Declaration> all, Set<String> finished, @Nullable Set<String> touches) {

    /**
     * Takes what the builder was told, now that the connection's current schema is known.
     *
     * @throws DeclarationException if a migration is declared twice, once with that schema's name
     *     and once without
     */
    static Declarations of(Engine.Configuration configuration, String currentSchema) {
      List<Engine.Declaration> all = new ArrayList<>();
      Set<String> keys = new HashSet<>();
      for (Engine.Declaration each : configuration.declarations()) {
        String schema = each.schema() == null ? currentSchema : each.schema();
        if (each.migration() == null) {
          all.add(each);
          continue;
        }
        if (!keys.add(MigrationRow.key(schema, each.id()))) {
          throw new DeclarationException(
              ErrorCode.DUPLICATE_ID,
              "Migration id "
                  + each.id()
                  + " is used twice in this build: for the schema "
                  + schema
                  + " and for the connection's current one, which is the same",
              "Remove one of the two declarations.");
        }
        all.add(
            new Engine.Declaration(
                each.id(), schema, each.operation(), each.migration(), each.stages(), each.type()));
      }
      return new Declarations(List.copyOf(all), configuration.finished(), configuration.touches());
    }

    /** What this build says of a migration, in whatever schema: it has one code. */
    Optional<Engine.Declaration> about(MigrationRow row) {
      return all.stream().filter(each -> each.id().equals(row.id())).findFirst();
    }

    /** A migration's declaration, if it is the one that the row was made from. */
    Optional<Migration<?>> same(MigrationRow row) {
      for (Engine.Declaration each : all) {
        Migration<?> migration = each.migration();
        if (migration != null
            && each.id().equals(row.id())
            && row.schema().equals(each.schema())
            && migration.canonical().equals(row.operation())) {
          return Optional.of(migration);
        }
      }
      return Optional.empty();
    }

    /** The stages declared, by id. */
    Map<String, List<String>> stagesById() {
      Map<String, List<String>> stages = new LinkedHashMap<>();
      all.forEach(each -> stages.put(each.id(), each.stages()));
      return stages;
    }
  }
}
