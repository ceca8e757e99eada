package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every operation promises, phase by phase. Operations come from {@link Product#subjects}, and
 * one that nobody wrote a subject for is an error.
 *
 * <p>Operations take turns, day by day, and so do the phases they come back from; {@code
 * -Dcontract.full=true} takes all, and {@code -Dcontract.only=regex} those of that name.
 */
public abstract class OperationContract extends Contract {

  private static final int PROCESSES = 3;
  private static final int DRIVES = 20;

  /** After how many days all of them have come up. */
  protected int days() {
    return 1;
  }

  final Stream<Named<Subject<?>>> subjects() {
    List<Subject<?>> all = product().subjects();
    String only = System.getProperty("contract.only");
    int day = (int) (LocalDate.now().toEpochDay() % days());
    return IntStream.range(0, all.size())
        .filter(
            each ->
                only != null
                    ? all.get(each).name().matches(only)
                    : Boolean.getBoolean("contract.full") || each % days() == day)
        .mapToObj(all::get)
        .map(each -> Named.of(each.name(), each));
  }

  /**
   * In production, up to each phase and back to the beginning: the definition and all rows are
   * exactly what they were. Then up once more, while code of every release that fits writes in
   * every phase; who says it again changes nothing. In development, and in a table without rows, it
   * ends in the same shape.
   */
  @ParameterizedTest
  @MethodSource("subjects")
  <C extends Enum<C> & CodeStage> void forthAndBackFromEveryPhase(Subject<C> subject)
      throws Exception {
    List<String> end;
    try (Ground ground = ground("tables", Environment.PRODUCTION, product().tables())) {
      Walker<C> walker = new Walker<>(ground, product(), subject);
      Set<String> tables = new LinkedHashSet<>(subject.migration(List.of()).tableNames());
      tables.add(Subject.TABLE);
      Map<String, List<String>> columns = ground.columns(tables);
      // How often a row was changed, which its way back is, too.
      columns.values().forEach(each -> each.remove(product().sql().quoted("touched")));
      List<String> shape = ground.shape();
      List<String> content = ground.content(columns);
      for (int phase : from(walker.top())) {
        for (int each = 1; each <= phase; each++) {
          walker.up(each);
        }
        for (int each = phase - 1; each >= 0; each--) {
          walker.down(each);
        }
        if (!subject.consents()) {
          assertThat(ground.shape()).as("from phase " + phase).isEqualTo(shape);
        }
        if (!byItsAuthor(subject)) {
          assertThat(ground.content(columns)).as("from phase " + phase).isEqualTo(content);
        }
      }
      walker.everybodyWrites(0);
      for (int phase = 1; phase <= walker.last(); phase++) {
        walker.up(phase);
        walker.everybodyWrites(phase);
      }
      sayingItAgainChangesNothing(ground, subject);
      end = ground.shape();
      drop(ground);
    }
    try (Ground ground = ground("tables", Environment.DEVELOPMENT, product().tables())) {
      assertThat(developed(ground, subject)).as("in development").isEqualTo(end);
      drop(ground);
    }
    List<String> empty =
        product().tables().stream().filter(each -> !each.startsWith("INSERT ")).toList();
    try (Ground ground = ground("no rows", Environment.DEVELOPMENT, empty)) {
      assertThat(developed(ground, subject)).as("without rows").isEqualTo(end);
      drop(ground);
    }
  }

  /** The highest phase, and one of the others by turns. */
  private static Set<Integer> from(int top) {
    if (Boolean.getBoolean("contract.full")) {
      return IntStream.rangeClosed(1, top).boxed().collect(Collectors.toCollection(TreeSet::new));
    }
    if (top == 0) {
      return Set.of();
    }
    return new TreeSet<>(List.of(top, 1 + (int) (LocalDate.now().toEpochDay() % top)));
  }

  /** Whether its author says what the way back does to rows. */
  private static boolean byItsAuthor(Subject<?> subject) {
    return Set.of("Backfill", "PhasePlan")
        .contains(subject.migration(List.of()).lifecycle().operation());
  }

  /** The newest build of a developer, who wants to be done. */
  private <C extends Enum<C> & CodeStage> List<String> developed(Ground ground, Subject<C> subject)
      throws Exception {
    Migration<C> migration = subject.migration(List.of());
    try (Orchestrator process = newest(ground, migration, subject)) {
      AdvanceReport report = process.advance();
      for (int i = 0; !report.migration(migration.id()).orElseThrow().finished(); i++) {
        assertThat(i).as(report.toString()).isLessThan(DRIVES);
        report = process.drive();
      }
      assertThat(report.admitted()).isTrue();
    }
    sayingItAgainChangesNothing(ground, subject);
    return ground.shape();
  }

  private <C extends Enum<C> & CodeStage> Orchestrator newest(
      Ground ground, Migration<C> migration, Subject<C> subject) {
    List<StageSpan> stages = product().stages(migration);
    StageSpan newest =
        stages.stream()
            .filter(each -> each.span().high() == migration.lifecycle().last())
            .reduce((a, b) -> b)
            .orElseThrow();
    return ground
        .member("newest")
        .thisBuild(migration, Enum.valueOf(subject.stages(), newest.stage()))
        .build();
  }

  /** Several processes start at once when all is done. */
  private <C extends Enum<C> & CodeStage> void sayingItAgainChangesNothing(
      Ground ground, Subject<C> subject) throws Exception {
    List<String> log = ground.dump(Dump.Part.DONE);
    List<String> catalog = ground.dump(Dump.Part.CATALOG);
    List<String> rows = ground.dump(Dump.Part.ROWS);
    Migration<C> migration = subject.migration(List.of());
    ExecutorService threads = Executors.newFixedThreadPool(PROCESSES);
    try {
      List<Future<Boolean>> starts = new ArrayList<>();
      for (int i = 0; i < PROCESSES; i++) {
        Callable<Boolean> start =
            () -> {
              try (Orchestrator process = newest(ground, migration, subject)) {
                process.advance();
                process.drive();
                return process.advance().migration(migration.id()).orElseThrow().finished();
              }
            };
        starts.add(threads.submit(start));
      }
      for (Future<Boolean> each : starts) {
        assertThat(each.get()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
    List<String> now = new ArrayList<>(ground.dump(Dump.Part.DONE));
    // A policy may change with each release: that one waits for nobody.
    now.removeIf(each -> each.startsWith("POLICY "));
    List<String> was = new ArrayList<>(log);
    was.removeIf(each -> each.startsWith("POLICY "));
    assertThat(now).isEqualTo(was);
    assertThat(ground.dump(Dump.Part.CATALOG)).isEqualTo(catalog);
    assertThat(ground.dump(Dump.Part.ROWS)).isEqualTo(rows);
  }
}
