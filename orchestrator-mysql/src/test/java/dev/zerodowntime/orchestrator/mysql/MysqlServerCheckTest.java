package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlServerCheckTest {

  private static void refused(
      ThrowingCallable what, ErrorCode code, String problem, String remedy) {
    assertThatThrownBy(what)
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy)
        .extracting(e -> ((DatabaseException) e).code())
        .isEqualTo(code);
  }

  @ParameterizedTest
  @EnumSource
  void saysWhatItIs(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase database = MysqlDatabase.create(server, "check");
        Connection c = database.dataSource().getConnection()) {
      ServerInfo info = MysqlServerCheck.inspect(c);

      assertThat(info.version()).contains(server.version());
      assertThat(info.schema()).isEqualTo(database.name());
      assertThat(info.identity()).isEqualTo("database " + database.name());
      assertThat(info.directSessions()).isTrue();
      assertThat(ServerSettings.read(c).cluster().clustered()).isFalse();
    }
  }

  /** A user without any global right reads the same, over several seconds' boundaries. */
  @ParameterizedTest
  @EnumSource
  void theIncarnationIsTheSameInEveryStatement(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase database = MysqlDatabase.create(server, "incarnation")) {
      String user = "u" + database.name().hashCode();
      database.execute(
          "CREATE USER '" + user + "' IDENTIFIED BY 'x'",
          "GRANT SELECT ON " + database.name() + ".* TO '" + user + "'");
      MysqlDataSource source = server.dataSource(database.name());
      source.setUser(user);
      source.setPassword("x");
      Set<String> seen = new HashSet<>();
      Set<String> seconds = new HashSet<>();
      try (Connection c = source.getConnection();
          Statement s = c.createStatement()) {
        String sql =
            "SELECT " + Incarnation.sql(MysqlVersion.of(c)) + ", UNIX_TIMESTAMP(), SLEEP(0.0001)";
        while (seconds.size() < 4) {
          try (ResultSet row = s.executeQuery(sql)) {
            row.next();
            seen.add(row.getString(1));
            seconds.add(row.getString(2));
          }
        }
        s.execute("SET timestamp = 1000");
        try (ResultSet row = s.executeQuery(sql)) {
          row.next();
          seen.add(row.getString(1));
        }
        assertThat(MysqlServerCheck.inspect(c).incarnation()).isIn(seen);
      } finally {
        database.execute("DROP USER '" + user + "'");
      }
      assertThat(seen).hasSize(1).allMatch(each -> each.matches(".+ \\d{10}"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void noDatabaseIsRefused(Flavor flavor) throws Exception {
    try (Connection c = MysqlServer.get(flavor).dataSource(null).getConnection()) {
      refused(
          () -> MysqlServerCheck.inspect(c),
          ErrorCode.SQL,
          "no current database",
          "jdbc:mysql://host/database");
    }
  }

  @ParameterizedTest
  @EnumSource
  void quotingModesAreFine(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase database = MysqlDatabase.create(server, "modes");
        Connection c =
            server
                .dataSource(
                    database.name(),
                    "sessionVariables=sql_mode='STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
                .getConnection()) {
      assertThat(MysqlServerCheck.inspect(c).schema()).isEqualTo(database.name());
      try (Statement s = c.createStatement();
          ResultSet row = s.executeQuery("SELECT " + Sql.literal("a\\'\"b"))) {
        row.next();
        assertThat(row.getString(1)).isEqualTo("a\\'\"b");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void settingsThatChangeMeaningsAreRefused(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase database = MysqlDatabase.create(server, "settings")) {
      Map<String, String> cases =
          Map.of(
              "SET sql_mode = 'NO_ENGINE_SUBSTITUTION'", "without a strict mode",
              "SET sql_mode = 'STRICT_ALL_TABLES,HIGH_NOT_PRECEDENCE'", "HIGH_NOT_PRECEDENCE",
              "SET sql_auto_is_null = 1", "sql_auto_is_null=ON",
              "SET NAMES latin1", "character_set_client is latin1");
      for (Map.Entry<String, String> each : cases.entrySet()) {
        try (Connection c = database.dataSource().getConnection();
            Statement s = c.createStatement()) {
          s.execute(each.getKey());
          refused(
              () -> MysqlServerCheck.inspect(c),
              ErrorCode.UNSUPPORTED_SETTING,
              each.getValue(),
              "");
        }
      }
      try (Connection c = database.dataSource().getConnection()) {
        c.setReadOnly(true);
        refused(
            () -> MysqlServerCheck.inspect(c),
            ErrorCode.READ_ONLY_DATABASE,
            "transaction_read_only=ON",
            "setReadOnly(false)");
      }
      try (Connection c = database.dataSource().getConnection();
          Statement s = c.createStatement()) {
        s.execute("SET SESSION TRANSACTION READ ONLY");
        refused(
            () -> MysqlServerCheck.inspect(c),
            ErrorCode.READ_ONLY_DATABASE,
            "transaction_read_only=ON",
            "setReadOnly(false)");
      }
    }
  }

  @Test
  void statementBasedBinlogIsRefused() throws Exception {
    MysqlServer server = MysqlServer.get(Flavor.MYSQL);
    try (MysqlDatabase database = MysqlDatabase.create(server, "binlog");
        Connection c = database.dataSource().getConnection();
        Statement s = c.createStatement()) {
      s.execute("SET binlog_format = 'STATEMENT'");
      refused(
          () -> MysqlServerCheck.inspect(c),
          ErrorCode.UNSUPPORTED_SETTING,
          "binlog_format=STATEMENT",
          "binlog_format = ROW");
      // What it is refused for.
      s.execute("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB");
      s.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
      assertThatThrownBy(() -> s.execute("INSERT INTO t VALUES (1)"))
          .isInstanceOf(SQLException.class)
          .extracting(e -> ((SQLException) e).getErrorCode())
          .isEqualTo(1665);
    }
  }

  @ParameterizedTest
  @CsvSource({"read_only,ON", "super_read_only,ON", "read_only,NO_LOCK", "innodb_read_only,ON"})
  void aServerThatDoesNotWriteIsRefused(String variable, String value) {
    refused(
        () -> MysqlServerCheck.requireWritable(new ServerSettings(Map.of(variable, value))),
        ErrorCode.READ_ONLY_DATABASE,
        variable + "=" + value,
        "primary");
  }

  @Test
  void anOfflineServerIsRefused() {
    refused(
        () -> MysqlServerCheck.requireWritable(new ServerSettings(Map.of("offline_mode", "ON"))),
        ErrorCode.READ_ONLY_DATABASE,
        "offline_mode=ON",
        "offline_mode = OFF");
  }

  @Test
  void clustersAreKnown() {
    assertThat(new ServerSettings(Map.of("wsrep_on", "ON")).cluster().what()).contains("Galera");
    assertThat(
            new ServerSettings(
                    Map.of(
                        "group_replication_group_name", "g",
                        "group_replication_single_primary_mode", "OFF"))
                .cluster())
        .isEqualTo(new ServerSettings.Cluster(true, "Group Replication (multi primary, group g)"));
  }

  @ParameterizedTest
  @CsvSource({
    "8.0.31,MySQL,may lose rows",
    "8.0.28,MySQL,8.0.28",
    "5.7.44,MySQL,5.7.44",
    "10.5.9-MariaDB,MariaDB,10.6"
  })
  void oldServersAreRefused(String version, String comment, String named) {
    refused(
        () -> MysqlServerCheck.requireSupported(MysqlVersion.of(version, comment, true)),
        ErrorCode.UNSUPPORTED_SERVER,
        named,
        "or newer");
  }

  @ParameterizedTest
  @CsvSource({"8.0.32,MySQL", "8.4.7,MySQL", "9.7.4,MySQL", "10.6.0-MariaDB,x", "11.8.2-MariaDB,x"})
  void othersAreNot(String version, String comment) {
    MysqlServerCheck.requireSupported(MysqlVersion.of(version, comment, true));
  }
}
