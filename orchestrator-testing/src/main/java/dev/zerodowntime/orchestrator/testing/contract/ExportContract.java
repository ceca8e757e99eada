package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Export;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is exported makes the same of the same tables as the library does. {@code
 * -Dcontract.only=regex} takes the operations of that name.
 */
public abstract class ExportContract extends Contract {

  private static final int DRIVES = 20;
  private static final String HISTORY = "flyway_schema_history";

  @TempDir private Path folder;

  /**
   * Names that the server chooses by itself where the library had to choose them: one text a row;
   * empty if there are none.
   */
  protected String chosenNames() {
    return "";
  }

  /** A line of a definition, without what may differ. */
  protected String alike(String line) {
    return line;
  }

  final Stream<Named<Subject<?>>> subjects() {
    String only = System.getProperty("contract.only", ".*");
    return product().subjects().stream()
        .filter(each -> each.name().matches(only))
        .map(each -> Named.of(each.name(), each));
  }

  @ParameterizedTest
  @MethodSource("subjects")
  <C extends Enum<C> & CodeStage> void itsSqlMakesTheSame(Subject<C> subject) throws Exception {
    Migration<C> migration = subject.migration(List.of());
    try (Ground with = ground("tables", Environment.DEVELOPMENT, product().tables());
        Ground without = bare(product().tables())) {
      List<String> before = state(without);
      assertThat(difference(state(with), before)).as("the tables themselves").isEmpty();
      finish(with, subject, migration);
      try (Orchestrator job = with.job().build()) {
        Export export = exported(job, migration.id());
        if (export == null) {
          return;
        }
        assertThat(job.export(migration.id())).isEqualTo(export);
        String sql = export.scripts().get(0).sql();
        assertThat(sql).doesNotContain("zdo_").doesNotContainIgnoringCase("CONCURRENTLY");
        run(without, export.at(migration.id(), "39.1"));
        assertThat(difference(state(without), state(with))).as(sql).isEmpty();
        // Else it would be no proof; but for what changes no definition and no row.
        assertThat(state(without).equals(before)).isEqualTo(sql.contains("There is nothing to do"));
      }
      drop(with);
      drop(without);
    }
  }

  /** Its script; null where there is a good reason that there is none. */
  private static Export exported(Orchestrator job, String id) {
    try {
      Export export = job.export(id);
      assertThat(export.scripts()).hasSize(1);
      assertThat(job.export()).isEqualTo(export);
      return export;
    } catch (RefusedException e) {
      assertThat(e).hasMessageContaining(id).hasMessageContaining("Java migration");
      assertThat(job.export().left()).containsOnlyKeys(id);
      return null;
    }
  }

  private <C extends Enum<C> & CodeStage> void finish(
      Ground ground, Subject<C> subject, Migration<C> migration) {
    StageSpan newest =
        product().stages(migration).stream()
            .filter(each -> each.span().high() == migration.lifecycle().last())
            .reduce((a, b) -> b)
            .orElseThrow();
    try (Orchestrator process =
        ground
            .member("newest")
            .thisBuild(migration, Enum.valueOf(subject.stages(), newest.stage()))
            .build()) {
      AdvanceReport report = process.advance();
      for (int i = 0; !report.migration(migration.id()).orElseThrow().finished(); i++) {
        assertThat(i).as(report.toString()).isLessThan(DRIVES);
        report = process.drive();
      }
    }
  }

  private void run(Ground ground, Export export) {
    export.write(folder);
    Flyway flyway =
        Flyway.configure()
            .dataSource(ground.pool())
            .locations("filesystem:" + folder)
            .baselineOnMigrate(true)
            .baselineVersion("38")
            .load();
    assertThat(flyway.migrate().migrationsExecuted).isEqualTo(1);
  }

  private static List<String> difference(List<String> here, List<String> there) {
    List<String> more = new ArrayList<>(here);
    List<String> less = new ArrayList<>(there);
    there.forEach(more::remove);
    here.forEach(less::remove);
    more.replaceAll(each -> "too much: " + each);
    less.forEach(each -> more.add("missing: " + each));
    return more;
  }

  private List<String> state(Ground ground) throws SQLException {
    List<String> state = new ArrayList<>(shape(ground));
    state.addAll(rows(ground));
    return state;
  }

  private List<String> shape(Ground ground) throws SQLException {
    List<String> chosen = chosenNames().isEmpty() ? List.of() : ground.rows(chosenNames());
    return ground.shape(List.of(HISTORY)).stream()
        .map(
            each -> {
              String line = alike(each);
              for (String name : chosen) {
                line = line.replaceAll("\\b" + name + "\\b", "chosen");
              }
              return line;
            })
        .sorted()
        .toList();
  }

  /** Every row, but for how often it was changed. */
  private static List<String> rows(Ground ground) throws SQLException {
    TreeSet<String> tables = new TreeSet<>();
    try (Connection connection = ground.pool().getConnection();
        ResultSet table =
            connection
                .getMetaData()
                .getTables(
                    connection.getCatalog(),
                    connection.getSchema(),
                    "%",
                    new String[] {"TABLE", "PARTITIONED TABLE", "BASE TABLE"})) {
      while (table.next()) {
        tables.add(table.getString("TABLE_NAME"));
      }
    }
    tables.removeIf(
        each -> each.equals(HISTORY) || each.startsWith("orchestrator") || each.startsWith("zdo_"));
    Map<String, List<String>> columns = ground.columns(tables);
    columns
        .values()
        .forEach(
            each -> {
              each.remove(ground.sql().quoted("touched"));
              each.sort(null);
            });
    return ground.content(columns);
  }
}
