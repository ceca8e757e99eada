package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * One database's way of doing everything. Stateless and thread-safe. Found by {@link
 * java.util.ServiceLoader}, or given to the builder.
 */
public interface Dialect {

  /**
   * The database's name, for messages.
   *
   * @return such as {@code PostgreSQL}
   */
  String name();

  /**
   * Whether this dialect is for the database behind a connection.
   *
   * @param productName what JDBC calls the database
   * @return whether it matches
   */
  boolean matches(String productName);

  /**
   * The dialect for one server: what is asked of it may depend on the server's kind and version.
   * Called once, before anything else but {@link #name()} and {@link #matches(String)}.
   *
   * @param connection a connection in auto-commit mode
   * @return the dialect to go on with; this one unless an implementation says so
   * @throws SQLException if the server can't be asked
   */
  default Dialect forServer(Connection connection) throws SQLException {
    return this;
  }

  /**
   * Where the control tables are, unless the builder says otherwise.
   *
   * @param currentSchema the connection's current schema
   * @return a schema's name, unquoted
   */
  default String controlSchema(String currentSchema) {
    return "orchestrator";
  }

  /**
   * Whether DDL takes part in transactions. Where it doesn't, each of its statements commits by
   * itself and a step has exactly one; see {@link LockBudget#execute}.
   *
   * @return true unless an implementation says so
   */
  default boolean transactionalDdl() {
    return true;
  }

  /**
   * Looks at the server and refuses what can't be worked with: too old, read-only, statement
   * pooling.
   *
   * @param connection a connection in auto-commit mode
   * @return what it is
   * @throws SQLException if it can't be asked
   * @throws dev.zerodowntime.orchestrator.DatabaseException if it can't be used
   */
  ServerInfo inspect(Connection connection) throws SQLException;

  /**
   * What the application's driver does that a changed row type could break.
   *
   * @param connection a connection of the application's own pool
   * @return the facts
   * @throws SQLException if it can't be asked
   */
  DriverInfo driver(Connection connection) throws SQLException;

  /**
   * The control tables' SQL.
   *
   * @return it
   */
  ControlSql control();

  /**
   * The operations this dialect carries out.
   *
   * @return one entry per operation; empty where none are supported yet
   */
  List<OperationSupport<?>> operations();

  /**
   * What to do where {@link #operations} has no such operation.
   *
   * @param operation its name
   * @return a sentence for people
   */
  default String instead(String operation) {
    return "Use a version of its artifact that has this operation.";
  }

  /**
   * What an SQL error means for the step that met it.
   *
   * @param error the driver's exception
   * @return its kind
   */
  SqlErrorKind classify(SQLException error);

  /**
   * A query for people that shows who may have locked a row, for messages.
   *
   * @return SQL
   */
  String openTransactions();

  /**
   * What stands behind an error and isn't said in it, such as an event trigger that raised it. The
   * default knows nothing.
   *
   * @param connection a connection to ask, in no transaction
   * @param error what was thrown, on whatever connection
   * @return a sentence for people, without a full stop; empty if there is nothing to say
   * @throws SQLException if the database can't be asked
   */
  default Optional<String> explain(Connection connection, SQLException error) throws SQLException {
    return Optional.empty();
  }

  /**
   * How blocking statements stay within the lock budget.
   *
   * @return it
   */
  LockBudget lockBudget();

  /**
   * How long statements are run and watched.
   *
   * @return it
   */
  LongStatements longStatements();

  /**
   * Whether operations of this dialect can be done by copying tables with a tool.
   *
   * @return false unless an implementation says so
   */
  default boolean copiesTables() {
    return false;
  }

  /**
   * The same dialect with a tool that copies tables. Called after {@link #forServer}.
   *
   * @param tool what the author has given
   * @return the dialect to go on with
   * @throws DeclarationException where tables are never copied
   */
  default Dialect withCopyTool(CopyTool tool) {
    throw new DeclarationException(
        ErrorCode.INVALID_DECLARATION,
        name() + " has no copy route: none of its operations copies a table",
        "Leave copyTool(...) out.");
  }

  /**
   * How tables are copied.
   *
   * @return it; empty where no tool was given
   */
  default Optional<TableCopier> copier() {
    return Optional.empty();
  }

  /**
   * How replicas are asked.
   *
   * @return it
   */
  Replicas replicas();

  /**
   * The SQL of backfills and verifications.
   *
   * @return it
   */
  ScanSql scans();

  /**
   * How backfills find out whether they are a burden.
   *
   * @return it
   */
  LoadSql load();

  /**
   * Scripts for the database's own client.
   *
   * @return it
   */
  ScriptSql scripts();

  /**
   * What is looked at before a first release.
   *
   * @return it; empty where a dialect has nothing to add to what the engine looks at
   */
  default Optional<DoctorSql> doctor() {
    return Optional.empty();
  }
}
