package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.IllegalTransitionException;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.Psql;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Scripts are run with psql, and nothing else moves meanwhile. */
@PostgresTest
@Timeout(180)
class ScriptsTest {

  private static final String ID = "billing/script_me";

  /** More than two batches. */
  private static final int ROWS = 2_500;

  /** About so many cuts each way, but all of them with {@code -Dcrash.full=true}. */
  private static final int SHORT = 16;

  /** Where it is about anything but batches. */
  private static final int FEW = 50;

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("scripts");
    database.execute(
        "CREATE TABLE users (tenant text, id bigint, name text NOT NULL DEFAULT 'nobody', zip text,"
            + " PRIMARY KEY (tenant, id))",
        "INSERT INTO users SELECT 'it''s \\ ' || n % 3, n, 'name ' || n, n FROM generate_series(1, "
            + ROWS
            + ") n");
    Members.install(database.dataSource());
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private <C extends Enum<C> & CodeStage> OrchestratorBuilder member(
      Migration<C> migration, C stage) {
    return Members.member(database.dataSource(), stage.name())
        .timing(Members::patient)
        .thisBuild(migration, stage);
  }

  /** Drives as far as approvals let it. */
  private <C extends Enum<C> & CodeStage> Orchestrator driven(
      Migration<C> migration, C stage, String to) {
    Orchestrator member = member(migration, stage).build();
    assertThat(member.advance().admitted()).isTrue();
    member.drive();
    assertThat(phase()).isEqualTo(to);
    return member;
  }

  private String phase() {
    try (Orchestrator any = Members.driver(database.dataSource()).build()) {
      return any.status().migrations().get(0).phase();
    }
  }

  private String run(String script) {
    Psql.Result result = Psql.run(database, script);
    assertThat(result.status()).as(script + "\n" + result.output()).isZero();
    return result.output();
  }

  private static RenameColumn rename(String... approvals) {
    return RenameColumn.of(ID)
        .table("users")
        .from("name")
        .to("full_name")
        .approvalBefore(approvals)
        .build();
  }

  private long copied() {
    return database.queryLong("SELECT count(*) FROM users WHERE full_name = 'name ' || id");
  }

  private List<String> columns() {
    return database
        .rows(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum >"
                + " 0 AND NOT attisdropped ORDER BY 1")
        .stream()
        .map(row -> (String) row.get(0))
        .toList();
  }

  private long ours() {
    return database.queryLong(
        "SELECT (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT"
            + " tgisinternal) + (SELECT count(*) FROM pg_constraint WHERE conrelid ="
            + " 'users'::regclass AND conname LIKE 'zdo%')");
  }

  @Test
  void aRenameIsFinished() {
    try (Orchestrator member =
        driven(rename("BACKFILL"), RenameColumn.Code.USES_OLD_NAME, "EXPAND")) {
      String script = member.finishScript(ID);
      assertThat(script)
          .contains("from EXPAND to CONTRACT", "code that fits: USES_NEW_NAME", "-- Not done here")
          .contains("\\set ON_ERROR_STOP on");
      String said = run(script);
      assertThat(said).contains("rows changed up to key");
    }
    assertThat(phase()).isEqualTo("CONTRACT");
    assertThat(copied()).isEqualTo(ROWS);
    assertThat(columns()).contains("full_name").doesNotContain("name");
    // The engine takes over as if it had done it itself.
    try (Orchestrator member =
        driven(rename("BACKFILL"), RenameColumn.Code.USES_NEW_NAME, "CONTRACT")) {
      database.execute("UPDATE users SET full_name = 'later' WHERE id = 1");
      member.rollback(ID);
    }
    try (Orchestrator old = member(rename("BACKFILL"), RenameColumn.Code.USES_OLD_NAME).build()) {
      old.advance();
      old.drive();
    }
    assertThat(phase()).isEqualTo("NOT_STARTED");
    assertThat(database.<String>queryOne("SELECT name FROM users WHERE id = 1")).isEqualTo("later");
  }

  @Test
  void aRenameIsTakenBackAndStaysThere() {
    try (Orchestrator member = driven(rename(), RenameColumn.Code.USES_OLD_NAME, "ENFORCE")) {
      database.execute("UPDATE users SET name = 'changed' WHERE id = 7");
      String script = member.rollbackScript(ID);
      assertThat(script).contains("from ENFORCE to NOT_STARTED");
      run(script);
      assertThat(phase()).isEqualTo("NOT_STARTED");
      assertThat(columns()).containsExactly("id", "name", "tenant", "zip");
      assertThat(ours()).isZero();
      assertThat(database.<String>queryOne("SELECT name FROM users WHERE id = 7"))
          .isEqualTo("changed");
      member.drive();
      assertThat(phase()).as("until somebody resumes it").isEqualTo("NOT_STARTED");
      member.resume(ID);
      member.drive();
      assertThat(phase()).isEqualTo("ENFORCE");
    }
  }

  /** Cut after every statement that is one for psql, and run again as a whole. */
  @Test
  void aScriptThatIsCutAnywhereIsRunAgain() {
    database.execute("DELETE FROM users WHERE id > " + FEW);
    try (Orchestrator member = driven(rename(), RenameColumn.Code.USES_OLD_NAME, "ENFORCE")) {
      String back = member.rollbackScript(ID);
      List<Integer> cuts = cuts(back);
      assertThat(cuts).hasSizeGreaterThan(15);
      run(back);
      String forth = member.finishScript(ID);
      int tried = 0;
      List<Integer> all = cuts(forth);
      int stride = Boolean.getBoolean("crash.full") ? 1 : 1 + all.size() / SHORT;
      for (int i = 0; i < all.size(); i += stride) {
        int cut = all.get(i);
        Psql.run(database, forth.substring(0, cut));
        run(forth);
        assertThat(phase()).isEqualTo("CONTRACT");
        assertThat(copied()).isEqualTo(FEW);
        String undo = member.rollbackScript(ID);
        List<Integer> places = cuts(undo);
        Psql.run(database, undo.substring(0, places.get((tried * 7) % places.size())));
        run(undo);
        assertThat(phase()).isEqualTo("NOT_STARTED");
        assertThat(columns()).containsExactly("id", "name", "tenant", "zip");
        assertThat(ours()).isZero();
        tried++;
      }
      assertThat(tried).isGreaterThan(SHORT / 2);
    }
  }

  /** Where a line ends a statement outside of dollar quotes. */
  private static List<Integer> cuts(String script) {
    List<Integer> cuts = new ArrayList<>();
    int at = 0;
    boolean quoted = false;
    for (String line : script.split("\n", -1)) {
      at += line.length() + 1;
      if (line.startsWith("DO $zdo") || line.startsWith("$zdo")) {
        quoted = line.startsWith("DO");
      }
      if (!quoted && line.endsWith(";") && at <= script.length()) {
        cuts.add(at);
      }
    }
    return cuts;
  }

  @Test
  void aColumnThatMayNotBeNull() {
    AddColumn migration =
        AddColumn.of(ID)
            .table("users")
            .column("region", "text")
            .notNull()
            .fillWithSql("'r' || coalesce(zip, '')")
            .approvalBefore("BACKFILL")
            .build();
    try (Orchestrator member = driven(migration, AddColumn.Code.WRITES, "EXPAND")) {
      run(member.finishScript(ID));
      assertThat(phase()).isEqualTo("DONE");
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE region = 'r' || zip"))
          .isEqualTo(ROWS);
      assertThat(
              database.<Boolean>queryOne(
                  "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND"
                      + " attname = 'region'"))
          .isTrue();
      assertThat(ours()).isZero();
      run(member.finishScript(ID));
      run(member.rollbackScript(ID));
      assertThat(columns()).doesNotContain("region");
    }
  }

  @Test
  void anIndex() {
    CreateIndex migration =
        CreateIndex.of(ID).table("users").name("users_zip").columns("zip").build();
    try (Orchestrator member = driven(migration, CreateIndex.Code.UNAWARE, "DONE")) {
      String index = "SELECT count(*) FROM pg_indexes WHERE indexname = 'users_zip'";
      run(member.rollbackScript(ID));
      assertThat(database.queryLong(index)).isZero();
      run(member.finishScript(ID));
      assertThat(database.queryLong(index)).isEqualTo(1);
      assertThat(phase()).isEqualTo("DONE");
      assertThat(
              database.rows(
                  "SELECT kind, phase, detail, member FROM orchestrator.event WHERE detail ="
                      + " 'by script' AND kind = 'PHASE'"))
          .extracting(row -> row.get(1))
          .containsExactly("NOT_STARTED", "DONE");
    }
  }

  @Test
  void aDropIsTakenBackUntilThePurge() {
    DropColumn migration =
        DropColumn.of(ID).table("users").column("zip").retention(Duration.ofDays(7)).build();
    try (Orchestrator member = driven(migration, DropColumn.Code.UNUSED, "CONTRACT")) {
      assertThat(member.finishScript(ID)).contains("-- Not done here", "-- ALTER TABLE");
      run(member.rollbackScript(ID));
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE zip = id::text"))
          .isEqualTo(ROWS);
      assertThat(phase()).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void whatIsPurgedHasNoWayBack() {
    DropColumn migration =
        DropColumn.of(ID).table("users").column("zip").retention(Duration.ZERO).build();
    try (Orchestrator member = driven(migration, DropColumn.Code.UNUSED, "PURGE")) {
      assertThatThrownBy(() -> member.rollbackScript(ID))
          .isInstanceOf(IllegalTransitionException.class)
          .hasMessageContaining("PURGE");
    }
  }

  /** Once per row, by a ledger: also where the engine has begun. */
  @Test
  void aLedgerKeepsWhatIsDone() {
    database.execute("ALTER TABLE users ADD n int NOT NULL DEFAULT 0");
    Backfill migration =
        Backfill.of(ID)
            .table("users")
            .set("n", "n + 1")
            .oncePerLedger()
            .pace(pace -> pace.rows(100, 100).pause(Duration.ofDays(1)))
            .build();
    Orchestrator member = member(migration, Backfill.Code.UNAWARE).build();
    try (member) {
      assertThat(member.advance().admitted()).isTrue();
      var driving =
          java.util.concurrent.CompletableFuture.runAsync(member::drive, Threads.ONE_EACH);
      until("one batch is done", "SELECT count(*) FROM users WHERE n = 1", 100);
      run(member.finishScript(ID));
      driving.join();
    }
    assertThat(database.queryLong("SELECT count(*) FROM users WHERE n = 1")).isEqualTo(ROWS);
    assertThat(phase()).isEqualTo("BACKFILL");
  }

  private void until(String what, String query, long value) {
    try {
      Eventually.until(what, () -> database.queryLong(query) == value);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whatNeedsJavaIsRefusedByName() {
    Backfill migration =
        Backfill.of(ID)
            .table("users")
            .compute(
                List.of("name"),
                List.of("zip"),
                "upper",
                rows -> rows.forEach(row -> row.set("zip", "x")))
            .where("zip <> 'x'")
            .approvalBefore("BACKFILL")
            .build();
    try (Orchestrator member = driven(migration, Backfill.Code.UNAWARE, "NOT_STARTED")) {
      assertThatThrownBy(() -> member.finishScript(ID))
          .isInstanceOf(RefusedException.class)
          .hasMessageContainingAll(ID, "Java", "resume");
    }
  }

  /** Bad rows end the script; when they are mended it goes on. */
  @Test
  void aRowThatIsWrongEndsItAndIsShown() {
    try (Orchestrator member =
        driven(rename("BACKFILL"), RenameColumn.Code.USES_OLD_NAME, "EXPAND")) {
      String script = member.finishScript(ID);
      database.execute(
          "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''row %"
              + " is bad'', NEW.id; END'",
          "CREATE TRIGGER a_no BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id = 1234) EXECUTE"
              + " FUNCTION no()");
      Psql.Result result = Psql.run(database, script);
      assertThat(result.status()).isNotZero();
      assertThat(result.output()).contains("row 1234 is bad");
      assertThat(database.<String>queryOne("SELECT status::text FROM orchestrator.migration"))
          .isEqualTo("PAUSED");
      member.drive();
      assertThat(phase()).isEqualTo("EXPAND");
      database.execute("DROP TRIGGER a_no ON users");
      run(script);
      assertThat(phase()).isEqualTo("CONTRACT");
      assertThat(copied()).isEqualTo(ROWS);
    }
  }
}
