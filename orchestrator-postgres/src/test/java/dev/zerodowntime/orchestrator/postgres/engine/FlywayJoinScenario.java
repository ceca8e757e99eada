package dev.zerodowntime.orchestrator.postgres.engine;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * An application whose Flyway knows of us. Compiled once, run with each version of Flyway: it uses
 * only what they have in common.
 */
public final class FlywayJoinScenario {

  static final RenameColumn FULL_NAME =
      RenameColumn.of("billing/full-name")
          .flyway("2.1")
          .table("users")
          .from("name")
          .to("full_name")
          .build();

  static final AddColumn REGION =
      AddColumn.of("billing/region")
          .flyway("2.2")
          .table("users")
          .column("region", "text")
          .notNull()
          .fillWithSql("'eu'")
          .build();

  private FlywayJoinScenario() {}

  /** Arguments: url, user, password, a directory for scripts. */
  public static void main(String[] arguments) {
    DataSource dataSource = AdvanceOnce.dataSource(arguments);
    Path scripts = Path.of(arguments[3]);
    scripts(scripts);
    fresh(dataSource, "filesystem:" + scripts);
    replaced(dataSource, scripts);
    // On the class path, where it was put: as a folder, or within a jar.
    refused(dataSource, "classpath:joined");
    System.out.println(
        "done with " + Flyway.class.getProtectionDomain().getCodeSource().getLocation());
  }

  /** Scripts around two places: those after them want the new shape. */
  static void scripts(Path scripts) {
    script(scripts, "V1__users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
    script(
        scripts,
        "V2__countries.sql",
        "CREATE TABLE countries (code text PRIMARY KEY); INSERT INTO countries VALUES ('AT');");
    script(
        scripts,
        "V3__index.sql",
        "-- The new shape of users is there.\n"
            + "CREATE INDEX users_by_name ON users (full_name, region);");
  }

  static Orchestrator member(DataSource dataSource) {
    return Members.member(dataSource, "1")
        .thisBuild(FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
        .thisBuild(REGION, AddColumn.Code.READS)
        .build();
  }

  static void fresh(DataSource dataSource, String location) {
    try (Orchestrator member = member(dataSource)) {
      flyway(dataSource, member, location).migrate();
      if (!member.fit()) {
        throw new AssertionError("it should have advanced");
      }
      flyway(dataSource, member(dataSource), location).validate();
    }
  }

  /** What finished migrations come to takes their places, and is not run where they were. */
  private static void replaced(DataSource dataSource, Path scripts) {
    try (Orchestrator member = member(dataSource)) {
      if (member.export().write(scripts).size() != 2) {
        throw new AssertionError("both are finished");
      }
    }
    int executed =
        Flyway.configure(FlywayJoinScenario.class.getClassLoader())
            .dataSource(dataSource)
            .locations("filesystem:" + scripts)
            .load()
            .migrate()
            .migrationsExecuted;
    if (executed != 0) {
      throw new AssertionError(executed + " were executed");
    }
  }

  /** One more place, whose table has rows by now; the script after it, on the class path, waits. */
  private static void refused(DataSource dataSource, String location) {
    AddColumn note =
        AddColumn.of("billing/note")
            .flyway("3.1")
            .table("countries")
            .column("note", "text")
            .notNull()
            .fillWithSql("''")
            .build();
    try (Orchestrator member =
        Members.member(dataSource, "2")
            .thisBuild(FULL_NAME, RenameColumn.Code.USES_NEW_NAME)
            .thisBuild(REGION, AddColumn.Code.READS)
            .thisBuild(note, AddColumn.Code.UNAWARE)
            .build()) {
      flyway(dataSource, member, location).migrate();
      throw new AssertionError("the script should have been refused");
    } catch (RuntimeException e) {
      System.out.println("refused: " + deepest(e));
    }
  }

  static Throwable deepest(Throwable e) {
    Throwable deepest = e;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return deepest;
  }

  static Flyway flyway(DataSource dataSource, Orchestrator member, String... locations) {
    FluentConfiguration configuration =
        Flyway.configure(FlywayJoinScenario.class.getClassLoader())
            .dataSource(dataSource)
            .ignoreMigrationPatterns("*:missing")
            .locations(locations);
    member.joinFlyway(configuration);
    return configuration.load();
  }

  static void script(Path scripts, String name, String sql) {
    try {
      Files.createDirectories(scripts);
      Files.write(scripts.resolve(name), List.of(sql));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
