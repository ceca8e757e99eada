package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.engine.Eventually;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.spi.LoadSql;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.Driver;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;

/** Who streams from a primary and is no standby, seen by a superuser and by an ordinary user. */
@PostgresTest
@Timeout(120)
class PostgresWalSendersTest {

  private static EmbeddedPostgres server;

  private final LoadSql load = new PostgresLoadSql();

  @BeforeAll
  static void start() throws Exception {
    Assumptions.assumeTrue(
        PostgresServer.get().kind().startsWith("embedded"),
        "NO LOGICAL DECODING: this test starts an embedded server of its own");
    server =
        EmbeddedPostgres.builder()
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            .setServerConfig("wal_level", "logical")
            .setServerConfig("fsync", "off")
            .start();
    try (Connection c = connect("postgres")) {
      execute(c, "CREATE ROLE app LOGIN", "CREATE PUBLICATION everything FOR ALL TABLES");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private static Connection connect(String user) throws SQLException {
    return server.getDatabase(user, "postgres").getConnection();
  }

  private static void execute(Connection c, String... statements) throws SQLException {
    try (Statement s = c.createStatement()) {
      for (String sql : statements) {
        s.execute(sql);
      }
    }
  }

  private static Connection replication(String application) throws SQLException {
    Properties properties = new Properties();
    PGProperty.USER.set(properties, "postgres");
    PGProperty.REPLICATION.set(properties, "database");
    PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
    PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
    PGProperty.APPLICATION_NAME.set(properties, application);
    return new Driver().connect(server.getJdbcUrl("postgres", "postgres"), properties);
  }

  private static LogSequenceNumber here() throws SQLException {
    try (Connection c = connect("postgres");
        Statement s = c.createStatement();
        ResultSet row = s.executeQuery("SELECT pg_current_wal_flush_lsn()::text")) {
      row.next();
      return LogSequenceNumber.valueOf(row.getString(1));
    }
  }

  private LoadSql.Replication seenBy(String user) throws SQLException {
    try (Connection c = connect(user)) {
      return load.replication(c);
    }
  }

  private static void untilSeen(String application, String condition) throws InterruptedException {
    Eventually.until(
        application + " streams",
        () -> {
          try (Connection c = connect("postgres");
              Statement s = c.createStatement();
              ResultSet row =
                  s.executeQuery(
                      "SELECT count(*) FROM pg_stat_replication WHERE application_name = '"
                          + application
                          + "' AND "
                          + condition)) {
            row.next();
            return row.getInt(1) == 1;
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void untilGone() throws InterruptedException {
    Eventually.until(
        "nobody streams",
        () -> {
          try (Connection c = connect("postgres");
              Statement s = c.createStatement();
              ResultSet row = s.executeQuery("SELECT count(*) FROM pg_stat_replication")) {
            row.next();
            return row.getInt(1) == 0;
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private void nobody(String user) throws SQLException {
    assertThat(seenBy(user).standbys()).isEmpty();
    assertThat(seenBy(user).hidden()).isZero();
  }

  /** What it confirms is up to it: it may stand still though it has everything. */
  @Test
  void aLogicalSubscriberIsNoStandby() throws Exception {
    try (Connection c = replication("debezium")) {
      PGConnection pg = c.unwrap(PGConnection.class);
      try (PGReplicationStream stream = logical(pg)) {
        stream.setAppliedLSN(stream.getLastReceiveLSN());
        stream.forceUpdateStatus();
        untilSeen("debezium", "state = 'streaming'");
        nobody("postgres");
        nobody("app");
      }
    }
    untilGone();
  }

  private static PGReplicationStream logical(PGConnection pg) throws SQLException {
    pg.getReplicationAPI()
        .createReplicationSlot()
        .logical()
        .withSlotName("subscriber")
        .withOutputPlugin("pgoutput")
        .withTemporaryOption()
        .make();
    return pg.getReplicationAPI()
        .replicationStream()
        .logical()
        .withSlotName("subscriber")
        .withSlotOption("proto_version", 1)
        .withSlotOption("publication_names", "everything")
        .start();
  }

  /** It fetches the log and replays nothing. An ordinary user can only tell it by its name. */
  @Test
  void whoOnlyFetchesTheLogIsNoStandby() throws Exception {
    for (String application : new String[] {"pg_receivewal", "my archiver"}) {
      try (Connection c = replication(application);
          PGReplicationStream stream =
              c.unwrap(PGConnection.class)
                  .getReplicationAPI()
                  .replicationStream()
                  .physical()
                  .withStartPosition(here())
                  .start()) {
        stream.setFlushedLSN(here());
        stream.forceUpdateStatus();
        untilSeen(application, "flush_lsn IS NOT NULL");
        nobody("postgres");
        assertThat(seenBy("app").hidden()).isEqualTo(application.equals("my archiver") ? 1 : 0);
      }
      untilGone();
    }
  }

  @Test
  void whoReplaysIsAStandby() throws Exception {
    LogSequenceNumber here = here();
    try (Connection c = replication("walreceiver");
        PGReplicationStream stream =
            c.unwrap(PGConnection.class)
                .getReplicationAPI()
                .replicationStream()
                .physical()
                .withStartPosition(here)
                .start()) {
      stream.setFlushedLSN(here);
      stream.setAppliedLSN(here);
      stream.forceUpdateStatus();
      untilSeen("walreceiver", "replay_lsn IS NOT NULL");
      assertThat(seenBy("postgres").standbys())
          .as("its address says more than the name that all have")
          .containsExactly(new LoadSql.Standby("127.0.0.1", here.asString()));
      assertThat(seenBy("postgres").hidden()).isZero();
      assertThat(seenBy("app").standbys()).isEmpty();
      assertThat(seenBy("app").hidden()).isEqualTo(1);
      assertThat(seenBy("app").remedy()).isEqualTo("GRANT pg_monitor TO app");
    }
    untilGone();
  }
}
