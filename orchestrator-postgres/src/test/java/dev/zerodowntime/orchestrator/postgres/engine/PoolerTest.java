package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A real PgBouncer between us and the server. Where none is installed ({@code PGBOUNCER} may name
 * it), these tests are skipped, and say so.
 */
@PostgresTest
class PoolerTest {

  private final TestDatabase database;

  @TempDir Path directory;

  PoolerTest(TestDatabase database) {
    this.database = database;
  }

  private static Path binary() {
    String named = System.getenv("PGBOUNCER");
    List<String> places =
        new ArrayList<>(List.of("/usr/sbin", "/usr/local/sbin", "/usr/local/bin"));
    places.addAll(List.of(System.getenv("PATH").split(":")));
    Path found =
        Stream.concat(
                Stream.ofNullable(named).map(Path::of),
                places.stream().map(each -> Path.of(each, "pgbouncer")))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    if (found == null) {
      System.err.println(
          "!!!! SKIPPED: no pgbouncer here (apt-get install pgbouncer): pooling is not tested");
      Assumptions.abort("no pgbouncer on this machine");
    }
    return found;
  }

  /** A running pooler; it refuses to be root, as the embedded server does. */
  private final class Pooler implements AutoCloseable {

    private final Process process;
    private final int port;

    Pooler(String mode) throws IOException, InterruptedException {
      Path binary = binary();
      try (ServerSocket free = new ServerSocket(0)) {
        port = free.getLocalPort();
      }
      PGSimpleDataSource server = database.dataSource();
      String password = server.getPassword();
      Path config = directory.resolve(mode + ".ini");
      Files.write(
          config,
          List.of(
              "[databases]",
              "* = host="
                  + server.getServerNames()[0]
                  + " port="
                  + server.getPortNumbers()[0]
                  + " user="
                  + server.getUser()
                  + (password == null ? "" : " password=" + password),
              "[pgbouncer]",
              "listen_addr = 127.0.0.1",
              "listen_port = " + port,
              "unix_socket_dir =",
              "auth_type = any",
              "ignore_startup_parameters = extra_float_digits",
              "pool_mode = " + mode));
      List<String> command = new ArrayList<>();
      if ("root".equals(System.getProperty("user.name"))) {
        command.addAll(List.of("unshare", "-U"));
      }
      command.addAll(List.of(binary.toString(), config.toString()));
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve(mode + ".log").toFile())
              .start();
      Eventually.until("pgbouncer answers in mode " + mode, this::answers);
    }

    private boolean answers() {
      assertThat(process.isAlive()).as("pgbouncer").isTrue();
      try (Connection c = dataSource().getConnection()) {
        return c.isValid(5);
      } catch (SQLException e) {
        return false;
      }
    }

    PGSimpleDataSource dataSource() {
      PGSimpleDataSource source = database.newDataSource();
      source.setServerNames(new String[] {"127.0.0.1"});
      source.setPortNumbers(new int[] {port});
      source.setPrepareThreshold(0);
      return source;
    }

    @Override
    public void close() {
      process.destroy();
    }
  }

  @Test
  void statementPoolingIsRefused() throws Exception {
    try (Pooler pooler = new Pooler("statement");
        Orchestrator member = Members.member(pooler.dataSource(), "1").role(Role.MEMBER).build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.UNSUPPORTED_POOLING,
          member::advance,
          "statement mode",
          "transaction or session pooling");
    }
  }

  @Test
  void transactionPoolingNeedsDirectConnectionsForDdl() throws Exception {
    database.execute("CREATE TABLE IF NOT EXISTS pooled (id bigint PRIMARY KEY)");
    AddColumn add = AddColumn.of("billing/pooled").table("pooled").column("a", "text").build();
    try (Pooler pooler = new Pooler("transaction");
        Orchestrator without = Members.member(pooler.dataSource(), "1").build();
        Orchestrator with =
            Members.member(pooler.dataSource(), "1")
                .ddlDataSource(database.newDataSource())
                .timing(Members::patient)
                .thisBuild(add, AddColumn.Code.READS)
                .build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.UNSUPPORTED_POOLING,
          without::advance,
          "transaction mode",
          "ddlDataSource");
      assertThat(with.advance().admitted()).isTrue();
      assertThat(with.drive(Duration.ofSeconds(20)).settled()).isTrue();
    }
  }

  /** Said before anything is installed, and what helps with it. */
  @Test
  void theDoctorTellsPoolersModes() throws Exception {
    try (Pooler statements = new Pooler("statement");
        Pooler transactions = new Pooler("transaction");
        Orchestrator refused =
            Members.member(statements.dataSource(), "asked by the doctor").build();
        Orchestrator without =
            Members.member(transactions.dataSource(), "asked by the doctor").build();
        Orchestrator with =
            Members.member(transactions.dataSource(), "asked by the doctor")
                .ddlDataSource(database.newDataSource())
                .build();
        Orchestrator member =
            Members.member(transactions.dataSource(), "asked by the doctor")
                .role(Role.MEMBER)
                .build()) {
      assertThat(refused.doctor().healthy()).isFalse();
      assertThat(refused.doctor().toString())
          .contains("PROBLEM the application's connections", "statement mode");
      assertThat(without.doctor().healthy()).isFalse();
      assertThat(without.doctor().toString()).contains("PROBLEM poolers", "ddlDataSource(...)");
      for (Orchestrator each : List.of(with, member)) {
        assertThat(each.doctor().healthy()).as("%s", each.doctor()).isTrue();
        assertThat(each.doctor().toString()).contains("pooler in transaction mode, which is fine");
      }
    }
  }

  /** Whatever kind of step, forth and back; the pooler's own sessions serve others afterwards. */
  @Test
  void everyStepRunsThroughTransactionPooling() throws Exception {
    try (TestDatabase each = TestDatabase.create("pooled");
        Pooler pooler = new Pooler("transaction")) {
      each.execute(Representative.tables());
      PGSimpleDataSource pooled = pooler.dataSource();
      pooled.setDatabaseName(each.name());
      try (WatchedPool direct = new WatchedPool(each.dataSource())) {
        UnaryOperator<OrchestratorBuilder> with =
            builder -> builder.ddlDataSource(direct.dataSource()).timing(Members::patient);
        try (Orchestrator job = with.apply(Members.driver(pooled)).build()) {
          job.advance();
          job.adopted("billing");
        }
        Representative.declareAndLeave(pooled, with);
        try (Orchestrator member =
                with.apply(Members.member(pooled, "2").role(Role.MEMBER).touches())
                    .timing(
                        timing ->
                            Members.patient(timing)
                                .heartbeat(Duration.ofMillis(50), Duration.ofMinutes(5)))
                    .background(true)
                    .build();
            Orchestrator driver = with.apply(Members.driver(pooled)).build()) {
          assertThat(member.advance().admitted()).isTrue();
          Representative.forth(driver);
          Representative.back(driver);
          assertThat(member.fit()).isTrue();
        }
        assertThat(direct.leaks()).isEmpty();
      }
      leavesNothingInThePoolersSessions(pooled);
    }
  }

  /** What we set in one client's transaction must not meet the next client. */
  private static void leavesNothingInThePoolersSessions(PGSimpleDataSource pooled)
      throws SQLException {
    try (Connection c = pooled.getConnection();
        Statement s = c.createStatement();
        ResultSet row =
            s.executeQuery(
                "SELECT (SELECT count(*) FROM pg_locks l WHERE l.locktype = 'advisory' AND"
                    + " l.database = (SELECT oid FROM pg_database WHERE datname ="
                    + " current_database())), (SELECT count(*) FROM pg_settings WHERE source ="
                    + " 'session' AND name LIKE '%timeout'), (SELECT count(*) FROM"
                    + " pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in"
                    + " transaction%')")) {
      row.next();
      assertThat(List.of(row.getInt(1), row.getInt(2), row.getInt(3)))
          .as("advisory locks, timeouts set, transactions left open")
          .isEqualTo(List.of(0, 0, 0));
    }
  }

  /** Members hold no session locks and build nothing. */
  @Test
  void aMemberNeedsNoDirectConnections() throws Exception {
    Members.install(database.dataSource());
    try (Pooler pooler = new Pooler("transaction");
        Orchestrator member =
            Members.member(pooler.dataSource(), "member alone")
                .role(Role.MEMBER)
                .timing(Members::patient)
                .build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
  }

  /** The other way round as well: it is the connections for DDL that must be direct. */
  @Test
  void connectionsForDdlThroughAPoolerAreRefused() throws Exception {
    try (Pooler pooler = new Pooler("transaction");
        Orchestrator member =
            Members.member(database.dataSource(), "1").ddlDataSource(pooler.dataSource()).build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.UNSUPPORTED_POOLING,
          member::advance,
          "connections for DDL",
          "transaction mode",
          "direct connections");
    }
  }
}
