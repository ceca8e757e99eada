package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Servers and users that can't be worked with: found out before anything is started. */
@PostgresTest
class BadInputServerTest {

  private static final AddColumn REGION =
      AddColumn.of("billing/region").table("users").column("region", "text").build();

  private TestDatabase database;
  private String user;

  @BeforeEach
  void create() {
    database = TestDatabase.create("bad_server");
    user = database.name() + "_user";
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY)",
        "INSERT INTO users VALUES (1)",
        "CREATE ROLE " + user + " LOGIN PASSWORD 'secret'",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON users TO " + user);
  }

  @AfterEach
  void drop() throws SQLException {
    database.close();
    try (Connection c = PostgresServer.get().dataSource(null).getConnection();
        Statement s = c.createStatement()) {
      s.execute("DROP ROLE " + user);
    }
  }

  private PGSimpleDataSource asUser() {
    PGSimpleDataSource source = database.newDataSource();
    source.setUser(user);
    source.setPassword("secret");
    return source;
  }

  private void grantControl(String privileges) {
    database.execute(
        "GRANT USAGE ON SCHEMA orchestrator TO " + user,
        "GRANT " + privileges + " ON ALL TABLES IN SCHEMA orchestrator TO " + user);
  }

  /** The usual way with least privileges: one user for DDL, another for the application. */
  @Test
  void aPrivilegedDataSourceInstallsForOneThatIsNot() {
    try (Orchestrator member =
        Members.member(asUser(), "1")
            .ddlDataSource(database.newDataSource())
            .timing(Members::patient)
            .thisBuild(REGION, AddColumn.Code.WRITES)
            .build()) {
      member.pauseAll("to end the pin first");
      member.adopted("billing");
      member.resumeAll();
      assertThat(member.advance().admitted()).isTrue();
      assertThat(member.drive(Duration.ofSeconds(20)).settled()).isTrue();
    }
    String owner =
        database.queryOne(
            "SELECT relowner::regrole::text FROM pg_class WHERE oid ="
                + " 'orchestrator.migration'::regclass");
    assertThat(owner).isNotEqualTo(user);
  }

  @Test
  void aUserWhoMayNotCreateTheControlSchema() {
    try (Orchestrator member =
        Members.member(asUser(), "1").thisBuild(REGION, AddColumn.Code.UNAWARE).build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.MISSING_PRIVILEGE,
          member::advance,
          "schema orchestrator",
          "permission denied",
          database.name(),
          "GRANT CREATE ON DATABASE");
    }
  }

  @Test
  void aUserWhoMayNotReadTheControlTables() {
    Members.install(database.dataSource());
    try (Orchestrator member = Members.member(asUser(), "1").build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.MISSING_PRIVILEGE,
          member::advance,
          "permission denied",
          "orchestrator",
          "GRANT USAGE ON SCHEMA \"orchestrator\" TO");
    }
  }

  @Test
  void aUserWhoMayOnlyReadTheControlTables() {
    Members.install(database.dataSource());
    grantControl("SELECT");
    try (Orchestrator member = Members.member(asUser(), "1").role(Role.MEMBER).build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.MISSING_PRIVILEGE,
          member::advance,
          "permission denied",
          "SELECT, INSERT, UPDATE, DELETE");
    }
  }

  @Test
  void aDriverWhoDoesNotOwnTheTable() {
    Members.install(database.dataSource());
    grantControl("ALL");
    try (Orchestrator member =
        Members.member(asUser(), "1").thisBuild(REGION, AddColumn.Code.UNAWARE).build()) {
      RefusedException refused =
          Untouched.refuses(
              database,
              RefusedException.class,
              ErrorCode.MISSING_PRIVILEGE,
              member::advance,
              REGION.id(),
              user,
              "does not own table",
              "users",
              "OWNER TO");
      assertThat(refused.migration()).isEqualTo(REGION.id());
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.migration")).isZero();
    }
  }

  @Test
  void aMemberNeedsNoMoreThanTheControlTables() {
    Members.install(database.dataSource());
    grantControl("SELECT, INSERT, UPDATE, DELETE");
    try (Orchestrator member =
            Members.member(asUser(), "1")
                .role(Role.MEMBER)
                .timing(Members::patient)
                .thisBuild(REGION, AddColumn.Code.UNAWARE)
                .build();
        Orchestrator job = Members.driver(database.dataSource()).timing(Members::patient).build()) {
      assertThat(member.advance().admitted()).isTrue();
      assertThat(job.drive(Duration.ofSeconds(20)).settled()).isTrue();
    }
  }

  @Test
  void nobodyAnswers() {
    PGSimpleDataSource nowhere = database.newDataSource();
    nowhere.setPortNumbers(new int[] {1});
    notConnected(nowhere, ErrorCode.DATABASE_UNREACHABLE, "does not answer", ":1", "address");
    HikariDataSource pool = pool(nowhere);
    notConnected(pool, ErrorCode.DATABASE_UNREACHABLE, "does not answer", "address");
    pool.close();
  }

  @Test
  void aDatabaseThatDoesNotExist() {
    PGSimpleDataSource unknown = database.newDataSource();
    unknown.setDatabaseName("no_such_database");
    notConnected(unknown, ErrorCode.NO_SUCH_DATABASE, "no_such_database", "address");
  }

  @Test
  void aUserWhoIsNotLetIn() {
    database.execute("ALTER ROLE " + user + " NOLOGIN");
    notConnected(asUser(), ErrorCode.LOGIN_REFUSED, user, "refuses the user", "28000");
    HikariDataSource pool = pool(asUser());
    notConnected(pool, ErrorCode.LOGIN_REFUSED, "refuses the user", "password");
    pool.close();
    try (Orchestrator member =
        Members.member(asUser(), "1").dialect(PostgresDialect.create()).build()) {
      Untouched.refuses(
          database, DatabaseException.class, ErrorCode.LOGIN_REFUSED, member::advance, user);
    }
  }

  /** Says only that it timed out; why is in the cause. */
  private static HikariDataSource pool(PGSimpleDataSource source) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(source);
    config.setMaximumPoolSize(3);
    config.setInitializationFailTimeout(-1);
    // The first attempt is to fail within it, for its failure is the cause that is looked for.
    config.setConnectionTimeout(5_000);
    return new HikariDataSource(config);
  }

  /** A heartbeat that has to wait for a batch's connection comes late. */
  @ParameterizedTest
  @CsvSource({"2,1,give it 3 or more", "4,3,give it 5 or more"})
  void aPoolThatIsTooSmall(int size, int workers, String says) {
    HikariDataSource pool = database.pool(size);
    try (Orchestrator member = Members.member(pool, "1").backfillWorkers(workers).build()) {
      Untouched.refuses(
          database,
          DeclarationException.class,
          ErrorCode.INVALID_DECLARATION,
          member::advance,
          "The pool has " + size + " connections at most",
          says);
    }
  }

  private void notConnected(DataSource source, ErrorCode code, String... says) {
    try (Orchestrator member = Members.member(source, "1").build()) {
      Untouched.refuses(database, DatabaseException.class, code, member::advance, says);
      assertThat(member.fit()).isFalse();
    }
  }

  @Test
  void aUserWhoseTransactionsAreReadOnly() {
    database.execute("ALTER ROLE " + user + " SET default_transaction_read_only = on");
    try (Orchestrator member = Members.member(asUser(), "1").build()) {
      Untouched.refuses(
          database,
          DatabaseException.class,
          ErrorCode.READ_ONLY_DATABASE,
          member::advance,
          "read-only",
          "default_transaction_read_only",
          "primary");
    }
  }

  /** A real one: started in recovery, as a replica whose primary is away. */
  @Test
  void aReplica(@TempDir Path directory) throws Exception {
    Assumptions.assumeTrue(
        PostgresServer.get().kind().startsWith("embedded"), "needs the embedded server's binaries");
    Path data = directory.resolve("data");
    EmbeddedPostgres.Builder builder =
        EmbeddedPostgres.builder()
            .setDataDirectory(data)
            .setCleanDataDirectory(false)
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60));
    builder.start().close();
    Files.createFile(data.resolve("standby.signal"));
    try (EmbeddedPostgres replica = builder.start();
        Orchestrator member = Members.member(replica.getPostgresDatabase(), "1").build()) {
      DatabaseException refused = catchThrowableOfType(DatabaseException.class, member::advance);
      assertThat(refused).hasMessageContainingAll("replica", "primary");
      assertThat(refused.code()).isEqualTo(ErrorCode.READ_ONLY_DATABASE);
    }
  }
}
