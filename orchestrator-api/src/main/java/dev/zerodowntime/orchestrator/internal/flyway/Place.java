package dev.zerodowntime.orchestrator.internal.flyway;

import dev.zerodowntime.orchestrator.Export;
import org.flywaydb.core.api.CoreMigrationType;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.migration.JavaMigration;
import org.flywaydb.core.extensibility.MigrationType;

/** A migration's place in the order of an application's Flyway. */
final class Place implements JavaMigration {

  private final MigrationVersion version;
  private final String id;
  private final Host host;

  Place(MigrationVersion version, String id, Host host) {
    this.version = version;
    this.id = id;
    this.host = host;
  }

  @Override
  public MigrationVersion getVersion() {
    return version;
  }

  /** As that of the script that {@link Export} writes: Flyway compares them. */
  @Override
  public String getDescription() {
    return ScriptName.description(id);
  }

  /** None: whether a declaration was edited is found out by what the control tables hold. */
  @Override
  @SuppressWarnings("NullAway") // Flyway's own migrations in Java return null here
  public Integer getChecksum() {
    return null;
  }

  /**
   * As a script's: Flyway knows what it has applied by version and type, and one day a script that
   * was exported takes this place. Without a checksum, it is taken for the same.
   */
  @Override
  public MigrationType getType() {
    return CoreMigrationType.SQL;
  }

  /**
   * The engine has connections of its own, so Flyway's transaction stays empty; but where DDL takes
   * part in transactions, one that is rolled back leaves no note of a failure, which somebody would
   * have to repair. Elsewhere it would only be a snapshot that DDL must not be run beside.
   */
  @Override
  public boolean canExecuteInTransaction() {
    return host.transactionalDdl();
  }

  @Override
  public void migrate(Context context) {
    host.place(id);
  }
}
