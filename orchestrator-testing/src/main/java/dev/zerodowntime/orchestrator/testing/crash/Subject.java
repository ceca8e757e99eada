package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Timing;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import javax.sql.DataSource;

/**
 * An operation under test: a migration, and what the application's code writes meanwhile.
 *
 * @param name for the summary
 * @param stages its code stages
 * @param declare the migration, waiting for approval before the phases given
 * @param row by phase, what code inserts: columns and values, where {@code i} is the row's number
 * @param wrong counts rows that are not as they must be at the way's end; null where the
 *     undisturbed run says that well enough
 * @param also by phase, what else code writes; the statements must make their own keys, for they
 *     come again in that phase
 * @param <C> its code stages
 */
public record Subject<C extends Enum<C> & CodeStage>(
    String name,
    Class<C> stages,
    Function<String[], Migration<C>> declare,
    IntFunction<Row> row,
    String wrong,
    IntFunction<List<String>> also) {

  /** One whose code writes no more than that. */
  public Subject(
      String name,
      Class<C> stages,
      Function<String[], Migration<C>> declare,
      IntFunction<Row> row,
      String wrong) {
    this(name, stages, declare, row, wrong, phase -> List.of());
  }

  /** One of which the undisturbed run says well enough what is right. */
  public Subject(
      String name,
      Class<C> stages,
      Function<String[], Migration<C>> declare,
      IntFunction<Row> row) {
    this(name, stages, declare, row, null);
  }

  /** The same, whose code writes more. */
  public Subject<C> writing(IntFunction<List<String>> more) {
    return new Subject<>(name, stages, declare, row, wrong, more);
  }

  /** The table that most of them change. */
  public static final String TABLE = "users";

  /** Whether a person must consent to its way back, for it leaves something behind. */
  public boolean consents() {
    return List.of(
            "AddEnumValue", "AddPrimaryKey that stays", "DropConstraint of a check", "WidenColumn")
        .contains(name);
  }

  private static final int NEW_ROWS = 6;

  /** What code inserts. */
  public record Row(String columns, String values) {
    public static final Row PLAIN = new Row("id, country", "i, 'de'");
  }

  /** What the application writes when everything is at rest in a phase. */
  List<String> writes(Product product, int phase, int round) {
    int from = 100_000 + round * 100;
    Row each = row.apply(phase);
    List<String> writes = new ArrayList<>();
    writes.add(product.insert(each, from, from + NEW_ROWS - 1));
    writes.add("UPDATE users SET note = 'round " + round + "' WHERE id % 500 = 0");
    writes.addAll(also.apply(phase));
    return writes;
  }

  /** What is wrong after an act, whatever the undisturbed run says; or null. */
  String wrong(DataSource dataSource, Act act) throws SQLException {
    if (wrong == null || act.end() != migration(List.of()).lifecycle().last()) {
      return null;
    }
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(wrong)) {
      row.next();
      return row.getLong(1) == 0 ? null : row.getLong(1) + " found by " + wrong;
    }
  }

  /** Whether an act ends where a constraint holds for new rows, and not yet for all. */
  boolean enforces(Act act) {
    Lifecycle lifecycle = migration(List.of()).lifecycle();
    return lifecycle.stages().get(0).stage().equals("MAY_VIOLATE")
        && act.end() > 0
        && act.end() < lifecycle.last();
  }

  public Migration<C> migration(List<String> approvals) {
    return declare.apply(approvals.toArray(String[]::new));
  }

  /** The process of an act. */
  Orchestrator member(DataSource dataSource, Act act, List<String> approvals) {
    return builder(dataSource, act, approvals).build();
  }

  @SuppressWarnings("unchecked")
  OrchestratorBuilder builder(DataSource dataSource, Act act, List<String> approvals) {
    OrchestratorBuilder builder =
        Orchestrator.builder(dataSource)
            .application("billing")
            .release(act.release())
            .noStarQueries()
            .background(false)
            .backfillWorkers(0)
            .backupGate((migration, drops) -> true)
            .timing(timing -> quick(timing).horizon(act.horizon()));
    if (act.stage() != null) {
      builder.thisBuild(migration(approvals), Enum.valueOf(stages, act.stage()));
    }
    return builder;
  }

  /**
   * The rules of production with short durations. The tick only bounds slices of work here: a long
   * one keeps the trace free of looks at a clock.
   */
  private static Timing quick(Timing timing) {
    return timing
        .heartbeat(Duration.ofMillis(20), Duration.ofMillis(60))
        .soak(Duration.ZERO)
        .drain(Duration.ZERO)
        .startupBudget(Duration.ofSeconds(20))
        .lockBudget(Duration.ofSeconds(10))
        .retryPause(Duration.ofMillis(10))
        .lease(Duration.ofMillis(15))
        .tick(Duration.ofSeconds(5));
  }
}
