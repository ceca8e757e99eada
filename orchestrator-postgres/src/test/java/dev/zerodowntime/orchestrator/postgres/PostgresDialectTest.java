package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;

/** What the dialect finds out about server and driver. */
@PostgresTest
class PostgresDialectTest {

  private final TestDatabase db;
  private final PostgresDialect dialect = PostgresDialect.create();

  PostgresDialectTest(TestDatabase db) {
    this.db = db;
  }

  @Test
  void inspects() throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Connection pooled = db.pool(3).getConnection();
        TestDatabase other = TestDatabase.create("other");
        Connection o = other.dataSource().getConnection()) {
      ServerInfo info = dialect.inspect(c);
      assertThat(info.version()).isEqualTo("PostgreSQL " + db.server().version());
      assertThat(info.identity()).matches("system \\d+ / \\d+");
      assertThat(info.incarnation())
          .matches("started \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z");
      assertThat(info.schema()).isEqualTo("public");
      assertThat(info.directSessions()).isTrue();
      assertThat(c.getAutoCommit()).isTrue();
      assertThat(dialect.inspect(pooled)).isEqualTo(info);
      assertThat(dialect.inspect(o).identity()).isNotEqualTo(info.identity());
      assertThat(dialect.inspect(o).incarnation()).isEqualTo(info.incarnation());
      assertThat(db.<String>queryOne("SELECT " + dialect.control().incarnation()))
          .isEqualTo(info.incarnation());
      assertThat(dialect.matches(c.getMetaData().getDatabaseProductName())).isTrue();
    }
    assertThat(dialect.operations())
        .isSortedAccordingTo((a, b) -> a.type().name().compareTo(b.type().name()));
  }

  @Test
  void unprivilegedUserIsEnough() throws SQLException {
    db.execute("DROP ROLE IF EXISTS zdo_plain", "CREATE ROLE zdo_plain");
    db.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public");
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET ROLE zdo_plain");
      assertThat(dialect.inspect(c).identity()).startsWith("database " + db.name() + " / ");
      assertThat(dialect.inspect(c).directSessions()).isTrue();
    } finally {
      db.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO public", "DROP ROLE zdo_plain");
    }
  }

  private void unusable(String option, ErrorCode code, String... parts) throws SQLException {
    PGSimpleDataSource source = db.newDataSource();
    source.setOptions(option);
    try (Connection c = source.getConnection()) {
      assertThatThrownBy(() -> dialect.inspect(c))
          .isInstanceOfSatisfying(
              DatabaseException.class,
              e -> {
                assertThat(e.code()).isEqualTo(code);
                assertThat(e.getMessage()).contains(parts);
              });
      assertThat(c.getAutoCommit()).isTrue();
    }
  }

  @Test
  void unusableServersAreRefused() throws SQLException {
    unusable(
        "-c default_transaction_read_only=on",
        ErrorCode.READ_ONLY_DATABASE,
        "read-only",
        "primary");
    unusable("-c search_path=nowhere", ErrorCode.SQL, "no current schema", "search_path");
    try (Connection c = db.dataSource().getConnection()) {
      c.setReadOnly(true);
      assertThatThrownBy(() -> dialect.inspect(c)).hasMessageContaining("read-only");
    }
  }

  /**
   * Every statement on its own: what a pooler in statement mode amounts to, if it lets BEGIN pass.
   */
  @Test
  void statementPoolingIsRefused() throws SQLException {
    try (Connection real = db.dataSource().getConnection()) {
      Connection pooled =
          (Connection)
              Proxy.newProxyInstance(
                  getClass().getClassLoader(),
                  new Class<?>[] {Connection.class},
                  (proxy, method, args) -> {
                    if (method.getName().equals("setAutoCommit")
                        || method.getName().equals("rollback")) {
                      return null;
                    }
                    try {
                      return method.invoke(real, args);
                    } catch (InvocationTargetException e) {
                      throw e.getCause();
                    }
                  });
      assertThatThrownBy(() -> dialect.inspect(pooled))
          .isInstanceOfSatisfying(
              DatabaseException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_POOLING))
          .hasMessageContaining("pool_mode");
    }
  }

  private DriverInfo driver(java.util.function.Consumer<PGSimpleDataSource> how)
      throws SQLException {
    PGSimpleDataSource source = db.newDataSource();
    how.accept(source);
    try (Connection c = source.getConnection()) {
      return dialect.driver(c);
    }
  }

  @Test
  void driverFacts() throws SQLException {
    DriverInfo plain = driver(s -> {});
    assertThat(plain.rowTypeSafe()).isFalse();
    assertThat(plain.facts()).contains("pgJDBC 42.", "prepareThreshold=5", "autosave=never");
    assertThat(plain.remedy()).contains("autosave=conservative");
    assertThat(driver(s -> s.setPrepareThreshold(0)).rowTypeSafe()).isTrue();
    assertThat(driver(s -> s.setAutosave(AutoSave.CONSERVATIVE)).rowTypeSafe()).isTrue();
    assertThat(driver(s -> s.setAutosave(AutoSave.ALWAYS)).facts()).contains("autosave=always");
    try (Connection pooled = db.pool(2).getConnection()) {
      assertThat(dialect.driver(pooled).facts()).isEqualTo(plain.facts());
    }
    Connection foreign =
        (Connection)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, args) -> {
                  if (method.getName().equals("isWrapperFor")) {
                    return false;
                  }
                  try (Connection c = db.dataSource().getConnection()) {
                    return method.invoke(c, args);
                  }
                });
    DriverInfo unknown = dialect.driver(foreign);
    assertThat(unknown.rowTypeSafe()).isFalse();
    assertThat(unknown.facts()).contains("not pgJDBC");
  }

  @Test
  void errorsOfTheRealDriver() throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Connection killer = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      assertThat(kind(s, "SELECT * FROM nowhere.nothing")).isEqualTo(SqlErrorKind.UNDEFINED_TABLE);
      assertThat(kind(s, "SELECT * FROM nothing")).isEqualTo(SqlErrorKind.UNDEFINED_TABLE);
      assertThat(kind(s, "SET statement_timeout = 1; SELECT pg_sleep(1)"))
          .isEqualTo(SqlErrorKind.CANCELLED);
      s.execute("SET statement_timeout = 0");
      try (Statement k = killer.createStatement()) {
        int pid = c.unwrap(org.postgresql.PGConnection.class).getBackendPID();
        k.execute("SELECT pg_terminate_backend(" + pid + ", 1000)");
      }
      assertThat(kind(s, "SELECT 1")).isEqualTo(SqlErrorKind.CONNECTION_LOST);
      assertThat(kind(s, "SELECT 1")).isEqualTo(SqlErrorKind.CONNECTION_LOST);
    }
    PGSimpleDataSource nobody = db.newDataSource();
    nobody.setPortNumbers(new int[] {1});
    assertThatThrownBy(nobody::getConnection)
        .isInstanceOfSatisfying(
            SQLException.class,
            e -> assertThat(dialect.classify(e)).isEqualTo(SqlErrorKind.CONNECTION_LOST));
  }

  private SqlErrorKind kind(Statement s, String sql) {
    try {
      s.execute(sql);
      return null;
    } catch (SQLException e) {
      return dialect.classify(e);
    }
  }
}
