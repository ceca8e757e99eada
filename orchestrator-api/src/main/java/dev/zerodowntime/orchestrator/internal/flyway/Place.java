package dev.zerodowntime.orchestrator.internal.flyway;

import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.migration.JavaMigration;

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

  @Override
  public String getDescription() {
    return id;
  }

  /** None: whether a declaration was edited is found out by what the control tables hold. */
  @Override
  @SuppressWarnings("NullAway") // Flyway's own migrations in Java return null here
  public Integer getChecksum() {
    return null;
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
