package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pods of one deployment start at the same instant: together they do what one of them would. */
@PostgresTest
class ConcurrencyTest {

  private static final AddColumn REGION =
      AddColumn.of("billing/region")
          .table("users")
          .column("region", "text")
          .notNull()
          .fillWithSql("upper(zip)")
          .batchPause(Duration.ZERO)
          .build();
  private static final CreateIndex INDEX =
      CreateIndex.of("billing/index").table("users").name("users_zip").columns("zip").build();
  private static final DropColumn DROP =
      DropColumn.of("billing/drop").table("users").column("fax").retention(Duration.ZERO).build();

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("concurrency");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private OrchestratorBuilder member() {
    return Members.member(database.newDataSource(), "1")
        .timing(t -> Members.patient(t).startupBudget(Duration.ofSeconds(60)))
        .thisBuild(REGION, AddColumn.Code.READS)
        .thisBuild(INDEX, CreateIndex.Code.UNAWARE)
        .thisBuild(DROP, DropColumn.Code.UNUSED);
  }

  private void table(int rows) {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text NOT NULL, fax text)",
        "INSERT INTO users SELECT i, 'x' || i, 'f' FROM generate_series(1, " + rows + ") i");
  }

  /** Calls every member at once; fails if one of them fails, or never returns. */
  private <T> List<T> atOnce(List<Orchestrator> members, Function<Orchestrator, T> call)
      throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(members.size());
    try {
      CyclicBarrier start = new CyclicBarrier(members.size());
      List<Future<T>> calls = new ArrayList<>();
      for (Orchestrator each : members) {
        calls.add(
            pool.submit(
                () -> {
                  start.await();
                  return call.apply(each);
                }));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> each : calls) {
        results.add(each.get(3, TimeUnit.MINUTES));
      }
      return results;
    } finally {
      pool.shutdownNow();
    }
  }

  private void allAdvance(int count) throws Exception {
    List<Orchestrator> members = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        members.add(member().build());
      }
      List<AdvanceReport> reports = atOnce(members, Orchestrator::advance);
      assertThat(reports).hasSize(count).allMatch(AdvanceReport::admitted);
      assertThat(database.queryLong("SELECT count(DISTINCT id) FROM orchestrator.member"))
          .isEqualTo(count);
      atOnce(members, each -> each.drive(Duration.ofSeconds(60)));
      AdvanceReport last = members.get(0).advance();
      assertThat(last.migrations()).as(last.toString()).allMatch(each -> each.finished());
    } finally {
      members.forEach(Orchestrator::close);
    }
    onlyOnce();
  }

  private void onlyOnce() {
    for (String table : List.of("control", "fleet", "lease")) {
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator." + table))
          .as(table)
          .isEqualTo(1);
    }
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM orchestrator.orchestrator_history WHERE version = '1' AND"
                    + " success"))
        .isEqualTo(1);
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid"
                    + " WHERE c.relname = 'migration'"))
        .isEqualTo(1);
    assertThat(database.rows("SELECT id, status FROM orchestrator.migration ORDER BY ordinal"))
        .containsExactly(
            List.of(REGION.id(), "DONE"), List.of(INDEX.id(), "DONE"), List.of(DROP.id(), "DONE"));
    assertThat(
            database.rows(
                "SELECT migration, count(*) FROM orchestrator.event WHERE kind = 'DECLARED' GROUP"
                    + " BY 1 HAVING count(*) <> 1"))
        .isEmpty();
    assertThat(
            database.rows(
                "SELECT migration, phase, outcome, count(*) FROM orchestrator.event WHERE kind ="
                    + " 'PHASE' GROUP BY 1, 2, 3 HAVING count(*) <> 1"))
        .isEmpty();
    assertThat(
            database.rows(
                "SELECT migration, phase, step, count(*) FROM orchestrator.event WHERE kind ="
                    + " 'STEP' GROUP BY 1, 2, 3 HAVING count(*) <> 1"))
        .isEmpty();
    assertThat(
            database.queryLong(
                "SELECT count(*) FROM orchestrator.event WHERE kind = 'STEP' AND outcome ="
                    + " 'APPLIED' AND step = 'add-column'"))
        .isEqualTo(1);
    assertThat(database.queryLong("SELECT count(*) FROM pg_indexes WHERE indexname = 'users_zip'"))
        .isEqualTo(1);
    assertThat(database.queryLong("SELECT count(*) FROM users WHERE region <> upper(zip)"))
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void onADatabaseWithoutRows(int count) throws Exception {
    table(0);
    allAdvance(count);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void onADatabaseWithRows(int count) throws Exception {
    table(2_500);
    Members.install(database.dataSource());
    allAdvance(count);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void onADatabaseThatIsQuiteEmpty(int count) throws Exception {
    List<Orchestrator> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(Members.member(database.newDataSource(), "1").timing(Members::patient).build());
    }
    assertThat(atOnce(members, Orchestrator::advance)).allMatch(AdvanceReport::admitted);
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.member")).isEqualTo(count);
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.control")).isEqualTo(1);
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.pinned_member")).isZero();
    members.forEach(Orchestrator::close);
  }

  @Test
  void rowsFromBeforeUsArePinnedOnce() throws Exception {
    table(1);
    List<Orchestrator> members = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      members.add(Members.member(database.newDataSource(), "1").timing(Members::patient).build());
    }
    assertThat(atOnce(members, Orchestrator::advance)).allMatch(AdvanceReport::admitted);
    assertThat(database.rows("SELECT application, label FROM orchestrator.pinned_member"))
        .containsExactly(List.of("billing", "builds before us"));
    members.forEach(Orchestrator::close);
  }

  @Test
  void whoFitsAndDoesNotHoldTheLeaseReturnsAtOnce() throws Exception {
    table(1);
    Members.install(database.dataSource());
    database.execute(
        "UPDATE orchestrator.lease SET token = 'taken', holder = 'somebody', holder_name ="
            + " 'somebody', expires_at = now() + interval '1 day'");
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            // Far longer than the deadline of this test: waiting for anything would not return.
            .timing(t -> Members.patient(t).startupBudget(Duration.ofHours(1)))
            .thisBuild(REGION, AddColumn.Code.UNAWARE)
            .build()) {
      AdvanceReport report = atOnce(List.of(member), Orchestrator::advance).get(0);
      assertThat(report.admitted()).isTrue();
      assertThat(report.leading()).isFalse();
      assertThat(report.migration(REGION.id()).orElseThrow().phase()).isEqualTo("NOT_STARTED");
      assertThat(member.status().driver()).isEqualTo("somebody");
    }
  }
}
