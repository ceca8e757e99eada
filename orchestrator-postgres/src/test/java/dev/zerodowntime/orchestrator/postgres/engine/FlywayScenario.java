package dev.zerodowntime.orchestrator.postgres.engine;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.migration.JavaMigration;

/**
 * An application that uses Flyway itself beside us, in either order. Compiled once, run with each
 * version of Flyway: it uses only what they have in common.
 */
public final class FlywayScenario {

  private static final AddColumn NOTE =
      AddColumn.of("billing/note").table("invoices").column("note", "text").build();

  private FlywayScenario() {}

  /** Arguments: url, user, password, "ours" or "theirs" first, a directory for scripts. */
  public static void main(String[] arguments) {
    run(AdvanceOnce.dataSource(arguments), arguments[3].equals("ours"), Path.of(arguments[4]));
    System.out.println(
        "done with " + Flyway.class.getProtectionDomain().getCodeSource().getLocation());
  }

  static void run(DataSource dataSource, boolean oursFirst, Path scripts) {
    script(scripts, "V1__invoices.sql", "CREATE TABLE invoices (id bigint PRIMARY KEY);");
    if (oursFirst) {
      advance(dataSource, false);
    }
    application(dataSource, scripts).migrate();
    advance(dataSource, true);
    // Both know of the other, and go on.
    script(scripts, "V2__lines.sql", "ALTER TABLE invoices ADD COLUMN lines int;");
    application(dataSource, scripts).migrate();
    application(dataSource, scripts).validate();
    ours(dataSource).validate();
    advance(dataSource, true);
  }

  private static void advance(DataSource dataSource, boolean migrate) {
    var builder = Members.member(dataSource, migrate ? "2" : "1");
    if (migrate) {
      builder.thisBuild(NOTE, AddColumn.Code.READS);
    }
    try (Orchestrator member = builder.build()) {
      member.advance();
      if (!member.drive(Duration.ofSeconds(20)).settled()) {
        throw new AssertionError(member.status().toString());
      }
    }
  }

  static Flyway application(DataSource dataSource, Path scripts) {
    return Flyway.configure(FlywayScenario.class.getClassLoader())
        .dataSource(dataSource)
        .locations("filesystem:" + scripts)
        .load();
  }

  /** Our installation as somebody else's Flyway would check it. */
  private static Flyway ours(DataSource dataSource) {
    ControlSql sql = PostgresDialect.create().control();
    return Flyway.configure(FlywayScenario.class.getClassLoader())
        .dataSource(dataSource)
        .schemas("orchestrator")
        .defaultSchema("orchestrator")
        .table("orchestrator_history")
        .locations(new String[0])
        .skipDefaultResolvers(true)
        .javaMigrations(
            sql.versions(sql.quote("orchestrator")).stream()
                .map(Version::new)
                .toArray(JavaMigration[]::new))
        .load();
  }

  private static void script(Path scripts, String name, String sql) {
    try {
      Files.write(scripts.resolve(name), List.of(sql));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Says what was installed; is never run. */
  private record Version(ControlSql.Version version) implements JavaMigration {
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
    public void migrate(Context context) {
      throw new UnsupportedOperationException();
    }
  }
}
