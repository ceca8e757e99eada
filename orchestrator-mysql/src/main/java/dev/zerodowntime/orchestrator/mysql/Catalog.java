package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;

/** Reads the catalog for a preflight check, and refuses by name. */
final class Catalog {

  private final String migration;
  private final Target target;
  private final MysqlVersion version;
  private final Connection connection;
  private final ServerSettings settings;

  /**
   * A reader.
   *
   * @param migration the migration that is checked
   * @param target where
   * @param version the server
   * @param connection in the transaction of the preflight check
   */
  Catalog(Migration<?> migration, Target target, MysqlVersion version, Connection connection)
      throws SQLException {
    this.migration = migration.id();
    this.target = target;
    this.version = version;
    this.connection = connection;
    this.settings = ServerSettings.read(connection);
  }

  Target target() {
    return target;
  }

  MysqlVersion version() {
    return version;
  }

  ServerSettings settings() {
    return settings;
  }

  Connection connection() {
    return connection;
  }

  String migration() {
    return migration;
  }

  /** One row of a result. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** All rows of a query. */
  <T> List<T> list(String sql, Row<T> reader, Object... parameters) throws SQLException {
    return Rows.of(connection, sql, reader, parameters);
  }

  /** Executes a statement that has no effect on others. */
  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** A refusal. */
  RefusedException refuse(String problem, String remedy) {
    return new RefusedException(ErrorCode.REFUSED, migration, problem, remedy);
  }

  /** A refusal for want of a privilege. */
  RefusedException forbid(String problem, String remedy) {
    return new RefusedException(ErrorCode.MISSING_PRIVILEGE, migration, problem, remedy);
  }

  /** The table: an ordinary one of InnoDB, that we may alter. */
  CatalogTable table(String name) throws SQLException {
    CatalogTable table = CatalogTable.read(this, target.schema(), name);
    Privileges.of(this).require(table, "ALTER");
    return table;
  }

  /**
   * A column that must be there, under the very name that the catalog has: the server doesn't tell
   * upper from lower case, but migrations of one column are told by its name.
   */
  CatalogColumn column(CatalogTable table, String column) throws SQLException {
    CatalogColumn found =
        CatalogColumn.find(this, table, column)
            .orElseThrow(
                () ->
                    refuse(
                        "table " + table.display() + " has no column \"" + column + "\"",
                        "Its columns are " + table.definition().columns().keySet() + "."));
    if (!found.name().equals(column)) {
      throw refuse(
          "column \""
              + column
              + "\" of table "
              + table.display()
              + " is called \""
              + found.name()
              + "\" in the catalog",
          "Write its name like that, so that two migrations of one column are seen to be.");
    }
    return found;
  }

  /** The indexes of a table, in the server's order. */
  List<CatalogIndex> indexes(CatalogTable table) throws SQLException {
    return CatalogIndex.read(this, table);
  }

  /** An index by name, which the server compares without regard to case. */
  Optional<CatalogIndex> find(CatalogTable table, String index) throws SQLException {
    return CatalogIndex.find(this, table, index);
  }

  /** An index that must be there. */
  CatalogIndex index(CatalogTable table, String name) throws SQLException {
    return find(table, name)
        .orElseThrow(
            () ->
                refuse(
                    "table " + table.display() + " has no index \"" + name + "\"",
                    "Its indexes are " + table.definition().keys().keySet() + "."));
  }

  /**
   * Refuses an expression that can't be computed from a row.
   *
   * @param of what has the value, for the message
   */
  void requireComputable(CatalogTable table, String value, String of) throws SQLException {
    try {
      list(
          "SELECT (" + value + ") FROM " + table.qualified() + " LIMIT 1", row -> row.getString(1));
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
        throw e;
      }
      throw refuse(
          "the value \""
              + value
              + "\" "
              + of
              + " can't be computed from a row of table "
              + table.display()
              + ": the server says \""
              + said(e)
              + "\"",
          "Correct the expression.");
    }
  }

  /** Refuses what would stop a cluster, or be done by its members one after the other. */
  void requireNoCluster(String work) {
    ServerSettings.Cluster cluster = settings.cluster();
    if (cluster.clustered()) {
      throw refuse(
          work + " is not done in a cluster, and this server belongs to " + cluster.what(),
          "Do it by hand with the cluster's own means (a rolling schema upgrade), then declare the"
              + " migration: it is found done.");
    }
  }

  /** The user of the connection. */
  String user() throws SQLException {
    return list("SELECT CURRENT_USER()", row -> row.getString(1)).get(0);
  }

  /** What the server said, for a message of our own. */
  static String said(SQLException e) {
    return String.valueOf(e.getMessage()).strip() + " [" + e.getErrorCode() + "]";
  }
}
