package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Where the SQL of the control tables differs between databases. */
public interface ControlSql {

  /**
   * The control tables, version by version; only ever appended to.
   *
   * @param schema the control schema, quoted
   * @return every version, oldest first
   */
  List<Version> versions(String schema);

  /**
   * Quotes an identifier.
   *
   * @param identifier unquoted
   * @return quoted for use in SQL
   */
  String quote(String identifier);

  /**
   * The current time of the database, not of the transaction.
   *
   * @return an SQL expression
   */
  String now();

  /**
   * A time as milliseconds.
   *
   * @param time an SQL expression
   * @return an SQL expression of a whole number, comparable with others of the same server
   */
  String millis(String time);

  /**
   * A time given as what {@link #millis} yields.
   *
   * @param millis milliseconds
   * @return an SQL expression of a time
   */
  String time(long millis);

  /**
   * A time after now.
   *
   * @param millis how many milliseconds later
   * @return an SQL expression of a time
   */
  String later(long millis);

  /**
   * What changes with every restart, fail-over and restore of the server; the same text as {@link
   * ServerInfo#incarnation()}.
   *
   * @return an SQL expression of a text
   */
  String incarnation();

  /**
   * Ends a SELECT that other readers may share.
   *
   * @return an SQL clause
   */
  String forShare();

  /**
   * Names the session that executes the statement, so that others can see whether it is left.
   *
   * @return an SQL expression of a text
   */
  String session();

  /**
   * Whether a named session is left on the server.
   *
   * @param session an SQL expression: what {@link #session()} gave, possibly null
   * @return an SQL expression of a boolean
   */
  String sessionLeft(String session);

  /**
   * Inserts a row unless its key exists.
   *
   * @param table the table
   * @param columns its columns, as many as parameters
   * @param key the key's columns
   * @return SQL
   */
  default String insertIfAbsent(String table, List<String> columns, List<String> key) {
    return insertIfAbsent(table, columns, key, columns.stream().map(each -> "?").toList());
  }

  /**
   * Inserts a row unless its key is taken, with values given as SQL.
   *
   * @param table the quoted, qualified table
   * @param columns its columns
   * @param key the columns of the key
   * @param values SQL expressions or parameters, in the columns' order
   * @return SQL
   */
  String insertIfAbsent(String table, List<String> columns, List<String> key, List<String> values);

  /**
   * Begins a READ COMMITTED transaction on the control tables, whatever the connection's default
   * is. It is limited, so that a process which is frozen in the middle of one, or whose host is
   * gone, holds nobody up for long; neither does it wait for long itself. A time limit that the
   * role or the database has for the application's statements is lifted: it would stop a long read
   * again and again at the same place. Nothing of it outlives the transaction.
   *
   * @param lockMillis how long a lock is waited for
   * @param idleMillis how long the transaction may stand still before the server ends its session
   * @return statements, executed first in the transaction
   */
  List<String> begin(long lockMillis, long idleMillis);

  /**
   * Puts back what {@link #begin} has set beyond the transaction, where a database has no settings
   * that end with one. Executed after its end, however that came; if that fails, the connection is
   * closed for good.
   *
   * @return statements; none unless an implementation says so
   */
  default List<String> end() {
    return List.of();
  }

  /**
   * What the control tables' names begin with, so that they can be among others.
   *
   * @return a prefix; empty unless an implementation says so
   */
  default String prefix() {
    return "";
  }

  /**
   * The database's name of the user behind a connection.
   *
   * @param connection a connection
   * @return as {@link #grants} takes it
   * @throws SQLException if it can't be asked
   */
  default String user(Connection connection) throws SQLException {
    return connection.getMetaData().getUserName();
  }

  /**
   * Lets another user work with control tables that were installed by a privileged one.
   *
   * @param schema the control schema, quoted
   * @param user what {@link #user} says
   * @return statements
   */
  List<String> grants(String schema, String user);

  /**
   * Whether any table of the applications has a row.
   *
   * @param connection in auto-commit mode
   * @param controlSchema the control schema, unquoted
   * @return true unless the database is empty
   * @throws SQLException if it can't be asked
   */
  boolean hasRows(Connection connection, String controlSchema) throws SQLException;

  /**
   * Whether a table, or what stands in its place, has a row. One that doesn't exist has none; one
   * whose rows can't be seen may have some.
   *
   * @param connection in auto-commit mode
   * @param schema its schema, unquoted
   * @param table its name, unquoted
   * @return true unless it is empty
   * @throws SQLException if it can't be asked
   */
  boolean tableHasRows(Connection connection, String schema, String table) throws SQLException;

  /**
   * A version of the control tables.
   *
   * @param number 1, 2, …
   * @param description a few words
   * @param statements what leads from the version before to this one; additive
   */
  record Version(int number, String description, List<String> statements) {}
}
