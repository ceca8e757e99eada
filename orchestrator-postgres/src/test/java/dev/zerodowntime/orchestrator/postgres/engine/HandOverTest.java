package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** A driver that can't carry something out leaves it to one that can. */
@Timeout(120)
class HandOverTest extends FleetFixture {

  @Test
  void aDriverWhoseUserMayNotLetsAnotherOneDrive() throws Exception {
    String role = database.name() + "_shop";
    database.execute(
        "CREATE ROLE " + role + " LOGIN PASSWORD 'secret'",
        "GRANT USAGE ON SCHEMA orchestrator TO " + role,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA orchestrator TO " + role);
    PGSimpleDataSource poor = database.newDataSource();
    poor.setUser(role);
    poor.setPassword("secret");
    try (Orchestrator declaring = joined(member("1", DropColumn.Code.USES))) {
      assertThat(declaring.fit()).isTrue();
    }
    try (Orchestrator shop =
        Members.member(poor, "1")
            .application("shop")
            .touches("orders")
            .timing(Members::patient)
            .background(true)
            .build()) {
      shop.advance();
      Eventually.until(
          "it says why it can't",
          () -> waits(of(shop.status()), Wait.Kind.ORDER).contains("does not own table"));
      assertThat(of(shop.status()).status()).isEqualTo(MigrationStatus.ACTIVE);
      try (Orchestrator billing = job().background(true).build()) {
        billing.advance();
        Eventually.until("another one can", () -> of(billing.status()).phase().equals("CONTRACT"));
      }
    } finally {
      database.close();
      try (Connection c = PostgresServer.get().dataSource(null).getConnection();
          Statement s = c.createStatement()) {
        s.execute("DROP ROLE " + role);
      }
    }
  }

  @Test
  void anOperationThatADriverDoesNotKnowIsLeftAlone() {
    nobodyIsLeft();
    database.execute(
        "UPDATE orchestrator.migration SET lifecycle = replace(lifecycle, 'DropColumn',"
            + " 'Teleport')");
    try (Orchestrator job = job().build()) {
      assertThat(waits(of(job.drive()), Wait.Kind.LEASE)).contains("has no Teleport");
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.lease WHERE token IS NULL"))
          .isEqualTo(1);
    }
  }

  /** Its queries there would meet our locks unseen. */
  @Test
  void aReplicaThatADriverDoesNotKnowHoldsItBack() {
    try (Orchestrator member =
            joined(
                member("1", DropColumn.Code.NOT_READING)
                    .role(Role.MEMBER)
                    .reader("replica-1", database.dataSource()));
        Orchestrator blind = job().build();
        Orchestrator seeing = job().reader("replica-1", database.dataSource()).build()) {
      assertThat(waits(of(blind.drive()), Wait.Kind.REPLICA))
          .contains("replica replica-1 of billing 1", ".reader(\"replica-1\"");
      assertThat(driven(blind)).isEqualTo("NOT_STARTED");
      assertThat(driven(seeing)).isEqualTo("RELAX");
      assertThat(member.fit()).isTrue();
    }
  }
}
