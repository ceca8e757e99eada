package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.BackfillProgress;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What is said of how far a backfill has come. */
class BackfillProgressTest extends BackfillFixture {

  @Test
  void figuresAndAnEstimateThatIsNoCount() {
    work(1_000, "ANALYZE work", "INSERT INTO work SELECT generate_series(1001, 1010)");
    Backfill declared = backfill(100).set("n", "1").where("id > 10").build();
    joined(member(declared)).close();
    List<BackfillProgress> told = new CopyOnWriteArrayList<>();
    Statements statements = new Statements(database.newDataSource());
    try (Orchestrator job = job(statements.dataSource()).onBackfill(told::add).build()) {
      assertReached(job.drive());
      BackfillProgress end = progress(job);
      assertThat(end.state()).isEqualTo(BackfillProgress.State.DONE);
      assertThat(end.rowsChanged()).isEqualTo(1_000);
      assertThat(end.rowsSeen()).isEqualTo(1_010);
      assertThat(end.leftOver()).isZero();
      assertThat(end.workers()).isZero();
      assertThat(end.rowsTotal()).isPresent();
      assertThat(end.share()).hasValue(1);
      assertThat(end.toString()).contains("done, 100 %", "of about ", "1000 changed");
    }
    assertThat(told).isNotEmpty();
    assertThat(told.get(told.size() - 1).state()).isEqualTo(BackfillProgress.State.DONE);
    assertThat(told)
        .allSatisfy(
            each -> {
              assertThat(each.share().orElseThrow()).isBetween(0.0, 1.0);
              assertThat(each.rowsSeen()).isLessThanOrEqualTo(1_010);
            });
    // Whatever is counted is counted along the key, from one end of a batch to the other.
    assertThat(statements.executed().stream().filter(sql -> sql.contains("count(*)")))
        .filteredOn(sql -> sql.contains("\"work\""))
        .isNotEmpty()
        .allMatch(sql -> sql.contains("\"id\"") && sql.contains("?"));
  }

  @Test
  void nothingIsMadeUpWhereTheServerHasNoEstimate() {
    work(100);
    Backfill declared = backfill(10).set("n", "1").build();
    joined(member(declared)).close();
    try (Orchestrator job = job(database.newDataSource()).build()) {
      assertReached(job.drive());
      assertThat(progress(job).rowsTotal()).isEmpty();
      assertThat(progress(job).left()).isNull();
      assertThat(progress(job).toString()).contains("100 of an unknown number of rows");
    }
  }
}
