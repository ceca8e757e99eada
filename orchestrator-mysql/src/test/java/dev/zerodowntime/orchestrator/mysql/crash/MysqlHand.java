package dev.zerodowntime.orchestrator.mysql.crash;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.crash.Server;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends sessions of a MySQL or MariaDB, and makes databases from others, object by object: the
 * server has no word for it.
 */
final class MysqlHand implements Server {

  private static final int NO_SUCH_THREAD = 1094;

  /** Stands for the name that control tables will have. */
  private static final String IS = "{is}";

  private final MysqlServer server;
  private final String processes;
  private final Connection connection;

  /** The one that is played in: objects' names are made from its name. */
  private String stage;

  /** Where what was kept comes from. */
  private final Map<String, String> origins = new HashMap<>();

  /** What was read of databases that nobody changes any more. */
  private final Map<String, Original> originals = new HashMap<>();

  MysqlHand(MysqlServer server) throws SQLException {
    this.server = server;
    this.processes = processes(server);
    this.connection = server.dataSource(null).getConnection();
  }

  /** The list of sessions; the old one of MySQL stops all others while it is read. */
  static String processes(MysqlServer server) {
    return server.flavor() == MysqlServer.Flavor.MYSQL
        ? "performance_schema.processlist"
        : "information_schema.processlist";
  }

  @Override
  public String create() throws SQLException {
    return create(Names.next());
  }

  private String create(String name) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name + " CHARACTER SET utf8mb4");
    }
    return name;
  }

  @Override
  public String copy(String template) throws SQLException {
    Original original = originals.get(template);
    if (original == null) {
      original = read(template, origins.getOrDefault(template, template));
      originals.put(template, original);
    }
    if (stage == null) {
      stage = create(Names.next());
    }
    write(original, stage, stage);
    return stage;
  }

  @Override
  public String keep(String copy) throws SQLException {
    String kept = create(Names.next());
    origins.put(kept, copy);
    write(read(copy, copy), copy, kept);
    return kept;
  }

  /**
   * A database as statements.
   *
   * @param name its name
   * @param tables what makes each table
   * @param rows the columns of each table that has rows, and what they are filled with
   * @param rest what makes views and triggers
   */
  private record Original(
      String name, Map<String, String> tables, Map<String, Filling> rows, List<String> rest) {}

  private record Filling(String columns, String values) {}

  private Original read(String template, String was) throws SQLException {
    awaitNone("SELECT count(*) FROM " + processes + " WHERE db = ?", template);
    Map<String, String> tables = new LinkedHashMap<>();
    Map<String, Filling> rows = new LinkedHashMap<>();
    List<String> rest = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      for (String table : tables(statement, template, "BASE TABLE")) {
        tables.put(table, shown(statement, "TABLE", template, table, 2));
        if (!list(statement, "SELECT 1 FROM " + template + "." + quote(table) + " LIMIT 1")
            .isEmpty()) {
          String columns = columns(statement, template, table, "");
          // Here the database is the schema, by whose name the control tables know it.
          rows.put(
              table,
              new Filling(
                  columns,
                  ours(table)
                      ? columns(statement, template, table, "''" + was + "'', ''" + IS + "''")
                      : columns));
        }
      }
      for (String view : tables(statement, template, "VIEW")) {
        rest.add(shown(statement, "VIEW", template, view, 2));
      }
      for (String trigger : triggers(statement, template)) {
        rest.add(shown(statement, "TRIGGER", template, trigger, 3));
      }
    }
    return new Original(template, tables, rows, rest);
  }

  private static boolean ours(String table) {
    return table.startsWith("zdo_");
  }

  /**
   * Makes a database what the original is. Control tables are emptied where they are the same, for
   * making a table takes long; the application's are new, as an altered table remembers how often
   * it was.
   *
   * @param is the name that the control tables have from now on
   * @param name the database
   */
  private void write(Original original, String is, String name) throws SQLException {
    // A session of its own, for it ignores what refers to tables that are still to come.
    try (Connection fresh = server.dataSource(name).getConnection();
        Statement statement = fresh.createStatement()) {
      statement.execute(
          "SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode ="
              + " CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')");
      Set<String> left = cleared(statement, original, name);
      for (Map.Entry<String, String> table : original.tables().entrySet()) {
        if (!left.contains(table.getKey())) {
          statement.execute(table.getValue());
        }
      }
      fresh.setAutoCommit(false);
      for (String table : left) {
        statement.execute("DELETE FROM " + quote(table));
      }
      for (Map.Entry<String, Filling> each : original.rows().entrySet()) {
        String table = quote(each.getKey());
        statement.execute(
            "INSERT INTO %s (%s) SELECT %s FROM %s.%s"
                .formatted(
                    table,
                    each.getValue().columns(),
                    each.getValue().values().replace(IS, is),
                    original.name(),
                    table));
      }
      fresh.commit();
      fresh.setAutoCommit(true);
      for (String each : original.rest()) {
        statement.execute(each.replace(quote(original.name()), quote(name)));
      }
    }
  }

  /** Drops whatever is not as in the original; what is left has rows that may differ. */
  private static Set<String> cleared(Statement statement, Original original, String name)
      throws SQLException {
    for (String view : tables(statement, name, "VIEW")) {
      statement.execute("DROP VIEW " + quote(view));
    }
    Set<String> left = new LinkedHashSet<>();
    List<String> others = new ArrayList<>();
    for (String table : tables(statement, name, "BASE TABLE")) {
      if (ours(table)
          && shown(statement, "TABLE", name, table, 2).equals(original.tables().get(table))) {
        left.add(table);
      } else {
        others.add(quote(table));
      }
    }
    if (!others.isEmpty()) {
      statement.execute("DROP TABLE " + String.join(", ", others));
    }
    return left;
  }

  static List<String> tables(Statement statement, String database, String type)
      throws SQLException {
    return list(
        statement,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '"
            + database
            + "' AND table_type = '"
            + type
            + "' ORDER BY 1");
  }

  static List<String> triggers(Statement statement, String database) throws SQLException {
    return list(
        statement,
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '"
            + database
            + "' ORDER BY event_object_table, event_manipulation, action_timing, action_order");
  }

  /**
   * The columns that take values, quoted; hidden ones as well.
   *
   * @param renamed two literals: what is replaced in texts, and by what; empty to leave them
   */
  static String columns(Statement statement, String database, String table, String renamed)
      throws SQLException {
    String quoted = "CONCAT('`', REPLACE(column_name, '`', '``'), '`')";
    String each =
        renamed.isEmpty()
            ? quoted
            : ("IF(collation_name IS NULL, %s, CONCAT('REPLACE(', %s, ', %s)'))")
                .formatted(quoted, quoted, renamed);
    return String.join(
        ", ",
        list(
            statement,
            "SELECT "
                + each
                + " FROM"
                + " information_schema.columns WHERE table_schema = '"
                + database
                + "' AND table_name = '"
                + table.replace("'", "''")
                + "' AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position"));
  }

  /** What SHOW CREATE says. */
  static String shown(Statement statement, String kind, String database, String name, int column)
      throws SQLException {
    try (ResultSet row =
        statement.executeQuery("SHOW CREATE " + kind + " " + database + "." + quote(name))) {
      row.next();
      return row.getString(column);
    }
  }

  static List<String> list(Statement statement, String sql) throws SQLException {
    List<String> list = new ArrayList<>();
    try (ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        list.add(row.getString(1));
      }
    }
    return list;
  }

  static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  @Override
  public void drop(String database) throws SQLException {
    originals.remove(database);
    if (database.equals(stage)) {
      // The next copy takes its place.
      return;
    }
    try (Statement statement = connection.createStatement()) {
      statement.execute("DROP DATABASE IF EXISTS " + database);
    }
  }

  @Override
  public void end(long session) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("KILL CONNECTION " + session);
    } catch (SQLException e) {
      if (e.getErrorCode() != NO_SUCH_THREAD) {
        throw e;
      }
    }
    // It goes from the list when its transaction and its locks are gone.
    awaitNone("SELECT count(*) FROM " + processes + " WHERE id = ?", session);
  }

  @Override
  public void awaitWaiting(long session) throws SQLException {
    await(
        "SELECT count(*) FROM "
            + processes
            + " WHERE state = 'Waiting for table metadata lock' AND id = ?",
        session,
        1);
  }

  private void awaitNone(String sql, Object parameter) throws SQLException {
    await(sql, parameter, 0);
  }

  private void await(String sql, Object parameter, long wanted) throws SQLException {
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (count(sql, parameter) != wanted) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("not " + wanted + " after 30 s: " + sql + " " + parameter);
      }
      LockSupport.parkNanos(300_000);
    }
  }

  private long count(String sql, Object parameter) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, parameter);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("DROP DATABASE IF EXISTS " + stage);
    }
    connection.close();
  }
}
