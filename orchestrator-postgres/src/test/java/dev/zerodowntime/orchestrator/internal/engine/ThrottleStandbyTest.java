package dev.zerodowntime.orchestrator.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.engine.Eventually;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.PrimaryAndStandby;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Lag of a real standby whose replay is paused and resumed. Only the clock is ours. */
@PostgresTest
@Timeout(180)
class ThrottleStandbyTest {

  private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");
  private static final String UNREADABLE =
      "replication lag can't be read: this user may not read the position of a standby; GRANT"
          + " pg_monitor TO app, name the replicas with reader(...), or set max_lag_ms to -1";

  private static PrimaryAndStandby servers;

  private final AtomicLong clock = new AtomicLong();

  @BeforeAll
  static void start() throws Exception {
    Assumptions.assumeTrue(
        PostgresServer.get().kind().startsWith("embedded"),
        "NO STANDBY: this test starts two embedded servers of its own");
    servers = PrimaryAndStandby.start();
    PrimaryAndStandby.execute(
        servers.primary(), "CREATE TABLE written (at timestamptz)", "CREATE ROLE app LOGIN");
  }

  @AfterAll
  static void stop() throws Exception {
    if (servers != null) {
      servers.close();
    }
  }

  @AfterEach
  void resume() throws SQLException {
    PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_resume()");
    PrimaryAndStandby.execute(servers.primary(), "REVOKE pg_monitor FROM app");
  }

  private Throttle throttle(DataSource primary, Map<String, DataSource> readers) {
    return new Throttle(
        primary,
        readers,
        PostgresDialect.create(),
        List.of(),
        List.of(),
        clock::get,
        Duration.ofMinutes(1));
  }

  private Throttle.Verdict askAfter(int seconds, Throttle throttle) {
    clock.addAndGet(Duration.ofSeconds(seconds).toNanos());
    return throttle.ask(Pace.DEFAULT, NOW);
  }

  private static DataSource as(String user, DataSource server) {
    PGSimpleDataSource given = (PGSimpleDataSource) server;
    PGSimpleDataSource other = new PGSimpleDataSource();
    other.setURL(given.getURL());
    other.setUser(user);
    return other;
  }

  private static void await(String what, DataSource server, String sql) throws Exception {
    Eventually.until(
        what,
        () -> {
          try {
            return PrimaryAndStandby.is(server, sql);
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void pauseAndWrite() throws Exception {
    PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_pause()");
    await(
        "replay stands still",
        servers.standby(),
        "SELECT pg_get_wal_replay_pause_state() = 'paused'");
    // Flushed when it returns: this server doesn't do so by itself.
    PrimaryAndStandby.execute(
        servers.primary(), "SET synchronous_commit = on", "INSERT INTO written VALUES (now())");
  }

  private void fallsBehindAndCatchesUp(String name, Throttle throttle) throws Exception {
    Throttle.Verdict first = askAfter(0, throttle);
    assertThat(first).isEqualTo(new Throttle.Verdict(null, 1));
    assertThat(askAfter(5, throttle)).isEqualTo(new Throttle.Verdict(null, 1));
    Throttle.Verdict six = askAfter(1, throttle);
    assertThat(six.go()).isTrue();
    assertThat(six.stretch()).isCloseTo(2.8, within(1e-9));
    Throttle.Verdict ten = askAfter(4, throttle);
    assertThat(ten.go()).isTrue();
    assertThat(ten.stretch()).isEqualTo(10);
    assertThat(askAfter(4, throttle).reason())
        .isEqualTo("replica " + name + " is 14 s behind, limit 10 s");
    PrimaryAndStandby.execute(servers.standby(), "SELECT pg_wal_replay_resume()");
    Eventually.until(
        "it has caught up", () -> askAfter(1, throttle).equals(new Throttle.Verdict(null, 1)));
  }

  @Test
  void aStandbyThatThePrimaryKnows() throws Exception {
    pauseAndWrite();
    fallsBehindAndCatchesUp("standby", throttle(servers.primary(), Map.of()));
  }

  /** The user may not see the standby's position on the primary, but can ask the standby. */
  @Test
  void aNamedReader() throws Exception {
    await("the user is there", servers.standby(), "SELECT to_regrole('app') IS NOT NULL");
    pauseAndWrite();
    fallsBehindAndCatchesUp(
        "replica-1",
        throttle(as("app", servers.primary()), Map.of("replica-1", as("app", servers.standby()))));
  }

  @Test
  void whatTheUserMayNotReadHoldsUntilItMay() throws Exception {
    await("the standby streams", servers.primary(), "SELECT count(*) = 1 FROM pg_stat_replication");
    Throttle throttle = throttle(as("app", servers.primary()), Map.of());
    assertThat(askAfter(0, throttle).reason()).isEqualTo(UNREADABLE);
    assertThat(throttle.ask(Pace.DEFAULT.maxLag(null), NOW).go()).isTrue();
    // A reader that is no standby names none.
    assertThat(
            askAfter(0, throttle(as("app", servers.primary()), Map.of("r", servers.primary())))
                .reason())
        .isEqualTo(UNREADABLE);
    PrimaryAndStandby.execute(servers.primary(), "GRANT pg_monitor TO app");
    Eventually.until("it may read", () -> askAfter(1, throttle).go());
  }

  /** At the start of a log file the next record's place lies behind a header that is not sent. */
  @Test
  void anIdlePrimaryKeepsNobodyBehind() throws Exception {
    PrimaryAndStandby.execute(
        servers.primary(),
        "SET synchronous_commit = on",
        "INSERT INTO written VALUES (now())",
        "SELECT pg_switch_wal()");
    Throttle throttle = throttle(servers.primary(), Map.of("replica-1", servers.standby()));
    assertThat(askAfter(0, throttle).go()).isTrue();
    await(
        "the standby has all there is",
        servers.primary(),
        "SELECT replay_lsn = pg_current_wal_flush_lsn() FROM pg_stat_replication");
    assertThat(askAfter(60, throttle)).isEqualTo(new Throttle.Verdict(null, 1));
  }

  @Test
  void aReaderThatDoesNotAnswerHolds() {
    PGSimpleDataSource gone = new PGSimpleDataSource();
    gone.setPortNumbers(new int[] {1});
    assertThat(askAfter(0, throttle(servers.primary(), Map.of("gone", gone))).reason())
        .startsWith("replication lag can't be read: replica gone can't be asked: Connection to ")
        .endsWith("; mend that, or set max_lag_ms to -1");
  }

  @Test
  void aStandbyIsNoPrimary() {
    assertThat(askAfter(0, throttle(servers.standby(), Map.of())).reason())
        .startsWith("replication lag can't be read: the primary can't be asked: ")
        .contains("recovery is in progress");
  }
}
