package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.PrimaryAndStandby;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real subscriber of logical replication, in another database of the same server. */
@PostgresTest
@Timeout(180)
class SubscriberTest {

  private static final AddColumn ADD = Representative.ADD;

  private EmbeddedPostgres server;
  private DataSource publisher;
  private DataSource subscriber;

  @BeforeEach
  void start() throws Exception {
    Assumptions.assumeTrue(
        PostgresServer.get().kind().startsWith("embedded"),
        "NO SUBSCRIBER: this test starts an embedded server of its own");
    server =
        EmbeddedPostgres.builder()
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            .setServerConfig("wal_level", "logical")
            .setServerConfig("fsync", "off")
            .start();
    PrimaryAndStandby.execute(
        server.getPostgresDatabase(), "CREATE DATABASE publisher", "CREATE DATABASE subscriber");
    publisher = server.getDatabase("postgres", "publisher");
    subscriber = server.getDatabase("postgres", "subscriber");
    PrimaryAndStandby.execute(publisher, Representative.tables());
    PrimaryAndStandby.execute(
        publisher,
        "CREATE PUBLICATION users_to_warehouse FOR TABLE users",
        "SELECT pg_create_logical_replication_slot('warehouse', 'pgoutput')");
    PrimaryAndStandby.execute(
        subscriber,
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
        "CREATE SUBSCRIPTION warehouse CONNECTION 'host=localhost user=postgres dbname=publisher"
            + " port="
            + server.getPort()
            + "' PUBLICATION users_to_warehouse WITH (create_slot = false, slot_name ="
            + " 'warehouse')");
    has("the first rows", "SELECT count(*) = 250 FROM users");
    Members.install(publisher);
  }

  @AfterEach
  void stop() throws Exception {
    if (server != null) {
      PrimaryAndStandby.execute(
          subscriber,
          "ALTER SUBSCRIPTION warehouse DISABLE",
          "ALTER SUBSCRIPTION warehouse SET (slot_name = NONE)",
          "DROP SUBSCRIPTION warehouse");
      server.close();
    }
  }

  private void has(String what, String sql) throws InterruptedException {
    Eventually.until(
        "the subscriber has " + what,
        () -> {
          try {
            return PrimaryAndStandby.is(subscriber, sql);
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** What the rule is for: without the column, not even rows of other code arrive. */
  @Test
  void aSubscriberWithoutTheColumnStops() throws Exception {
    PrimaryAndStandby.execute(
        publisher,
        "ALTER TABLE users ADD level int",
        "INSERT INTO users (id, zip) VALUES (1001, 'unaware')");
    if (PostgresServer.get().majorVersion() >= 15) {
      has("failed", "SELECT apply_error_count > 0 FROM pg_stat_subscription_stats");
    }
    assertThat(PrimaryAndStandby.is(subscriber, "SELECT count(*) = 0 FROM users WHERE id > 1000"))
        .isTrue();
    PrimaryAndStandby.execute(subscriber, "ALTER TABLE users ADD level int");
    has("caught up", "SELECT count(*) = 1 FROM users WHERE id > 1000");
  }

  @Test
  void nothingIsSentThatItLacks() throws Exception {
    try (Orchestrator member =
        Members.member(publisher, "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(ADD, AddColumn.Code.UNAWARE)
            .build()) {
      member.advance();
    }
    try (Orchestrator driver = Members.driver(publisher).timing(Members::patient).build()) {
      driver.advance();
      driver.forgetRelease("billing", "1");
      MigrationReport waiting = driver.drive().migration(ADD.id()).orElseThrow();
      assertThat(FleetFixture.waits(waiting, Wait.Kind.APPROVAL))
          .contains("[users_to_warehouse]", "\"region\"", "add it there first");
      PrimaryAndStandby.execute(publisher, "INSERT INTO users (id, zip) VALUES (1001, 'before')");
      assertThat(driver.doctor().toString())
          .contains("publications [users_to_warehouse (tables: 1)]", "slots [warehouse (pgoutput)]")
          .contains("EXPAND waits for a person", "approve(\"billing/1-add\", \"EXPAND\")");
      has("a row of before", "SELECT count(*) = 1 FROM users WHERE id = 1001");

      PrimaryAndStandby.execute(subscriber, "ALTER TABLE users ADD region text");
      driver.approve(ADD.id(), "EXPAND");
      Eventually.until(
          "it is done", () -> driver.drive().migration(ADD.id()).orElseThrow().finished());
      has("the backfilled rows", "SELECT count(*) = 251 FROM users WHERE region = upper(zip)");
      if (PostgresServer.get().majorVersion() >= 15) {
        assertThat(
                PrimaryAndStandby.is(
                    subscriber, "SELECT apply_error_count = 0 FROM pg_stat_subscription_stats"))
            .isTrue();
      }
    }
  }
}
