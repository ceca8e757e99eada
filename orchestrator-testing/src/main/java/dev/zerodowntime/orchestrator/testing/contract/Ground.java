package dev.zerodowntime.orchestrator.testing.contract;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.testing.Spelling;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.sql.DataSource;

/** A test's own database, its pool, and the processes that run against it. */
final class Ground implements AutoCloseable {

  static final String APPLICATION = "billing";
  private static final int MANY = 30;

  private final Product product;
  private final String name;
  private final Environment environment;
  private final HikariDataSource pool;

  Ground(Product product, String name, Environment environment) {
    this.product = product;
    this.name = name;
    this.environment = environment;
    HikariConfig config = new HikariConfig();
    config.setDataSource(product.dataSource(name));
    config.setMaximumPoolSize(MANY);
    config.setMinimumIdle(0);
    config.setPoolName(name);
    pool = new HikariDataSource(config);
  }

  String name() {
    return name;
  }

  DataSource pool() {
    return pool;
  }

  Spelling sql() {
    return product.sql();
  }

  String control(String table) {
    return product.control(table);
  }

  /** Durations short enough for tests; nothing asserts how long anything takes. */
  static Timing quick(Timing timing) {
    return timing
        .heartbeat(Duration.ofSeconds(5), Duration.ofMinutes(10))
        .soak(Duration.ZERO)
        .horizon(Duration.ZERO)
        .drain(Duration.ZERO)
        .startupBudget(Duration.ofSeconds(20))
        .lockBudget(Duration.ofSeconds(5))
        .lease(Duration.ofMillis(300))
        .retryPause(Duration.ofMillis(10))
        .tick(Duration.ofMillis(50));
  }

  /** A process without a background thread: the test says when it drives. */
  OrchestratorBuilder member(String release) {
    OrchestratorBuilder builder =
        Orchestrator.builder(pool)
            .application(APPLICATION)
            .release(release)
            .background(false)
            .environment(environment)
            .backupGate((migration, drops) -> true);
    return environment == Environment.DEVELOPMENT
        ? builder.developmentOnExistingRows()
        : builder.noStarQueries().timing(Ground::quick);
  }

  /** One that drives and isn't counted. */
  OrchestratorBuilder job() {
    return member("job").role(Role.DRIVER);
  }

  /** Runs statements one after the other, each committed on its own. */
  void execute(Collection<String> statements) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  void execute(String... statements) throws SQLException {
    execute(List.of(statements));
  }

  /** All rows as texts, each its columns between bars. */
  List<String> rows(String sql) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      int columns = row.getMetaData().getColumnCount();
      List<String> rows = new ArrayList<>();
      while (row.next()) {
        List<String> texts = new ArrayList<>(columns);
        for (int i = 1; i <= columns; i++) {
          texts.add(row.getString(i));
        }
        rows.add(String.join("|", texts.stream().map(String::valueOf).toList()));
      }
      return rows;
    }
  }

  /** The number in the only row. */
  long number(String sql) throws SQLException {
    return Long.parseLong(rows(sql).get(0));
  }

  List<String> dump(Dump.Part part) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      return product.dump(statement, part);
    }
  }

  /**
   * Every definition that is the application's, line by line: what is in quarantine, and what keeps
   * it, has names of ours, and where a column stands is no part of what a table is.
   */
  List<String> shape() throws SQLException {
    return shape(List.of());
  }

  /** The same, without what is about these tables. */
  List<String> shape(List<String> without) throws SQLException {
    List<String> quoted = without.stream().map(sql()::quoted).toList();
    return dump(Dump.Part.CATALOG).stream()
        .filter(each -> without.stream().noneMatch(each::contains))
        .filter(each -> quoted.stream().noneMatch(each::contains))
        .filter(each -> !each.split("\n", 2)[0].contains("zdo_"))
        .flatMap(each -> Stream.of(each.split("\n")))
        .map(each -> each.strip().replaceFirst(",$", ""))
        .filter(each -> !each.contains("zdo_") && !each.contains("orchestrator"))
        .sorted()
        .toList();
  }

  /** The columns of each of these tables, as far as there are such tables. */
  Map<String, List<String>> columns(Collection<String> tables) throws SQLException {
    Map<String, List<String>> columns = new TreeMap<>();
    try (Connection connection = pool.getConnection()) {
      for (String table : tables) {
        List<String> names = new ArrayList<>();
        try (ResultSet row =
            connection
                .getMetaData()
                .getColumns(connection.getCatalog(), connection.getSchema(), table, "%")) {
          while (row.next()) {
            names.add(sql().quoted(row.getString("COLUMN_NAME")));
          }
        }
        if (!names.isEmpty()) {
          columns.put(table, names);
        }
      }
    }
    return columns;
  }

  /** What those columns hold, in the order of the texts. */
  List<String> content(Map<String, List<String>> columns) throws SQLException {
    List<String> content = new ArrayList<>();
    for (Map.Entry<String, List<String>> each : columns.entrySet()) {
      rows("SELECT " + String.join(", ", each.getValue()) + " FROM " + sql().quoted(each.getKey()))
          .stream()
          .map(row -> each.getKey() + ": " + row)
          .sorted()
          .forEach(content::add);
    }
    return content;
  }

  static MigrationReport of(Orchestrator process, String id) {
    return process.status().migrations().stream()
        .filter(each -> each.id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {
    pool.close();
  }
}
