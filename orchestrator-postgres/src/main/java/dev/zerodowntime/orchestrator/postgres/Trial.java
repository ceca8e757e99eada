package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.RefusedException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.List;

/**
 * Tries statements out on an empty temporary table with the columns and the name of the real one,
 * and takes everything back at the end. The server itself then says whether an expression compiles,
 * whether a type is one, whether an ALTER would rewrite the table.
 */
final class Trial implements AutoCloseable {

  private final Catalog catalog;
  private final CatalogTable table;
  private final Connection connection;
  private final Savepoint before;

  /** Starts a trial, with as many rows of the real table. */
  Trial(Catalog catalog, CatalogTable table, int rows) throws SQLException {
    this.catalog = catalog;
    this.table = table;
    this.connection = catalog.connection();
    requireTemporary();
    this.before = connection.setSavepoint();
    execute(
        "CREATE TEMPORARY TABLE " + Sql.quote(table.name()) + " (LIKE " + table.qualified() + ")");
    if (rows > 0) {
      execute("INSERT INTO " + name() + " SELECT * FROM " + table.qualified() + " LIMIT " + rows);
    }
  }

  /** Expressions are tried out on a temporary table. */
  private void requireTemporary() throws SQLException {
    if (!catalog
        .list(
            "SELECT has_database_privilege(current_database(), 'TEMPORARY')",
            row -> row.getBoolean(1))
        .equals(List.of(true))) {
      String database = catalog.text("SELECT current_database()");
      throw catalog.forbid(
          "user \""
              + catalog.user()
              + "\" may not create temporary tables, on which expressions are tried"
              + " out before anything is touched",
          "GRANT TEMPORARY ON DATABASE "
              + Sql.quote(database)
              + " TO "
              + Sql.quote(catalog.user())
              + ";");
    }
  }

  /** The temporary table, quoted. */
  String name() {
    return Sql.qualified("pg_temp", table.name());
  }

  /** Executes something that can't fail for the author's reasons. */
  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /**
   * Executes something that the author wrote a part of.
   *
   * @param sql the statement
   * @param what what the author wrote, for the message
   * @param remedy what to do if the server doesn't take it
   */
  void require(String sql, String what, String remedy) throws SQLException {
    try {
      execute(sql);
    } catch (SQLException e) {
      throw refused(e, what, remedy);
    }
  }

  private RefusedException refused(SQLException e, String what, String remedy) throws SQLException {
    switch (PostgresErrors.classify(e)) {
      case CONNECTION_LOST, CANCELLED, LOCK_TIMEOUT, DEADLOCK -> throw e;
      default -> {
        return catalog.refuse(what + ": the server says \"" + Catalog.said(e) + "\"", remedy);
      }
    }
  }

  /** Whether the server takes a statement; the trial goes on as if it hadn't been executed. */
  boolean accepts(String sql) throws SQLException {
    return catalog.attempt(sql).isEmpty();
  }

  /** Whether an ALTER of the temporary table gives it a new file. */
  boolean rewrites(String alter) throws SQLException {
    String file = file();
    execute(alter);
    return !file.equals(file());
  }

  /** The same as {@link #rewrites}, taken back at once. */
  boolean wouldRewrite(String alter) throws SQLException {
    Savepoint here = connection.setSavepoint();
    boolean rewrites = rewrites(alter);
    connection.rollback(here);
    return rewrites;
  }

  private String file() throws SQLException {
    return text("SELECT pg_relation_filenode(" + Sql.regclass(name()) + ")");
  }

  /** One value. */
  String text(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
  }

  @Override
  public void close() throws SQLException {
    connection.rollback(before);
  }
}
