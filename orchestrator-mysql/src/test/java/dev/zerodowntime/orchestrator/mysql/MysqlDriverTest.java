package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver's options do to code whose table changes, and what is said of them. */
class MysqlDriverTest {

  /** What an executed statement reads as column b once others have changed the table. */
  private static String star(MysqlServer server, String options, String... changes)
      throws Exception {
    try (MysqlDatabase database = MysqlDatabase.create(server, "star")) {
      database.execute(
          "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9))",
          "INSERT INTO t VALUES (1, 'a', 'b')");
      try (Connection c = server.dataSource(database.name(), options).getConnection();
          PreparedStatement star = c.prepareStatement("SELECT * FROM t WHERE id = ?")) {
        star.setInt(1, 1);
        star.executeQuery().close();
        database.execute(changes);
        try (ResultSet row = star.executeQuery()) {
          row.next();
          return row.getString("b");
        }
      }
    }
  }

  private static DriverInfo info(MysqlServer server, String options) throws Exception {
    try (Connection c = server.dataSource("mysql", options).getConnection()) {
      return MysqlDriver.info(c);
    }
  }

  private static final String ADD = "ALTER TABLE t ADD COLUMN n VARCHAR(9) DEFAULT 'new'";
  private static final String DROP = "ALTER TABLE t DROP COLUMN a";

  @ParameterizedTest
  @EnumSource
  void textStatementsAreSafe(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    for (String options : new String[] {"", "cachePrepStmts=true", "allowMultiQueries=true"}) {
      assertThat(star(server, options, ADD, DROP)).isEqualTo("b");
      DriverInfo info = info(server, options);
      assertThat(info.rowTypeSafe()).isTrue();
      assertThat(info.facts()).contains("Connector/J").contains("useServerPrepStmts=false");
    }
  }

  @ParameterizedTest
  @EnumSource
  void statementsPreparedOnTheServerAreNot(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    for (String options : new String[] {"useServerPrepStmts=true", "useCursorFetch=true"}) {
      assertThatThrownBy(() -> star(server, options, ADD)).isInstanceOf(SQLException.class);
      assertThat(star(server, options, ADD + " INVISIBLE")).isEqualTo("b");
      DriverInfo info = info(server, options);
      assertThat(info.rowTypeSafe()).isFalse();
      assertThat(info.facts()).contains(options);
      assertThat(info.remedy()).contains("useServerPrepStmts").contains("useCursorFetch");
    }
  }

  @ParameterizedTest
  @EnumSource
  void cachedMetadataReadsWrongColumnsAndIsRefused(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    assertThat(star(server, "cacheResultSetMetadata=true", ADD, DROP)).isEqualTo("new");
    assertThatThrownBy(() -> info(server, "cacheResultSetMetadata=true"))
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining("cacheResultSetMetadata=true")
        .hasMessageContaining("wrong names")
        .extracting(e -> ((DatabaseException) e).code())
        .isEqualTo(ErrorCode.UNSUPPORTED_SETTING);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "useAffectedRows",
        "autoReconnect",
        "autoReconnectForPools",
        "cacheResultSetMetadata"
      })
  void optionsThatChangeOurStatementsAreRefusedBehindAPoolToo(String option) throws Exception {
    for (Flavor flavor : Flavor.values()) {
      MysqlServer server = MysqlServer.get(flavor);
      try (HikariDataSource pool = new HikariDataSource()) {
        pool.setDataSource(server.dataSource("mysql", option + "=true"));
        pool.setMaximumPoolSize(1);
        try (Connection c = pool.getConnection()) {
          assertThatThrownBy(() -> MysqlServerCheck.inspect(c))
              .isInstanceOf(DatabaseException.class)
              .hasMessageContaining(option + "=true")
              .hasMessageContaining("Take " + option + " out of the JDBC URL");
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theSessionIsKnownBehindAPool(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setDataSource(server.dataSource("mysql"));
      pool.setMaximumPoolSize(1);
      try (Connection c = pool.getConnection();
          ResultSet row = c.createStatement().executeQuery("SELECT CONNECTION_ID()")) {
        row.next();
        assertThat(MysqlDriver.session(c)).isEqualTo(row.getString(1));
        assertThat(MysqlDriver.info(c).rowTypeSafe()).isTrue();
      }
    }
  }

  /** Options that were tried and do no harm. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "rewriteBatchedStatements=true",
        "allowMultiQueries=true",
        "useServerPrepStmts=true&cachePrepStmts=true",
        "useLocalSessionState=true&elideSetAutoCommits=true",
        "zeroDateTimeBehavior=CONVERT_TO_NULL",
        "emptyStringsConvertToZero=false",
        "tinyInt1isBit=false"
      })
  void otherOptionsAreFine(String options) throws Exception {
    for (Flavor flavor : Flavor.values()) {
      MysqlServer server = MysqlServer.get(flavor);
      try (Connection c = server.dataSource("mysql", options).getConnection()) {
        assertThat(MysqlServerCheck.inspect(c).directSessions()).isTrue();
      }
    }
  }
}
