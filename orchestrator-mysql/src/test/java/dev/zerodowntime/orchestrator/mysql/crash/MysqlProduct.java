package dev.zerodowntime.orchestrator.mysql.crash;

import com.mysql.cj.jdbc.JdbcConnection;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlSpelling;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.testing.Spelling;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import dev.zerodowntime.orchestrator.testing.crash.Server;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;

/** A MySQL or MariaDB, for the proofs that all databases have in common. */
public final class MysqlProduct implements Product {

  /** Those that say what was done last, not how the session is set. */
  private static final Set<String> NO_SETTINGS =
      Set.of(
          "timestamp",
          "last_insert_id",
          "identity",
          "insert_id",
          "pseudo_thread_id",
          "pseudo_slave_mode",
          "rand_seed1",
          "rand_seed2",
          "warning_count",
          "error_count",
          "last_gtid",
          "gtid_seq_no",
          "statement_id");

  private final MysqlServer server;
  private final Spelling sql = new MysqlSpelling();

  public MysqlProduct(MysqlServer server) {
    this.server = server;
  }

  @Override
  public String title() {
    return server.series().split(" ")[0] + " " + server.version();
  }

  @Override
  public Spelling sql() {
    return sql;
  }

  @Override
  public String control(String table) {
    return "zdo_" + table;
  }

  @Override
  public Map<String, String> keys() {
    String texts = "CONCAT(CASE i % 3 WHEN 0 THEN 'Ä' WHEN 1 THEN 'a' ELSE 'Z' END, i)";
    Map<String, String> keys = new LinkedHashMap<>();
    keys.put("k bigint PRIMARY KEY", "(i - 200) * 3000000000");
    keys.put("k bigint unsigned PRIMARY KEY", "18446744073709551615 - i");
    keys.put("k varbinary(16) PRIMARY KEY", "UNHEX(LEFT(SHA2(i, 256), 32))");
    keys.put("k varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY", texts);
    keys.put("k varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY", texts);
    keys.put("l varchar(9) DEFAULT 'x', k decimal(12, 4), PRIMARY KEY (l, k)", "i / 7.0");
    keys.put("k datetime(6) PRIMARY KEY", "'2020-01-31 10:00:00' + INTERVAL i MONTH");
    return keys;
  }

  @Override
  public List<Subject<?>> subjects() {
    return new MysqlSubjects(server).all();
  }

  /** Making tables takes long, and there are two servers. */
  @Override
  public int days() {
    return 3;
  }

  @Override
  public List<String> tables() {
    return MysqlApplication.tables();
  }

  @Override
  public String insert(Subject.Row row, long from, long to) {
    return "INSERT INTO users (%s) SELECT %s FROM (%s) numbers"
        .formatted(row.columns(), row.values(), MysqlApplication.numbers(from, to));
  }

  @Override
  public List<StageSpan> stages(Migration<?> migration) {
    String operation = migration.lifecycle().operation();
    return MysqlSubjects.operations(server).stream()
        .filter(each -> each.type().name().equals(operation))
        .findFirst()
        .map(each -> stages(each, migration))
        .orElseThrow();
  }

  @SuppressWarnings("unchecked")
  private static <M extends Migration<?>> List<StageSpan> stages(
      OperationSupport<M> support, Migration<?> migration) {
    return support.stages((M) migration, Map.of());
  }

  @Override
  public List<String> analyze() {
    return List.of("ANALYZE TABLE users");
  }

  @Override
  public DataSource dataSource(String database) {
    return server.dataSource(database);
  }

  @Override
  public long session(Connection raw) throws SQLException {
    return raw.unwrap(JdbcConnection.class).getId();
  }

  @Override
  public Server server() throws SQLException {
    return new MysqlHand(server);
  }

  /** What ends half-way is undone by the server: nothing has remainders. */
  @Override
  public Optional<String> holdsUp(String sql) {
    return Optional.empty();
  }

  @Override
  public List<String> settings(Connection raw) throws SQLException {
    List<String> settings = new ArrayList<>();
    try (Statement statement = raw.createStatement()) {
      try (ResultSet row = statement.executeQuery("SHOW SESSION VARIABLES")) {
        while (row.next()) {
          String name = row.getString(1);
          if (!NO_SETTINGS.contains(name) && !name.startsWith("gtid")) {
            settings.add(name + " = " + row.getString(2));
          }
        }
      }
      try (ResultSet row = statement.executeQuery("SELECT RELEASE_ALL_LOCKS()")) {
        row.next();
        settings.add("session locks: " + row.getLong(1));
      }
    }
    return settings;
  }

  @Override
  public List<String> dump(Statement statement, Dump.Part part) throws SQLException {
    return MysqlReadings.of(server, statement, part);
  }
}
