package dev.zerodowntime.orchestrator.junit;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.Wait;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.sql.DataSource;

/**
 * Takes one migration through all of its phases, up and back down again, and at each of them runs
 * the statements of every release whose code says that it can run there. This is what a rolling
 * deploy does to them, one phase at a time.
 *
 * <p>The database has the table as it is before the migration, with rows. It must be one that
 * nobody uses: the walk makes it one of {@link Environment#DEVELOPMENT}. What the migration goes
 * {@code after} must have been applied there: {@link FromScratch}. Not thread-safe.
 *
 * @param <C> the migration's code stages
 */
public final class PhaseWalk<C extends Enum<C> & CodeStage> {

  private final Migration<C> migration;
  private final Map<C, Statements> code;

  private PhaseWalk(Migration<C> migration, Class<C> stages) {
    this.migration = migration;
    this.code = new EnumMap<>(stages);
  }

  /** What the code of a release does. */
  @FunctionalInterface
  public interface Statements {

    /**
     * Runs them, and asserts what it likes. Called at every phase that the code can run against,
     * often more than once: keys must not repeat.
     *
     * @param connection in a transaction, which is committed afterwards
     * @throws Exception if they fail, which ends the walk
     */
    void run(Connection connection) throws Exception;
  }

  /**
   * What a walk has done.
   *
   * @param visits one for each time that a release's statements were run, such as {@code "EXPAND,
   *     upwards: USES_OLD_NAME"}, in order
   */
  public record Result(List<String> visits) {

    /** Copies the list. */
    public Result {
      visits = List.copyOf(visits);
    }

    @Override
    public String toString() {
      return String.join("\n", visits);
    }
  }

  /**
   * Begins a walk.
   *
   * @param migration the migration
   * @param stage any of its code stages, whose statements are given
   * @param statements what code at that stage does
   * @param <C> the migration's code stages
   * @return this walk
   */
  public static <C extends Enum<C> & CodeStage> PhaseWalk<C> of(
      Migration<C> migration, C stage, Statements statements) {
    return new PhaseWalk<C>(migration, stage.getDeclaringClass()).and(stage, statements);
  }

  /**
   * Adds the statements of another release.
   *
   * @param stage the stage that its code is at
   * @param statements what it does
   * @return this
   */
  public PhaseWalk<C> and(C stage, Statements statements) {
    code.put(stage, Objects.requireNonNull(statements, "statements"));
    return this;
  }

  /**
   * Walks.
   *
   * @param database a database with the migration's table as it was before
   * @return what was done
   * @throws AssertionError if statements failed, at what phase and which; if a phase could not be
   *     reached; or if a stage's statements were never run
   */
  public Result run(DataSource database) {
    List<String> visits = new ArrayList<>();
    Set<C> visited = new LinkedHashSet<>();
    try (Orchestrator driver =
        Orchestrator.builder(database)
            .application("walk")
            .release("walk")
            .role(Role.DRIVER)
            .environment(Environment.DEVELOPMENT)
            .developmentOnExistingRows()
            .background(false)
            .thisBuild(migration, code.keySet().iterator().next())
            .build()) {
      Lifecycle lifecycle = driveTo(driver, 0).lifecycle();
      visit(database, lifecycle, 0, "before", visits, visited);
      int top = lifecycle.last();
      for (int phase = 1; phase <= top; phase++) {
        lifecycle = driveTo(driver, phase).lifecycle();
        visit(database, lifecycle, phase, "upwards", visits, visited);
        if (phase == top || !lifecycle.reachable(phase + 1, phase)) {
          // There is no way back from the next one, or no next one: so back and forth from here.
          backAndForth(driver, database, lifecycle, phase, visits, visited);
        }
      }
    }
    for (C stage : code.keySet()) {
      if (!visited.contains(stage)) {
        throw new AssertionError("No phase of " + migration.id() + " suits " + stage);
      }
    }
    return new Result(visits);
  }

  private void backAndForth(
      Orchestrator driver,
      DataSource database,
      Lifecycle lifecycle,
      int from,
      List<String> visits,
      Set<C> visited) {
    int lowest = from;
    while (lowest > 0 && lifecycle.reachable(from, lowest - 1)) {
      lowest--;
      driveTo(driver, lowest);
      visit(database, lifecycle, lowest, "downwards", visits, visited);
    }
    for (int phase = lowest + 1; phase <= from; phase++) {
      driveTo(driver, phase);
      visit(database, lifecycle, phase, "upwards again", visits, visited);
    }
  }

  private void visit(
      DataSource database,
      Lifecycle lifecycle,
      int phase,
      String way,
      List<String> visits,
      Set<C> visited) {
    code.forEach(
        (stage, statements) -> {
          Span span = lifecycle.span(stage.name());
          if (span.low() <= phase && phase <= span.high()) {
            String where = lifecycle.name(phase) + ", " + way + ": " + stage;
            run(database, statements, where);
            visits.add(where);
            visited.add(stage);
          }
        });
  }

  private void run(DataSource database, Statements statements, String where) {
    try (Connection connection = database.getConnection()) {
      connection.setAutoCommit(false);
      statements.run(connection);
      connection.commit();
    } catch (Exception | AssertionError e) {
      throw new AssertionError(
          "Migration " + migration.id() + " at " + where + " failed: " + e.getMessage(), e);
    }
  }

  private MigrationReport driveTo(Orchestrator driver, int phase) {
    String name = migration.lifecycle().name(phase);
    MigrationReport report = driveOnce(driver, name);
    if (!there(report, phase)
        && report.waits().stream().anyMatch(each -> each.kind() == Wait.Kind.APPROVAL)) {
      // What a person consents to elsewhere.
      driver.approve(migration.id(), name);
      report = driveOnce(driver, name);
    }
    if (!there(report, phase)) {
      throw new AssertionError(
          "Migration " + migration.id() + " has not come to " + name + ":\n" + report);
    }
    return report;
  }

  private MigrationReport driveOnce(Orchestrator driver, String phase) {
    AdvanceReport report = driver.driveTo(migration.id(), phase);
    return report.migration(migration.id()).orElseThrow();
  }

  private static boolean there(MigrationReport report, int phase) {
    return report.state().atRest() && report.state().reached() == phase;
  }
}
