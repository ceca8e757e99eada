package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.LoadSql;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What backfills ask to find out whether they are a burden, and where replicas are. */
@Timeout(60)
class MysqlLoadSqlTest {

  private static final String A = "3e11fa47-71ca-11e1-9e33-c80aa9429562:";
  private static final String B = "4e11fa47-71ca-11e1-9e33-c80aa9429562:";

  @Test
  void setsOfTransactionsAreInNoOrderButThatOfInclusion() {
    order("gtid p " + A + "1-5", "gtid r " + A + "1-6");
    order("gtid p " + A + "1-5", "gtid r " + A + "1-5," + B + "1");
    order("gtid p " + A + "1-3:5-6", "gtid r " + A + "1-6");
    order("gtid p " + A + "9-10", "gtid r " + A + "2-10:12");
    order("gtid p ", "gtid r " + A + "1");
    order("gtid p " + A + "1-5:tag:1-2", "gtid r " + A + "1-5:tag:1-3");
    assertThat(Positions.compare("gtid p " + A + "1-5", "gtid r " + A + "1-5")).isZero();
    // Each lacks something of the other.
    assertThat(Positions.compare("gtid p " + A + "1-5", "gtid r " + A + "1-4," + B + "1"))
        .isPositive();
    assertThat(Positions.compare("gtid p " + A + "1-4," + B + "1", "gtid r " + A + "1-5"))
        .isPositive();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "domain 1 0-1-5|domain 2 0-1-6",
        "domain 1 0-1-9|domain 2 0-2-10",
        "domain 1 0-1-5|domain 2 0-1-5,1-1-1",
        "domain 1 0-1-5,1-1-1|domain 2 0-1-5,1-1-2",
        "binlog p bin.000009:4|binlog r bin.000010:4",
        "binlog p a.b.000009:4|binlog r a.b.000009:1000",
        "binlog p bin.999999:99999999|binlog r bin.1000000:4"
      })
  void positionsAreOrdered(String one, String other) {
    order(one, other);
  }

  private static void order(String one, String other) {
    assertThat(Positions.compare(one, other)).isNegative();
    assertThat(Positions.compare(other, one)).isPositive();
  }

  @Test
  void nobodyIsSaidToHaveReplayedWhatIsUnknown() {
    assertThat(Positions.compare("none p ", "gtid r " + A + "1")).isPositive();
    assertThat(Positions.compare("domain 1 0-1-5", "domain 2 1-1-9")).isPositive();
    assertThat(Positions.compare("none p ", "none p ")).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void anOrdinaryUserIsToldWhatItMayKnow(MysqlServer.Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase db = MysqlDatabase.create(server, "load")) {
      String user = db.name() + "_u";
      db.execute(
          "CREATE TABLE t (id int PRIMARY KEY)",
          "CREATE USER " + user + " IDENTIFIED BY 'x'",
          "GRANT ALL ON " + db.name() + ".* TO " + user);
      try (Connection c = server.dataSource(db.name()).getConnection(user, "x")) {
        MysqlLoadSql load = new MysqlLoadSql(MysqlVersion.of(c));
        MysqlReplicas replicas = new MysqlReplicas(MysqlVersion.of(c));
        LoadSql.Replication replication = load.replication(c);
        assertThat(replication.standbys()).isEmpty();
        assertThat(replication.hidden()).isZero();
        assertThat(load.compare(replication.position(), load.replication(c).position()))
            .isNotPositive();
        assertThat(load.sessionsWaiting(c)).isZero();
        assertThat(read(load, c, "Threads_running")).isPositive();
        assertThat(read(load, c, "history list length")).isNotNegative();
        // The primary itself, named as a reader.
        assertThat(replicas.replayed(c, replicas.position(c))).isTrue();
      } finally {
        db.execute("DROP USER " + user);
      }
    }
  }

  private static double read(LoadSql load, Connection c, String gauge) throws SQLException {
    return load.gauges().stream()
        .filter(each -> each.name().equals(gauge))
        .findFirst()
        .orElseThrow()
        .reading()
        .read(c);
  }

  /** What nobody has read yet is not purged while a snapshot from before is open. */
  @ParameterizedTest
  @EnumSource
  void historyGrowsWhileASnapshotIsOpen(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "load");
        Connection c = db.dataSource().getConnection();
        Connection snapshot = db.dataSource().getConnection();
        Statement reads = snapshot.createStatement()) {
      db.execute("CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 0)");
      LoadSql load = new MysqlLoadSql(MysqlVersion.of(c));
      reads.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
      AtomicReference<Double> least = new AtomicReference<>(read(load, c, "history list length"));
      await(
          () -> {
            db.execute("UPDATE t SET n = n + 1");
            double now = read(load, c, "history list length");
            // What is older may be purged meanwhile.
            least.getAndUpdate(each -> Math.min(each, now));
            return now >= least.get() + 40;
          });
    }
  }

  @ParameterizedTest
  @EnumSource
  void positionsGrow(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "load");
        Connection c = db.dataSource().getConnection()) {
      MysqlLoadSql load = new MysqlLoadSql(MysqlVersion.of(c));
      String before = load.replication(c).position();
      db.execute("CREATE TABLE t (id int PRIMARY KEY)");
      String after = load.replication(c).position();
      if (before.startsWith("none ")) {
        assertThat(after).isEqualTo(before);
      } else {
        assertThat(load.compare(before, after)).isNegative();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void thoseWhoWaitAreCounted(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "load");
        Connection c = db.dataSource().getConnection();
        Connection bystander = db.dataSource().getConnection();
        Statement s = c.createStatement();
        Statement b = bystander.createStatement()) {
      db.execute("CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1,1), (2,2)");
      MysqlLoadSql load = new MysqlLoadSql(MysqlVersion.of(c));
      c.setAutoCommit(false);
      bystander.setAutoCommit(false);
      s.execute("UPDATE t SET n = 2 WHERE id = 1");
      b.execute("UPDATE t SET n = 2 WHERE id = 2");
      assertThat(load.sessionsWaiting(c)).isZero();
      CompletableFuture<Void> one = waiting(db, "UPDATE t SET n = 3 WHERE id = 1");
      CompletableFuture<Void> two = waiting(db, "UPDATE t SET n = 4 WHERE id = 1");
      CompletableFuture<Void> others = waiting(db, "UPDATE t SET n = 4 WHERE id = 2");
      await(() -> load.sessionsWaiting(c) == 2 && load.sessionsWaiting(bystander) == 1);
      c.rollback();
      bystander.rollback();
      one.get();
      two.get();
      others.get();
      await(() -> load.sessionsWaiting(c) == 0);
    }
  }

  /** InnoDB of MariaDB looks anew only when nobody has asked for a tenth of a second. */
  private static void await(Callable<Boolean> condition) throws Exception {
    while (!condition.call()) {
      LockSupport.parkNanos(150_000_000);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  private static CompletableFuture<Void> waiting(MysqlDatabase db, String sql) {
    return CompletableFuture.runAsync(
        () -> {
          try (Connection c = db.dataSource().getConnection();
              Statement s = c.createStatement()) {
            s.execute(sql);
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        },
        Threads.ONE_EACH);
  }
}
