package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.testing.Driven;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every row once, whatever the key, whoever dies; and rows in the way are shown, not changed. */
public abstract class BackfillContract extends Contract {

  private static final String ID = "billing/rows";
  private static final int ROWS = 400;
  private static final int BATCH = 9;

  private Ground ground;

  @BeforeEach
  final void create() throws Exception {
    ground = ground("backfill", Environment.PRODUCTION, List.of());
  }

  @AfterEach
  final void forget() throws Exception {
    ground.close();
    drop(ground);
  }

  final Stream<String> keys() {
    return product().keys().keySet().stream();
  }

  private void work(String key, String value) throws Exception {
    ground.execute(
        "CREATE TABLE work (n int NOT NULL DEFAULT 0, " + key + ")",
        "INSERT INTO work (k) SELECT " + value + " FROM " + product().sql().numbers(1, ROWS));
  }

  private void everyRowOnce() throws Exception {
    assertThat(ground.number("SELECT COUNT(*) FROM work WHERE n = 1")).isEqualTo(ROWS);
    assertThat(ground.number("SELECT COUNT(*) FROM work")).isEqualTo(ROWS);
  }

  private void declare(Backfill declared) {
    try (Orchestrator member =
        ground.member("1").thisBuild(declared, Backfill.Code.UNAWARE).build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("keys")
  void everyRowOnceByThree(String key) throws Exception {
    work(key, product().keys().get(key));
    declare(
        Backfill.of(ID)
            .table("work")
            .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH).workers(3))
            .set("n", "n + 1")
            .oncePerKey()
            .build());
    try (Orchestrator job = ground.job().backfillWorkers(3).build()) {
      MigrationReport report = Driven.drive(job, ID);
      assertThat(report.finished()).as(report.toString()).isTrue();
      assertThat(job.backfill(ID).progress().get(0).rowsChanged()).isEqualTo(ROWS);
    }
    everyRowOnce();
  }

  /** Whose code fails in the middle: what was done stays done, and another build goes on. */
  @Test
  void whatWasDoneBeforeSomebodyFailedIsNotDoneAgain() throws Exception {
    work("k bigint PRIMARY KEY", "i * 7");
    AtomicInteger left = new AtomicInteger(ROWS / 2);
    Backfill failing =
        counting(
            rows -> {
              for (RowFunction.Row row : rows) {
                if (left.decrementAndGet() < 0) {
                  throw new IllegalStateException("it's broken");
                }
                row.set("n", Integer.toString(1 + Integer.parseInt(row.get("n"))));
              }
            });
    try (Orchestrator first =
        ground.member("1").thisBuild(failing, Backfill.Code.UNAWARE).build()) {
      first.advance();
      MigrationReport report = Driven.drive(first, ID);
      assertThat(report.status()).as(report.toString()).isEqualTo(MigrationStatus.FAILED);
      assertThat(report.lastError()).contains("it's broken", "resume");
    }
    long done = ground.number("SELECT COUNT(*) FROM work WHERE n = 1");
    assertThat(done).isBetween(1L, ROWS / 2L);
    Backfill sound =
        counting(
            rows ->
                rows.forEach(
                    row -> row.set("n", Integer.toString(1 + Integer.parseInt(row.get("n"))))));
    try (Orchestrator second = ground.member("2").thisBuild(sound, Backfill.Code.UNAWARE).build()) {
      second.advance();
      second.resume(ID);
      MigrationReport report = Driven.drive(second, ID);
      assertThat(report.finished()).as(report.toString()).isTrue();
    }
    everyRowOnce();
  }

  private static Backfill counting(RowFunction function) {
    return Backfill.of(ID)
        .table("work")
        .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH))
        .compute(List.of("n"), List.of("n"), "one more", function)
        .oncePerKey()
        .build();
  }

  @Test
  void anEmptyTableIsDone() throws Exception {
    ground.execute("CREATE TABLE work (k bigint PRIMARY KEY, n int)");
    declare(Backfill.of(ID).table("work").set("n", "1").build());
    try (Orchestrator job = ground.job().build()) {
      assertThat(Driven.drive(job, ID).finished()).isTrue();
    }
  }

  private void people() throws Exception {
    String text = product().sql().text();
    ground.execute(
        "CREATE TABLE teams (id int PRIMARY KEY)",
        "INSERT INTO teams SELECT i FROM " + product().sql().numbers(1, 10),
        "CREATE TABLE people (a int, b " + text + ", size int, team int, PRIMARY KEY (b, a))",
        "CREATE INDEX by_team ON people (team)",
        "INSERT INTO people SELECT i, 'it''s', i, 1 + i % 10 FROM "
            + product().sql().numbers(1, 500));
  }

  /** Rows that a new rule would reject are counted and shown, and nothing is touched. */
  private <C extends Enum<C> & CodeStage> void showsThemAndGoesOn(
      Migration<C> migration, C stage, String spoil, String mend) throws Exception {
    people();
    List<String> before = ground.shape();
    try (Orchestrator member = ground.member("1").thisBuild(migration, stage).build()) {
      ground.execute(spoil);
      member.advance();
      MigrationReport stopped = Driven.drive(member, ID);
      assertThat(stopped.status()).as(stopped.toString()).isEqualTo(MigrationStatus.FAILED);
      assertThat(stopped.lastError())
          .contains(
              "251 rows",
              "people",
              "[[it's, 250], [it's, 251], [it's, 252], [it's, 253], [it's, 254]]",
              "resume(\"" + ID + "\")");
      ground.execute(mend);
      member.resume(ID);
      MigrationReport reached = Driven.drive(member, ID);
      assertThat(reached.finished()).as(reached.toString()).isTrue();
      assertThat(ground.shape()).isNotEqualTo(before);
      member.rollback(ID, "NOT_STARTED");
      MigrationReport back = Driven.drive(member, ID);
      assertThat(back.state().reached()).as(back.toString()).isZero();
      assertThat(ground.shape()).isEqualTo(before);
    }
  }

  @Test
  void rowsInTheWayOfACheck() throws Exception {
    showsThemAndGoesOn(
        AddCheck.of(ID).table("people").name("sized").expression("size > 0").batchRows(100).build(),
        AddCheck.Code.CONFORMS,
        "UPDATE people SET size = -size WHERE a >= 250",
        "UPDATE people SET size = -size WHERE a >= 250");
  }

  @Test
  void rowsInTheWayOfNotNull() throws Exception {
    showsThemAndGoesOn(
        SetNotNull.of(ID).table("people").column("size").batchRows(100).build(),
        SetNotNull.Code.CONFORMS,
        "UPDATE people SET size = NULL WHERE a >= 250",
        "UPDATE people SET size = a WHERE size IS NULL");
  }

  @Test
  void rowsInTheWayOfAForeignKey() throws Exception {
    showsThemAndGoesOn(
        AddForeignKey.of(ID)
            .table("people")
            .name("teamed")
            .columns("team")
            .references("teams", "id")
            .batchRows(100)
            .build(),
        AddForeignKey.Code.CONFORMS,
        "UPDATE people SET team = 11 WHERE a >= 250",
        "UPDATE people SET team = NULL WHERE team = 11");
  }
}
