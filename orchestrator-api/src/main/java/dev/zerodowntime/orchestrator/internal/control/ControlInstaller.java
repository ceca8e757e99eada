package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.migration.JavaMigration;

/**
 * Installs the control tables with Flyway, in a schema and with a history table of their own, so
 * that an application that uses Flyway itself in the same database notices nothing of it.
 *
 * <p>Uses only what Flyway 10 to 13 have in common. The versions are Java migrations, since Flyway
 * can't open SQL files inside a named module.
 */
final class ControlInstaller {

  private static final int TRIES_AMONG_OTHERS = 5;

  private ControlInstaller() {}

  static void install(DataSource dataSource, String schema, Dialect dialect) {
    ControlSql sql = dialect.control();
    List<ControlSql.Version> versions = sql.versions(sql.quote(schema));
    // Among tables of others, two processes may both find that there is no history yet.
    for (int left = sql.prefix().isEmpty() ? 0 : TRIES_AMONG_OTHERS; ; left--) {
      try {
        migrate(dataSource, schema, sql, versions);
        return;
      } catch (FlywayException e) {
        if (left <= 0 || forbidden(e, dialect)) {
          throw failed(e, schema, dialect);
        }
      }
    }
  }

  private static void migrate(
      DataSource dataSource, String schema, ControlSql sql, List<ControlSql.Version> versions) {
    Flyway.configure(ControlInstaller.class.getClassLoader())
        .dataSource(dataSource)
        .schemas(schema)
        .defaultSchema(schema)
        .createSchemas(true)
        .table("orchestrator_history")
        // Nothing of the application's may be found: neither its scripts nor callbacks.
        .locations(new String[0])
        // Among tables of others, it begins at nothing.
        .baselineOnMigrate(!sql.prefix().isEmpty())
        .baselineVersion("0")
        .skipDefaultResolvers(true)
        .skipDefaultCallbacks(true)
        // An older library meets newer tables in every rolling deploy.
        .ignoreMigrationPatterns("*:future")
        .javaMigrations(versions.stream().map(Installation::new).toArray(JavaMigration[]::new))
        .load()
        .migrate();
  }

  private static DatabaseException failed(FlywayException e, String schema, Dialect dialect) {
    return new DatabaseException(
        forbidden(e, dialect) ? ErrorCode.MISSING_PRIVILEGE : ErrorCode.CONTROL_TABLES,
        "The control tables could not be installed in schema " + schema + ": " + firstLine(e),
        "The database user needs CREATE on the database, or on the schema if it exists"
            + " already: GRANT CREATE ON DATABASE … TO …; see the cause for the server's"
            + " own words.",
        e);
  }

  private static boolean forbidden(Throwable e, Dialect dialect) {
    Throwable cause = e;
    while (cause != null && !(cause instanceof SQLException)) {
      cause = cause.getCause();
    }
    return cause instanceof SQLException sql && dialect.classify(sql) == SqlErrorKind.PRIVILEGE;
  }

  private static String firstLine(Throwable e) {
    Throwable deepest = e;
    while (deepest.getCause() != null && deepest.getCause() != deepest) {
      deepest = deepest.getCause();
    }
    String message = String.valueOf(deepest.getMessage());
    return message.lines().filter(line -> !line.isBlank()).findFirst().orElse(message);
  }

  /** One version of the control tables as a Flyway migration. */
  private static final class Installation implements JavaMigration {

    private final ControlSql.Version version;

    private Installation(ControlSql.Version version) {
      this.version = version;
    }

    @Override
    public MigrationVersion getVersion() {
      return MigrationVersion.fromVersion(Integer.toString(version.number()));
    }

    @Override
    public String getDescription() {
      return version.description();
    }

    @Override
    public Integer getChecksum() {
      return version.statements().hashCode();
    }

    @Override
    public boolean canExecuteInTransaction() {
      return true;
    }

    @Override
    public void migrate(Context context) throws Exception {
      try (Statement statement = context.getConnection().createStatement()) {
        for (String sql : version.statements()) {
          statement.execute(sql);
        }
      }
    }
  }
}
