package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.RefusedException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Tries statements out on an empty temporary table with the columns and the name of the real one,
 * and takes everything back at the end. The server itself then says whether an expression compiles,
 * whether a type is one, whether an ALTER would rewrite the table.
 */
final class Trial implements AutoCloseable {

  private static final String INDEX = "zdo_trial_index";

  private static final String VIEW = "zdo_trial_view";

  private final Catalog catalog;
  private final String name;
  private final Connection connection;
  private final Savepoint before;

  /** Starts a trial, with as many rows of the real table. */
  Trial(Catalog catalog, CatalogTable table, int rows) throws SQLException {
    this(catalog, table, rows, table.name());
  }

  /** The same, for one of two tables that have the same name. */
  Trial(Catalog catalog, CatalogTable table, int rows, String name) throws SQLException {
    this.catalog = catalog;
    this.name = name;
    this.connection = catalog.drivers();
    Privileges.requireTemporary(catalog);
    this.before = connection.setSavepoint();
    require(
        "CREATE TEMPORARY TABLE " + Sql.quote(name) + " (LIKE " + table.qualified() + ")",
        "a temporary copy of table " + table.display() + ", to try things out on",
        "Let the user of the connections for DDL create one.");
    if (rows > 0) {
      execute("INSERT INTO " + name() + " SELECT * FROM " + table.qualified() + " LIMIT " + rows);
    }
  }

  /** The temporary table, quoted. */
  String name() {
    return Sql.qualified("pg_temp", name);
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
        // Nothing can be asked in a transaction that has failed.
        connection.rollback(before);
        List<String> triggers = EventTriggers.raising(connection, e);
        if (!triggers.isEmpty()) {
          return catalog.refuse(
              "event trigger "
                  + String.join(", ", triggers)
                  + " is against what has to be tried out on a temporary table first: the server"
                  + " says \""
                  + Catalog.said(e)
                  + "\"",
              "Let it pass what is in pg_temp, or what this user does; or ALTER EVENT TRIGGER "
                  + triggers.get(0)
                  + " DISABLE; until the migration is done.");
        }
        return catalog.refuse(what + ": the server says \"" + Catalog.said(e) + "\"", remedy);
      }
    }
  }

  /**
   * The same as {@link #require}, and what the server says meanwhile of the work that it does: it
   * tells of rewritten tables, rows looked at and indexes built, also where there is nothing to do.
   */
  List<String> requireAloud(String sql, String what, String remedy) throws SQLException {
    String before = text("SELECT current_setting('client_min_messages')");
    execute("SET LOCAL client_min_messages TO debug1");
    List<String> said = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
      for (SQLWarning each = statement.getWarnings(); each != null; each = each.getNextWarning()) {
        said.add(String.valueOf(each.getMessage()));
      }
    } catch (SQLException e) {
      throw refused(e, what, remedy);
    }
    execute("SET LOCAL client_min_messages TO " + before);
    return said;
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

  /** Whether an ALTER would give an index of the real table a new file; taken back at once. */
  boolean wouldRebuild(String definition, String alter) throws SQLException {
    Savepoint here = connection.setSavepoint();
    String index = Sql.qualified("pg_temp", INDEX);
    execute(
        "CREATE INDEX "
            + INDEX
            + " ON "
            + name()
            + definition.substring(definition.indexOf(" USING ")));
    String file = file(index);
    execute(alter);
    boolean rebuilds = !file.equals(file(index));
    connection.rollback(here);
    return rebuilds;
  }

  /** The names of the columns that an expression is computed from; of all, if from the row. */
  List<String> columnsOf(String expression) throws SQLException {
    Savepoint here = connection.setSavepoint();
    execute(
        "CREATE TEMPORARY VIEW " + VIEW + " AS SELECT (" + expression + ") AS zdo FROM " + name());
    List<String> columns =
        catalog.list(
            "SELECT DISTINCT a.attname FROM pg_rewrite r JOIN pg_depend d ON d.classid ="
                + " 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid ="
                + " 'pg_class'::regclass JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum"
                + " > 0 AND (a.attnum = d.refobjsubid OR r.ev_action::text ~ ':varattno 0 ') WHERE"
                + " r.ev_class = to_regclass(?) AND d.refobjid = to_regclass(?) ORDER BY 1",
            row -> row.getString(1),
            Sql.qualified("pg_temp", VIEW),
            name());
    connection.rollback(here);
    return columns;
  }

  /**
   * Whether an expression calls one of the server's functions that have another value every time,
   * or in every transaction. A function that somebody wrote is volatile unless they said otherwise,
   * so that means nothing.
   *
   * @param beside what else is in its FROM clause, with a condition; or empty
   */
  boolean changesWithTime(String expression, String beside) throws SQLException {
    Savepoint here = connection.setSavepoint();
    execute(
        "CREATE TEMPORARY VIEW "
            + VIEW
            + " AS SELECT ("
            + expression
            + ") AS zdo FROM "
            + name()
            + (beside.isEmpty() ? "" : ", " + beside));
    boolean found =
        catalog
            .list(
                "SELECT r.ev_action::text ~ 'SQLVALUEFUNCTION :op [0-8] ' OR EXISTS (SELECT FROM"
                    + " regexp_matches(r.ev_action::text, ':(?:op)?funcid (\\d+)', 'g') f JOIN"
                    + " pg_proc p ON p.oid = f[1]::oid WHERE p.pronamespace ="
                    + " 'pg_catalog'::regnamespace AND (p.provolatile = 'v' OR p.proname IN ('now',"
                    + " 'transaction_timestamp', 'statement_timestamp'))) FROM pg_rewrite r WHERE"
                    + " r.ev_class = to_regclass(?)",
                row -> row.getBoolean(1),
                Sql.qualified("pg_temp", VIEW))
            .contains(true);
    connection.rollback(here);
    return found;
  }

  private String file() throws SQLException {
    return file(name());
  }

  /** The file of a table or an index. */
  String file(String relation) throws SQLException {
    return text("SELECT pg_relation_filenode(" + Sql.regclass(relation) + ")");
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
