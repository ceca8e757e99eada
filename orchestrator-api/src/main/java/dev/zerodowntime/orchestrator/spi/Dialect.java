package dev.zerodowntime.orchestrator.spi;

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
   * What an SQL error means for the step that met it.
   *
   * @param error the driver's exception
   * @return its kind
   */
  SqlErrorKind classify(SQLException error);

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
}
