package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Looking before locking, and letting go in time. */
@PostgresTest
@Timeout(120)
class PostgresLockBudgetTest {

  private static final Duration BUDGET = Duration.ofMillis(200);

  /** For statements that are to get through. */
  private static final Duration LONGER = Duration.ofSeconds(1);

  private final TestDatabase db;
  private final PostgresLockBudget budget = new PostgresLockBudget();

  PostgresLockBudgetTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void tables() {
    db.execute(
        "DROP SCHEMA IF EXISTS public CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE t (id int PRIMARY KEY, x int)",
        "CREATE TABLE child (t int REFERENCES t)",
        "CREATE TABLE unrelated (id int)",
        "CREATE TABLE parted (id int) PARTITION BY LIST (id)",
        "CREATE TABLE part1 PARTITION OF parted DEFAULT");
  }

  private static DdlStep step(String lock, String table, String sql) {
    return new DdlStep(
        "s",
        "s",
        lock,
        List.of("\"public\"." + Sql.quote(table)),
        List.of(sql),
        new Probe("SELECT false"),
        false);
  }

  private static final DdlStep ADD =
      step("ACCESS EXCLUSIVE on t", "t", "ALTER TABLE t ADD COLUMN y int");

  private Connection open(String name, String... sql) throws SQLException {
    PGSimpleDataSource source = db.newDataSource();
    source.setApplicationName(name);
    Connection c = source.getConnection();
    c.setAutoCommit(false);
    try (Statement s = c.createStatement()) {
      for (String each : sql) {
        s.execute(each);
      }
    }
    return c;
  }

  private List<Blocker> blockers(DdlStep step, Duration limit) throws SQLException {
    try (Connection c = db.dataSource().getConnection()) {
      return budget.blockers(c, step, limit);
    }
  }

  @Test
  void oldTransactionsAreNamedYoungOnesAreNot() throws Exception {
    try (Connection old = open("report", "SELECT count(*) FROM t");
        Connection other = open("elsewhere", "SELECT count(*) FROM unrelated")) {
      assertThat(blockers(ADD, Duration.ofMinutes(1))).isEmpty();
      Thread.sleep(300);
      List<Blocker> found = blockers(ADD, BUDGET);
      assertThat(found).hasSize(1);
      assertThat(found.get(0).describe())
          .contains("report", "idle in transaction", "count(*) FROM t");
      assertThat(found.get(0).age()).isGreaterThan(BUDGET);
      // A reader doesn't stand in the way of a lock that lets readers through.
      assertThat(blockers(step("SHARE ROW EXCLUSIVE on t", "t", "CREATE TRIGGER"), BUDGET))
          .isEmpty();
      old.rollback();
      other.rollback();
    }
    assertThat(blockers(ADD, BUDGET)).isEmpty();
  }

  @Test
  void whoWaitsInTheQueueIsNotInTheWay() throws Exception {
    try (Connection reader = open("reader", "SELECT count(*) FROM t")) {
      Thread waiter =
          new Thread(
              () -> {
                try (Connection c =
                    open("waiter", "SET LOCAL lock_timeout = '3s'", "LOCK TABLE t")) {
                  c.rollback();
                } catch (SQLException e) {
                  // expected
                }
              });
      waiter.start();
      while (db.queryLong("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) {
        Thread.sleep(10);
      }
      Thread.sleep(300);
      assertThat(blockers(ADD, BUDGET)).extracting(Blocker::application).containsExactly("reader");
      reader.rollback();
      waiter.join();
    }
  }

  @Test
  void partitionsPartnersAndPreparedTransactions() throws Exception {
    try (Connection part = open("part", "INSERT INTO part1 VALUES (1)");
        Connection child = open("child", "LOCK TABLE child IN ROW EXCLUSIVE MODE")) {
      Thread.sleep(300);
      assertThat(
              blockers(step("ACCESS EXCLUSIVE", "parted", "ALTER TABLE parted ADD y int"), BUDGET))
          .extracting(Blocker::application)
          .containsExactly("part");
      assertThat(blockers(ADD, BUDGET)).as("adding a column doesn't lock the child").isEmpty();
      assertThat(
              blockers(step("ACCESS EXCLUSIVE", "t", "ALTER TABLE t DROP CONSTRAINT some"), BUDGET))
          .as("nor does dropping a check, and steps that drop a foreign key name both tables")
          .isEmpty();
      assertThat(blockers(step("ACCESS EXCLUSIVE", "t", "ALTER TABLE t DROP COLUMN id"), BUDGET))
          .extracting(Blocker::application)
          .containsExactly("child");
      part.rollback();
      child.rollback();
    }
    try (Connection c =
        open("prepared", "INSERT INTO t VALUES (1)", "PREPARE TRANSACTION 'two-phase'")) {
      Thread.sleep(300);
      List<Blocker> found = blockers(ADD, BUDGET);
      assertThat(found).hasSize(1);
      assertThat(found.get(0).describe())
          .contains("prepared transaction two-phase", "ROLLBACK PREPARED");
    } finally {
      db.execute("ROLLBACK PREPARED 'two-phase'");
    }
  }

  @Test
  void hiddenTransactionsAreLookedAtTwice() throws Exception {
    db.execute(
        "DROP ROLE IF EXISTS zdo_plain",
        "CREATE ROLE zdo_plain",
        "GRANT USAGE ON SCHEMA public TO zdo_plain");
    try (Connection old = open("hidden", "SELECT count(*) FROM t");
        Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_plain");
      List<Blocker> found = budget.blockers(c, ADD, BUDGET);
      assertThat(found).hasSize(1);
      assertThat(found.get(0).state()).contains("hidden");
      old.rollback();
      assertThat(budget.blockers(c, ADD, BUDGET)).isEmpty();
    } finally {
      db.execute("DROP OWNED BY zdo_plain", "DROP ROLE zdo_plain");
    }
  }

  @Test
  void limitsAreShortAndLocal() throws Exception {
    try (Connection reader = open("reader", "SELECT count(*) FROM t");
        Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      budget.begin(c, ADD, BUDGET);
      assertThat(setting(s, "lock_timeout")).isEqualTo("200ms");
      assertThat(setting(s, "statement_timeout")).isEqualTo("200ms");
      assertThat(setting(s, "synchronous_commit")).isEqualTo("local");
      assertThat(setting(s, "idle_in_transaction_session_timeout")).isEqualTo("2s");
      assertThatThrownBy(() -> s.execute(ADD.sql().get(0)))
          .isInstanceOfSatisfying(
              SQLException.class,
              e ->
                  assertThat(PostgresErrors.classify(e))
                      .isIn(SqlErrorKind.LOCK_TIMEOUT, SqlErrorKind.CANCELLED));
      c.rollback();
      for (String name :
          List.of("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")) {
        assertThat(setting(s, name)).isEqualTo("0");
      }
      budget.limit(c, Duration.ZERO);
      assertThat(setting(s, "statement_timeout")).isEqualTo("1ms");
      c.rollback();
      s.execute("SET synchronous_commit = off");
      budget.begin(c, ADD, BUDGET);
      assertThat(setting(s, "synchronous_commit")).isEqualTo("off");
      c.rollback();
      reader.rollback();
    }
  }

  private static String setting(Statement s, String name) throws SQLException {
    try (ResultSet row = s.executeQuery("SHOW " + name)) {
      row.next();
      return row.getString(1);
    }
  }

  /** All locks together: the statement's own limit, where lock_timeout would count each anew. */
  private boolean limitsTransactions() {
    return db.server().majorVersion() >= 17;
  }

  private void othersGetTheLock() {
    db.execute("SET lock_timeout = '60s'", "SELECT count(*) FROM t", "RESET lock_timeout");
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'y'"))
        .isZero();
  }

  /** Stopped between its statement and COMMIT: the server takes the lock away. */
  @Test
  void whoHangsWithTheLockLosesIt() throws Exception {
    try (Connection frozen = open("frozen")) {
      // The transaction's limit is five times that, and still the shorter of the two.
      budget.begin(frozen, ADD, Duration.ofMillis(350));
      frozen.createStatement().execute(ADD.sql().get(0));
      othersGetTheLock();
      assertThatThrownBy(frozen::commit)
          .isInstanceOfSatisfying(
              SQLException.class,
              e -> {
                assertThat(e.getSQLState()).isEqualTo(limitsTransactions() ? "25P04" : "25P03");
                assertThat(PostgresErrors.classify(e)).isEqualTo(SqlErrorKind.CONNECTION_LOST);
              });
    }
  }

  /** Never idle for long, so that no limit of a pause would stop it. */
  @Test
  void whoGoesOnForeverWithTheLockLosesIt() throws Exception {
    assumeTrue(limitsTransactions(), "PostgreSQL limits whole transactions from 17 on");
    try (Connection busy = open("busy");
        Statement s = busy.createStatement()) {
      budget.begin(busy, ADD, LONGER);
      s.execute(ADD.sql().get(0));
      assertThatThrownBy(
              () -> {
                while (true) {
                  budget.limit(busy, LONGER);
                  s.execute("SELECT 1");
                }
              })
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25P04"));
      othersGetTheLock();
    }
  }

  /**
   * A limit that the server counts already is not begun anew by another value; it has to be lifted
   * first. So a role's own one neither shortens ours nor outlives it.
   */
  @Test
  void theLimitOfARoleIsReplacedForTheTransaction() throws Exception {
    assumeTrue(limitsTransactions(), "PostgreSQL limits whole transactions from 17 on");
    Duration longer = Duration.ofHours(1);
    try (Connection c = open("limited");
        Statement s = c.createStatement()) {
      s.execute("SET transaction_timeout = '1500ms'");
      c.commit();
      s.execute("SELECT 1");
      s.execute("SET LOCAL transaction_timeout = '1h'");
      assertThatThrownBy(() -> s.execute("SELECT pg_sleep(600)"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25P04"));
    }
    try (Connection c = open("limited");
        Statement s = c.createStatement()) {
      s.execute("SET transaction_timeout = '1500ms'");
      c.commit();
      budget.begin(c, ADD, longer);
      s.execute("SELECT pg_sleep(2)");
      assertThat(setting(s, "transaction_timeout")).isEqualTo("5h");
      c.commit();
      assertThat(setting(s, "transaction_timeout")).isEqualTo("1500ms");
    }
  }

  @Test
  void manyLocksShareOneBudget() throws Exception {
    StringBuilder lock = new StringBuilder("LOCK TABLE ");
    for (int i = 0; i < 5; i++) {
      db.execute("CREATE TABLE many" + i + " ()");
      lock.append(i == 0 ? "" : ", ").append("many").append(i);
    }
    Connection[] holders = new Connection[5];
    for (int i = 0; i < 5; i++) {
      holders[i] = open("holder", "SELECT count(*) FROM many" + i);
    }
    List<CompletableFuture<Void>> gone = new ArrayList<>();
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      budget.begin(c, ADD, LONGER);
      // One lock after the other becomes free, each of them well within the budget.
      for (int i = 0; i < 5; i++) {
        Connection holder = holders[i];
        String wait = "SELECT pg_sleep(" + 0.7 * (i + 1) + ")";
        gone.add(
            CompletableFuture.runAsync(
                () -> {
                  try (holder;
                      Statement hold = holder.createStatement()) {
                    hold.execute(wait);
                    holder.rollback();
                  } catch (SQLException e) {
                    throw new IllegalStateException(e);
                  }
                },
                Threads.ONE_EACH));
      }
      assertThatThrownBy(() -> s.execute(lock.toString()))
          .isInstanceOfSatisfying(
              SQLException.class,
              e ->
                  assertThat(PostgresErrors.classify(e))
                      .isIn(SqlErrorKind.LOCK_TIMEOUT, SqlErrorKind.CANCELLED));
    }
    for (CompletableFuture<Void> each : gone) {
      each.join();
    }
  }
}
