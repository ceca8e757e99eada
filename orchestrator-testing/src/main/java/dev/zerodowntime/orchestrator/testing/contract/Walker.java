package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import dev.zerodowntime.orchestrator.testing.crash.Once;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Moves a migration one phase at a time, each by a process of the oldest code that fits, and looks
 * at what every movement has to be: asked for by name, made once, logged, and over.
 */
final class Walker<C extends Enum<C> & CodeStage> {

  private static final int MOST_DRIVES = 100;
  private static final long FIRST = 100_000;
  private static final Duration PATIENCE = Duration.ofMillis(60);

  private final Ground ground;
  private final Product product;
  private final Subject<C> subject;
  private final Migration<C> migration;
  private final Lifecycle lifecycle;
  private final List<StageSpan> stages;
  private boolean wasBack;

  Walker(Ground ground, Product product, Subject<C> subject) {
    this.ground = ground;
    this.product = product;
    this.subject = subject;
    this.lifecycle = subject.migration(List.of()).lifecycle();
    this.migration =
        subject.migration(
            IntStream.rangeClosed(1, lifecycle.last()).mapToObj(lifecycle::name).toList());
    this.stages = product.stages(migration);
  }

  /** The highest phase from which there is a way back to the beginning. */
  int top() {
    int top = lifecycle.purge() < 0 ? lifecycle.last() : lifecycle.purge() - 1;
    while (top > 0 && !lifecycle.reachable(top, 0)) {
      top--;
    }
    return top;
  }

  int last() {
    return lifecycle.last();
  }

  /** The next phase up, which waits for somebody's approval. */
  void up(int phase) throws SQLException {
    List<String> before = ground.dump(Dump.Part.DONE);
    try (Orchestrator process = joined(fitting(phase - 1, phase))) {
      if (wasBack) {
        process.resume(migration.id());
        wasBack = false;
      }
      approve(process, phase);
      process.drive();
      MigrationReport moved = Ground.of(process, migration.id());
      if (moved.state().atRest() && moved.state().reached() < phase) {
        // After a way back the catalog is read anew behind the gate: the SQL may be another.
        approve(process, phase);
      }
      arrive(process, phase);
    }
    moved(before, phase);
  }

  private void approve(Orchestrator process, int phase) {
    process.drive();
    String name = lifecycle.name(phase);
    MigrationReport waiting = Ground.of(process, migration.id());
    assertThat(waiting.state().reached()).as(waiting.toString()).isEqualTo(phase - 1);
    assertThat(waiting.waits().stream().filter(each -> each.kind() == Wait.Kind.APPROVAL))
        .as(waiting.toString())
        .anySatisfy(each -> assertThat(each.toString()).contains(migration.id(), name));
    process.approve(migration.id(), name);
  }

  /** One phase down. */
  void down(int phase) throws SQLException {
    String name = lifecycle.name(phase);
    List<String> before = ground.dump(Dump.Part.DONE);
    try (Orchestrator process = joined(fitting(phase, phase + 1))) {
      process.rollback(migration.id(), name);
      if (subject.consents()) {
        try {
          process.approve(migration.id(), name);
        } catch (DeclarationException e) {
          assertThat(e).hasMessageContaining("Nothing leads to");
        }
      }
      arrive(process, phase);
    }
    wasBack = true;
    moved(before, phase);
  }

  private Orchestrator joined(StageSpan stage) {
    Orchestrator process =
        ground
            .member(Integer.toString(1 + stages.indexOf(stage)))
            .thisBuild(migration, Enum.valueOf(subject.stages(), stage.stage()))
            .build();
    assertThat(process.advance().admitted()).isTrue();
    assertThat(process.fit()).isTrue();
    return process;
  }

  private StageSpan fitting(int low, int high) {
    return stages.stream()
        .filter(each -> each.span().low() <= low && each.span().high() >= high)
        .findFirst()
        .orElseThrow();
  }

  private void arrive(Orchestrator process, int phase) {
    MigrationReport report = Ground.of(process, migration.id());
    for (int i = 0; !report.state().atRest() || report.state().reached() != phase; i++) {
      assertThat(i).as(report.toString()).isLessThan(MOST_DRIVES);
      assertThat(report.status()).as(report.toString()).isNotEqualTo(MigrationStatus.FAILED);
      process.drive(PATIENCE);
      report = Ground.of(process, migration.id());
    }
    assertThat(report.phase()).isEqualTo(lifecycle.name(phase));
    assertThat(report.finished()).isEqualTo(phase == lifecycle.last());
    assertThat(report.lastError()).isNull();
  }

  /** The log says so, once. */
  private void moved(List<String> before, int phase) throws SQLException {
    List<String> said = new ArrayList<>(ground.dump(Dump.Part.DONE));
    said.removeIf(each -> each.startsWith("backfill "));
    List<String> lines =
        said.subList(
            (int) before.stream().filter(each -> !each.startsWith("backfill ")).count(),
            said.size());
    assertThat(Once.violation(lines)).as(lines.toString()).isNull();
    for (String what : List.of("ENTERING", "REACHED")) {
      assertThat(lines.stream().filter(each -> each.startsWith("PHASE ")))
          .as(what)
          .filteredOn(each -> each.split(" ")[3].equals(what))
          .hasSize(1)
          .allSatisfy(each -> assertThat(each).contains(" " + lifecycle.name(phase)));
    }
  }

  /**
   * Whatever code may run in a phase writes in it: what the subject says of any phase succeeds in
   * all those that every stage which may write it fits.
   */
  void everybodyWrites(int phase) throws SQLException {
    for (int each = 0; each <= lifecycle.last(); each++) {
      int writes = each;
      boolean fits =
          stages.stream()
              .filter(stage -> covers(stage, writes))
              .allMatch(stage -> covers(stage, phase));
      if (fits && stages.stream().anyMatch(stage -> covers(stage, writes))) {
        Subject.Row row = subject.row().apply(each);
        long next = Math.max(FIRST, 1 + ground.number("SELECT MAX(id) FROM " + Subject.TABLE));
        ground.execute(product.insert(row, next, next + 2));
      }
    }
    ground.execute(subject.also().apply(phase));
  }

  private static boolean covers(StageSpan stage, int phase) {
    return stage.span().low() <= phase && phase <= stage.span().high();
  }
}
