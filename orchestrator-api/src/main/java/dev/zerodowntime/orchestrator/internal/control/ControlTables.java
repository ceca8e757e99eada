package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.ControlSql;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * Names the control tables and sees to it that they are there and can be worked with.
 *
 * <p>They only ever grow. An older library works with newer tables as long as their {@code
 * min_reader} allows it, because in a rolling deploy both versions are there at once.
 */
public final class ControlTables {

  /** The pin for whatever ran on a database with rows before the library was installed there. */
  public static final String BUILDS_BEFORE_US = "builds before us";

  private final Dialect dialect;
  private final String schema;

  /**
   * Names the tables.
   *
   * @param dialect the dialect
   * @param schema the control schema, unquoted
   */
  public ControlTables(Dialect dialect, String schema) {
    this.dialect = dialect;
    this.schema = schema;
  }

  /** The control schema, unquoted. */
  public String schema() {
    return schema;
  }

  /** The dialect's SQL. */
  public ControlSql sql() {
    return dialect.control();
  }

  /** A table's qualified name. */
  public String table(String name) {
    return sql().quote(schema) + "." + sql().prefix() + name;
  }

  /** The column of a build's release, whose name is a word of SQL's own in some databases. */
  public String release() {
    return sql().quote("release");
  }

  /** As a predicate over the lease's row: it has this token (a parameter), and is not void. */
  String held() {
    return "token = ? AND incarnation = " + sql().incarnation();
  }

  /** As a predicate: this library may work with the tables as they are now. */
  String readable() {
    return "EXISTS (SELECT 1 FROM " + table("control") + " WHERE min_reader <= " + newest() + ")";
  }

  /** The newest version this library knows. */
  public int newest() {
    List<ControlSql.Version> versions = sql().versions(sql().quote(schema));
    return versions.get(versions.size() - 1).number();
  }

  /**
   * The version installed, if any.
   *
   * @param dataSource the database
   * @return version and the oldest library version that may work with it
   * @throws SQLException if the database can't be asked
   */
  public Optional<Installed> installed(DataSource dataSource) throws SQLException {
    try {
      return Db.autoCommit(
          dataSource,
          connection ->
              Db.queryOne(
                  connection,
                  "SELECT version, min_reader FROM " + table("control"),
                  row -> new Installed(row.getInt(1), row.getInt(2))));
    } catch (SQLException e) {
      if (dialect.classify(e) == SqlErrorKind.UNDEFINED_TABLE) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Installs or upgrades the control tables where needed. Safe to call from many processes at once.
   *
   * @param ddlDataSource connections that may create them; their user owns them
   * @param dataSource the application's connections, whose user may work with them afterwards
   * @param application the application that installs them
   * @param environment what the database is for
   * @param developmentOnRows whether DEVELOPMENT may be installed on a database with rows
   * @param server the server
   * @throws SQLException if the database objects
   * @throws DatabaseException if they can't be worked with
   */
  public void ensure(
      DataSource ddlDataSource,
      DataSource dataSource,
      String application,
      Environment environment,
      boolean developmentOnRows,
      ServerInfo server)
      throws SQLException {
    Optional<Installed> installed = installed(dataSource);
    installed.ifPresent(each -> requireReadable(each.version(), each.minReader()));
    if (installed.isPresent() && installed.get().version() >= newest()) {
      return;
    }
    boolean fresh = installed.isEmpty();
    boolean rows = fresh && Db.autoCommit(dataSource, c -> sql().hasRows(c, schema));
    if (rows && environment == Environment.DEVELOPMENT && !developmentOnRows) {
      throw new DatabaseException(
          ErrorCode.WRONG_ENVIRONMENT,
          "Environment DEVELOPMENT was to be installed on a database that has rows",
          "If this really is a development database, call"
              + " developmentOnExistingRows() on the builder; else leave PRODUCTION.",
          null);
    }
    // The only use of a Flyway class: with current tables none is ever loaded.
    ControlInstaller.install(ddlDataSource, schema, dialect);
    grant(ddlDataSource, dataSource);
    if (fresh) {
      Db.transaction(
          dataSource,
          connection -> {
            // One after the other; how many rows an insertion reports, databases don't agree on.
            Db.query(
                connection,
                "SELECT id FROM " + table("fleet") + " WHERE id = 1 FOR UPDATE",
                row -> row.getInt(1));
            boolean there =
                Db.queryOne(connection, "SELECT id FROM " + table("control"), row -> true)
                    .isPresent();
            if (there) {
              return false;
            }
            Db.update(
                connection,
                "INSERT INTO "
                    + table("control")
                    + " (id, version, min_reader, environment, identity, incarnation,"
                    + " incarnation_still) VALUES (?, ?, ?, ?, ?, ?, ?)",
                1,
                newest(),
                1,
                environment.name(),
                server.identity(),
                server.incarnation(),
                // Nobody could have registered before: nothing to hold for.
                Long.MAX_VALUE / 2);
            if (rows && environment == Environment.PRODUCTION) {
              Db.update(
                  connection,
                  "INSERT INTO " + table("pinned_member") + " (application, label) VALUES (?, ?)",
                  application,
                  BUILDS_BEFORE_US);
            }
            return true;
          });
    } else {
      Db.autoCommit(
          dataSource,
          connection ->
              Db.update(
                  connection,
                  "UPDATE " + table("control") + " SET version = ? WHERE version < ?",
                  newest(),
                  newest()));
    }
  }

  private void grant(DataSource ddlDataSource, DataSource dataSource) throws SQLException {
    if (ddlDataSource == dataSource) {
      return;
    }
    String owner = Db.autoCommit(ddlDataSource, sql()::user);
    String user = Db.autoCommit(dataSource, sql()::user);
    if (!owner.equals(user)) {
      Db.autoCommit(
          ddlDataSource,
          connection -> {
            for (String sql : sql().grants(sql().quote(schema), user)) {
              Db.execute(connection, sql);
            }
            return true;
          });
    }
  }

  /**
   * Makes sure that this library may work with the tables.
   *
   * @param version their version
   * @param minReader the oldest library that may
   * @throws DatabaseException if it may not
   */
  public void requireReadable(int version, int minReader) {
    if (minReader > newest()) {
      throw new DatabaseException(
          ErrorCode.CONTROL_TABLES,
          "The control tables in schema "
              + schema
              + " have version "
              + version
              + " and need a library that knows version "
              + minReader
              + "; this one knows version "
              + newest(),
          "Use the version of the library that the rest of the fleet uses, or a newer one.",
          null);
    }
  }

  /**
   * What is installed.
   *
   * @param version the tables' version
   * @param minReader the oldest library that can work with them
   */
  public record Installed(int version, int minReader) {}
}
