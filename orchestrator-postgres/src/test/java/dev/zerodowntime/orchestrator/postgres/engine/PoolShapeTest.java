package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The application's pool is as the application wants it: whatever that is, every kind of step runs
 * to its end and back, and connections come back as they were lent.
 */
@PostgresTest
@Timeout(180)
@Tag("long")
class PoolShapeTest {

  private TestDatabase database;
  private String role;

  @BeforeEach
  void create() {
    database = TestDatabase.create("shape");
    role = database.name() + "_role";
  }

  @AfterEach
  void drop() {
    List<Object> there = database.rows("SELECT to_regrole('" + role + "')").get(0);
    if (there.get(0) != null) {
      database.execute("DROP OWNED BY " + role + " CASCADE", "DROP ROLE " + role);
    }
    database.close();
  }

  record Case(String name, WatchedPool.Shape shape) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static WatchedPool.Shape executes(String sql) {
    return connection -> {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    };
  }

  static Stream<Case> shapes() {
    return Stream.of(
        new Case("autocommit on", connection -> {}),
        new Case("autocommit off", connection -> connection.setAutoCommit(false)),
        new Case(
            "REPEATABLE READ",
            connection ->
                connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ)),
        new Case(
            "SERIALIZABLE, autocommit off",
            connection -> {
              connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
              connection.setAutoCommit(false);
            }),
        new Case(
            "deferrable transactions",
            executes("SET SESSION CHARACTERISTICS AS TRANSACTION DEFERRABLE")),
        new Case(
            "limits of its own",
            executes(
                "SET lock_timeout = 900; SET statement_timeout = 5000; SET"
                    + " idle_in_transaction_session_timeout = 5000; SET synchronous_commit = off;"
                    + " SET application_name = 'the application'")),
        new Case(
            "other date and number styles",
            executes(
                "SET extra_float_digits = 0; SET"
                    + " IntervalStyle = 'iso_8601'; SET bytea_output = 'escape'; SET TimeZone ="
                    + " 'Asia/Kathmandu'; SET xmloption = 'document'; SET quote_all_identifiers = on; SET"
                    + " default_tablespace = ''; SET client_min_messages = 'error'")),
        new Case(
            "no plans that scan",
            executes(
                "SET enable_seqscan = off; SET plan_cache_mode ="
                    + " 'force_generic_plan'; SET row_security = off; SET check_function_bodies = off")),
        new Case(
            "transforms NULL",
            executes("SET transform_null_equals = on; SET" + " backslash_quote = on")));
  }

  private void runsForthAndBack(DataSource source) throws Exception {
    Members.install(source);
    Representative.declareAndLeave(source, builder -> builder.timing(Members::patient));
    try (Orchestrator driver = Members.driver(source).timing(Members::patient).build()) {
      Representative.forth(driver);
      Representative.back(driver);
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void everythingRunsForthAndBack(Case each) throws Exception {
    database.execute(Representative.tables());
    try (WatchedPool pool = new WatchedPool(database.dataSource(), each.shape())) {
      runsForthAndBack(pool.dataSource());
      assertThat(pool.leaks()).isEmpty();
      assertThat(pool.returned()).isPositive();
    }
  }

  /** As people configure it, with the pool's own resets. */
  @Test
  void hikariWithAutocommitOffAndSerializable() throws Exception {
    database.execute(Representative.tables());
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.newDataSource());
    config.setMaximumPoolSize(5);
    config.setAutoCommit(false);
    config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
    try (HikariDataSource pool = new HikariDataSource(config)) {
      runsForthAndBack(pool);
    }
  }

  /** The tables are in a schema that only the pool's search path knows. */
  @Test
  void anotherSearchPath() throws Exception {
    database.execute("CREATE SCHEMA \"Shop 1\"", "CREATE SCHEMA ext");
    PGSimpleDataSource source = database.newDataSource();
    source.setCurrentSchema("\"Shop 1\",ext");
    try (Connection c = source.getConnection();
        Statement s = c.createStatement()) {
      for (String sql : Representative.tables()) {
        s.execute(sql);
      }
    }
    try (WatchedPool pool = new WatchedPool(source)) {
      runsForthAndBack(pool.dataSource());
      assertThat(pool.leaks()).isEmpty();
    }
    assertThat(database.queryLong("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        .isZero();
  }

  /** Limits that are meant for the application's queries, which the role brings with it. */
  @Test
  void limitsOfTheRole() throws Exception {
    database.execute(
        "CREATE ROLE " + role + " LOGIN PASSWORD 'secret'",
        "GRANT CREATE ON DATABASE " + database.name() + " TO " + role,
        "CREATE SCHEMA " + role + " AUTHORIZATION " + role);
    PGSimpleDataSource source = database.newDataSource();
    source.setUser(role);
    source.setPassword("secret");
    // By Flyway, which the limits are for as well.
    Members.install(source);
    database.execute(
        "ALTER ROLE " + role + " SET lock_timeout = 100",
        "ALTER ROLE " + role + " SET statement_timeout = 1000",
        "ALTER ROLE " + role + " SET idle_in_transaction_session_timeout = 1000",
        "ALTER ROLE " + role + " SET idle_session_timeout = 1000",
        "ALTER ROLE " + role + " SET default_transaction_isolation = 'repeatable read'",
        "ALTER ROLE " + role + " SET synchronous_commit = 'off'");
    if (database.server().majorVersion() >= 17) {
      database.execute("ALTER ROLE " + role + " SET transaction_timeout = 2000");
    }
    try (Connection c = source.getConnection();
        Statement s = c.createStatement()) {
      for (String sql : Representative.tables()) {
        s.execute(sql);
      }
    }
    try (WatchedPool pool = new WatchedPool(source)) {
      runsForthAndBack(pool.dataSource());
      assertThat(pool.leaks()).isEmpty();
    }
  }
}
