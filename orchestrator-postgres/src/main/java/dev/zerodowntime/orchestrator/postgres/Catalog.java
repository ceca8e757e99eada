package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Reads the catalog for a preflight check, and refuses by name.
 *
 * <p>Read with only pg_catalog on the search path: so expressions and types come fully qualified,
 * and mean the same to whoever executes them later.
 */
final class Catalog {

  private final String migration;
  private final Policy policy;
  private final Target target;
  private final Connection connection;
  private final String searchPath;

  /**
   * A reader.
   *
   * @param migration the migration that is checked
   * @param target where
   * @param connection in the transaction of the preflight check
   */
  Catalog(Migration<?> migration, Target target, Connection connection) throws SQLException {
    this.migration = migration.id();
    this.policy = migration.policy();
    this.target = target;
    this.connection = connection;
    this.searchPath = text("SELECT current_setting('search_path')");
  }

  Connection connection() {
    return connection;
  }

  /**
   * The driver's own, for statements that the server may refuse. Pools close theirs on errors that
   * they take for fatal, among them "feature not supported" (0A000), of which nothing is broken.
   */
  Connection drivers() throws SQLException {
    return connection.isWrapperFor(Connection.class)
        ? connection.unwrap(Connection.class)
        : connection;
  }

  String migration() {
    return migration;
  }

  Policy policy() {
    return policy;
  }

  Target target() {
    return target;
  }

  /** One row of a result. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /**
   * All rows of a query on the catalog. Parameters are texts, {@code Long}s or {@code Integer}s.
   */
  <T> List<T> list(String sql, Row<T> reader, Object... parameters) throws SQLException {
    path("pg_catalog, pg_temp");
    List<T> rows = Rows.of(connection, sql, reader, parameters);
    // Where the query failed, so did the transaction, and the setting with it.
    path(searchPath);
    return rows;
  }

  private void path(String value) throws SQLException {
    try (PreparedStatement set =
        connection.prepareStatement("SELECT set_config('search_path', ?, true)")) {
      set.setString(1, value);
      set.executeQuery().close();
    }
  }

  /** The first column of the only row, with the search path of the connection. */
  final String text(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return String.valueOf(row.getString(1));
    }
  }

  /** A column of type text[] or name[]. */
  static List<String> texts(ResultSet row, int column) throws SQLException {
    Array array = row.getArray(column);
    return array == null ? List.of() : List.copyOf(Arrays.asList((String[]) array.getArray()));
  }

  /**
   * Executes statements that prove something, and takes them back.
   *
   * @return what the server said against them, if anything
   */
  Optional<SQLException> attempt(String... statements) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try (Statement statement = drivers().createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
      return Optional.empty();
    } catch (SQLException e) {
      if (PostgresErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
        throw e;
      }
      return Optional.of(e);
    } finally {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
    }
  }

  /** The schemas that unqualified names are looked up in, then the target schema; quoted. */
  List<String> path() throws SQLException {
    List<String> path = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT current_schemas(false)")) {
      row.next();
      texts(row, 1).forEach(schema -> path.add(Sql.quote(schema)));
    }
    if (!path.contains(Sql.quote(target.schema()))) {
      path.add(Sql.quote(target.schema()));
    }
    return path;
  }

  /** A refusal. */
  RefusedException refuse(String problem, String remedy) {
    return new RefusedException(ErrorCode.REFUSED, migration, problem, remedy);
  }

  /** A refusal for want of a privilege. */
  RefusedException forbid(String problem, String remedy) {
    return new RefusedException(ErrorCode.MISSING_PRIVILEGE, migration, problem, remedy);
  }

  /** The table: an ordinary one, that we may alter. */
  CatalogTable table(String name) throws SQLException {
    return CatalogTable.read(this, name, false);
  }

  /** The table: an ordinary or a partitioned one, that we may alter. */
  CatalogTable tableOrPartitioned(String name) throws SQLException {
    return CatalogTable.read(this, name, true);
  }

  /** The columns of a table, in order. */
  List<CatalogColumn> columns(CatalogTable table) throws SQLException {
    return CatalogColumn.read(this, table);
  }

  /** A column by name. */
  Optional<CatalogColumn> find(CatalogTable table, String column) throws SQLException {
    return columns(table).stream().filter(each -> each.name().equals(column)).findFirst();
  }

  /** A column that must be there. */
  CatalogColumn column(CatalogTable table, String column) throws SQLException {
    List<CatalogColumn> columns = columns(table);
    for (CatalogColumn each : columns) {
      if (each.name().equals(column)) {
        return each;
      }
    }
    throw refuse(
        "table " + table.display() + " has no column \"" + column + "\"",
        "Its columns are "
            + columns.stream().map(CatalogColumn::name).toList()
            + "; names are taken literally, upper and lower case included.");
  }

  /**
   * The key that a backfill walks along: the primary key, or else a unique index that is just as
   * good.
   *
   * @throws RefusedException if there is none
   */
  List<Scan.KeyColumn> key(CatalogTable table) throws SQLException {
    return key(table, "a backfill");
  }

  /**
   * The same.
   *
   * @param who what walks along it, for the message
   */
  List<Scan.KeyColumn> key(CatalogTable table, String who) throws SQLException {
    List<CatalogColumn> columns = columns(table);
    for (CatalogIndex index : indexes(table)) {
      if (index.identifiesRows(columns)) {
        List<Scan.KeyColumn> key = new ArrayList<>();
        for (String name : index.keyColumns()) {
          columns.stream()
              .filter(column -> column.name().equals(name))
              .forEach(column -> key.add(new Scan.KeyColumn(Sql.quote(name), column.type())));
        }
        return key;
      }
    }
    throw refuse(
        "table "
            + table.display()
            + " has no primary key, and "
            + who
            + " needs one to go through its rows in batches",
        "Add a primary key, or a unique index over NOT NULL columns that is neither partial nor"
            + " deferrable nor over expressions.");
  }

  /** The indexes of a table; the primary key's first, then unique ones. */
  List<CatalogIndex> indexes(CatalogTable table) throws SQLException {
    return CatalogIndex.read(this, table);
  }

  /**
   * The constraints of a table that mention a column, and those of other tables that point to it.
   */
  List<CatalogConstraint> constraints(CatalogTable table, CatalogColumn column)
      throws SQLException {
    return CatalogConstraint.read(this, table, column);
  }

  /** Whatever else depends on a column by name. */
  List<Dependent> dependents(CatalogTable table, CatalogColumn column) throws SQLException {
    return Dependent.read(this, table, column);
  }

  /**
   * Refuses a name that is already used in a schema, for something that has a row type or an index.
   */
  void requireFree(String what, String name) throws SQLException {
    List<String> used =
        list(
            "SELECT CASE c.relkind WHEN 'i' THEN 'an index' WHEN 'r' THEN 'a table' WHEN 'v' THEN"
                + " 'a view' ELSE 'a relation' END FROM pg_class c JOIN pg_namespace n ON n.oid ="
                + " c.relnamespace WHERE n.nspname = ? AND c.relname = ?",
            row -> row.getString(1),
            target.schema(),
            name);
    if (!used.isEmpty()) {
      throw refuse(
          "the name \""
              + name
              + "\" for the "
              + what
              + " is taken: in schema \""
              + target.schema()
              + "\" it is "
              + used.get(0),
          "Choose another name, or drop what has it.");
    }
  }

  /** The user of the connection. */
  String user() throws SQLException {
    return text("SELECT current_user");
  }

  /** What the server said, without the position, for a message of our own. */
  static String said(SQLException e) {
    String message = String.valueOf(e.getMessage()).replaceFirst("^ERROR: ", "");
    return message.lines().findFirst().orElse("").strip() + " [" + e.getSQLState() + "]";
  }
}
