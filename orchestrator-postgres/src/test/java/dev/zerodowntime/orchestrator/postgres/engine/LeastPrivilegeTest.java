package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A group role without login owns the tables, a role for DDL is a member of it, and the
 * application's role may read and write rows and nothing else. Nobody is a superuser.
 */
@PostgresTest
@Timeout(180)
class LeastPrivilegeTest {

  private static final String SCHEMA = "\"The Shop\"";

  private TestDatabase database;
  private String owners;
  private String ddl;
  private String app;

  @BeforeEach
  void create() throws SQLException {
    database = TestDatabase.create("least");
    owners = "\"" + database.name() + " Owners\"";
    ddl = database.name() + "_ddl";
    app = database.name() + "_app";
    database.execute(
        "REVOKE ALL ON DATABASE " + database.name() + " FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE ROLE " + owners + " NOLOGIN",
        "CREATE ROLE " + ddl + " LOGIN PASSWORD 'secret' IN ROLE " + owners,
        "CREATE ROLE " + app + " LOGIN PASSWORD 'secret'",
        "GRANT CONNECT, TEMPORARY, CREATE ON DATABASE " + database.name() + " TO " + ddl,
        "GRANT CONNECT ON DATABASE " + database.name() + " TO " + app,
        "CREATE SCHEMA " + SCHEMA + " AUTHORIZATION " + owners,
        "GRANT USAGE ON SCHEMA " + SCHEMA + " TO " + app,
        // Functions of ours are nobody's to call.
        "ALTER DEFAULT PRIVILEGES FOR ROLE " + ddl + " REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC");
    as(owners, Representative.tables());
    as(
        owners,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + SCHEMA + " TO " + app);
  }

  @AfterEach
  void drop() {
    for (String role : List.of(app, ddl, owners)) {
      database.execute("DROP OWNED BY " + role + " CASCADE", "DROP ROLE " + role);
    }
    database.close();
  }

  private void as(String role, String... statements) throws SQLException {
    try (Connection c = database.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE " + role);
      s.execute("SET search_path = " + SCHEMA);
      for (String sql : statements) {
        s.execute(sql);
      }
    }
  }

  private PGSimpleDataSource login(String role) {
    PGSimpleDataSource source = database.newDataSource();
    source.setUser(role);
    source.setPassword("secret");
    source.setCurrentSchema(SCHEMA);
    return source;
  }

  private long asApp(String sql) throws SQLException {
    try (Connection c = login(app).getConnection();
        Statement s = c.createStatement()) {
      return s.executeUpdate(sql);
    }
  }

  private void install() {
    try (Orchestrator job =
        Members.driver(login(app)).ddlDataSource(login(ddl)).timing(Members::patient).build()) {
      job.advance();
      job.adopted("billing");
    }
  }

  /** What each of them has is documented; no step needs more, forth and back. */
  @Test
  void everyStepRunsWithWhatIsDocumented() throws Exception {
    install();
    Representative.declareAndLeave(
        login(app), builder -> builder.ddlDataSource(login(ddl)).timing(Members::patient));
    try (Orchestrator driver =
            Members.driver(login(app)).ddlDataSource(login(ddl)).timing(Members::patient).build();
        Orchestrator member =
            Members.member(login(app), "2")
                .role(Role.MEMBER)
                .timing(Members::patient)
                .touches()
                .build()) {
      assertThat(member.advance().admitted()).isTrue();
      Representative.forth(driver);
      assertThat(asApp("INSERT INTO users (id, zip, region) VALUES (1001, 'z', 'r')")).isEqualTo(1);
      assertThat(asApp("INSERT INTO people (id, full_name) VALUES (1001, 'by the new name')"))
          .isEqualTo(1);
      assertThat(asApp("INSERT INTO legacy (id) VALUES (1001)")).isEqualTo(1);
      Representative.back(driver);
      assertThat(asApp("INSERT INTO users (id, zip) VALUES (1002, 'z')")).isEqualTo(1);
      assertThat(asApp("UPDATE people SET name = name || '!' WHERE name = 'by the new name'"))
          .isEqualTo(1);
      assertThat(asApp("UPDATE legacy SET fax = 'f' WHERE id = 1001 AND fax = 'none'"))
          .isEqualTo(1);
    }
    assertThat(
            database.rows(
                "SELECT DISTINCT c.relowner::regrole::text FROM pg_class c WHERE c.relnamespace ="
                    + " '"
                    + SCHEMA
                    + "'::regnamespace"))
        .isEqualTo(List.of(List.of(owners)));
  }

  /** Connections that have become the owner: whoever logs in is not who works. */
  @Test
  void aSessionThatHasSetItsRole() throws Exception {
    database.execute("GRANT CREATE, TEMPORARY ON DATABASE " + database.name() + " TO " + owners);
    try (WatchedPool pool =
        new WatchedPool(
            login(ddl),
            connection -> {
              try (Statement statement = connection.createStatement()) {
                statement.execute("SET ROLE " + owners);
              }
            })) {
      Members.install(pool.dataSource());
      Representative.declareAndLeave(
          pool.dataSource(), builder -> builder.timing(Members::patient));
      try (Orchestrator driver =
          Members.driver(pool.dataSource()).timing(Members::patient).build()) {
        Representative.forth(driver);
        Representative.back(driver);
      }
      assertThat(pool.leaks()).isEmpty();
    }
  }

  private void refused(Orchestrator member, ErrorCode code, String... says) {
    Untouched.refuses(database, RefusedException.class, code, member::advance, says);
  }

  private Orchestrator declares(AddColumn add) {
    return Members.member(login(app), "1")
        .ddlDataSource(login(ddl))
        .timing(Members::patient)
        .thisBuild(add, AddColumn.Code.UNAWARE)
        .build();
  }

  /** A member that does not inherit what its group may do. */
  @Test
  void aMemberThatDoesNotInherit() {
    install();
    database.execute(
        "REVOKE " + owners + " FROM " + ddl,
        "ALTER ROLE " + ddl + " NOINHERIT",
        "GRANT " + owners + " TO " + ddl,
        "GRANT USAGE ON SCHEMA " + SCHEMA + " TO " + ddl);
    try (Orchestrator member = declares(Representative.ADD)) {
      refused(
          member,
          ErrorCode.MISSING_PRIVILEGE,
          ddl,
          "does not own table",
          "\"users\"",
          "is a member",
          "SET ROLE " + owners);
    }
  }

  @Test
  void noTemporaryTables() {
    install();
    database.execute("REVOKE TEMPORARY ON DATABASE " + database.name() + " FROM " + ddl);
    try (Orchestrator member = declares(Representative.ADD)) {
      refused(
          member,
          ErrorCode.MISSING_PRIVILEGE,
          ddl,
          "temporary tables",
          "GRANT TEMPORARY ON DATABASE \"" + database.name() + "\"");
    }
  }

  /** Owners are exempt from policies, unless they are forced on them. */
  @Test
  void rowSecurity() throws Exception {
    install();
    for (String table : List.of("users", "people", "parts", "orders", "customers", "legacy")) {
      as(
          owners,
          "ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY",
          "CREATE POLICY half ON " + table + " USING (id % 2 = 0)");
    }
    Representative.declareAndLeave(
        login(app), builder -> builder.ddlDataSource(login(ddl)).timing(Members::patient));
    try (Orchestrator driver =
        Members.driver(login(app)).ddlDataSource(login(ddl)).timing(Members::patient).build()) {
      Representative.forth(driver);
      assertThat(
              database.queryLong(
                  "SELECT count(*) FROM \"The Shop\".users WHERE region = upper(zip)"))
          .isEqualTo(250);
      Representative.back(driver);
    }
  }

  /** Half of the rows would not be seen: no proof, no backfill; what looks at no row goes on. */
  @Test
  void forcedRowSecurity() throws Exception {
    install();
    for (String table : List.of("users", "people", "parts", "orders", "customers", "legacy")) {
      as(
          owners,
          "ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
          "CREATE POLICY half ON " + table + " USING (id % 2 = 0)");
    }
    List<UnaryOperator<OrchestratorBuilder>> needRows =
        List.of(
            b -> b.thisBuild(Representative.ADD, AddColumn.Code.UNAWARE),
            b -> b.thisBuild(Representative.RENAME, RenameColumn.Code.USES_OLD_NAME),
            b -> b.thisBuild(Representative.KEY, AddForeignKey.Code.MAY_VIOLATE),
            b -> b.thisBuild(Representative.DROP, DropColumn.Code.USES),
            b ->
                b.thisBuild(
                    AddCheck.of("billing/check")
                        .table("parts")
                        .name("sized")
                        .expression("size > 0")
                        .build(),
                    AddCheck.Code.MAY_VIOLATE));
    for (var declare : needRows) {
      try (Orchestrator member =
          declare
              .apply(
                  Members.member(login(app), "1")
                      .ddlDataSource(login(ddl))
                      .timing(Members::patient))
              .build()) {
        refused(member, ErrorCode.REFUSED, "row security hides rows", ddl, "BYPASSRLS");
      }
    }
    AddColumn plain =
        AddColumn.of("billing/plain").table("users").column("level", "int").defaultSql("1").build();
    try (Orchestrator member =
        Members.member(login(app), "1")
            .ddlDataSource(login(ddl))
            .timing(Members::patient)
            .thisBuild(plain, AddColumn.Code.UNAWARE)
            .thisBuild(Representative.INDEX, CreateIndex.Code.UNAWARE)
            .build()) {
      member.advance();
      Eventually.until("both are done", () -> member.drive().settled());
    }
    assertThat(database.queryLong("SELECT sum(level) FROM \"The Shop\".users")).isEqualTo(250);
  }
}
