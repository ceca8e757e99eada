package dev.zerodowntime.orchestrator.internal.flyway;

import dev.zerodowntime.orchestrator.AdvanceReport;
import java.sql.Connection;
import java.util.List;
import java.util.Set;

/** What Flyway's migrations and callbacks need of the engine. */
public interface Host {

  /** Installs the control tables, where this process drives, while a new database has no rows. */
  void install();

  /**
   * Registers a declared migration, and carries it out where there is nothing to lose.
   *
   * @param id its id
   */
  void place(String id);

  /**
   * Whether there are control tables.
   *
   * @return whether they are installed
   */
  boolean installed();

  /**
   * Flyway's transaction stands idle from here on: builds are not to wait for it.
   *
   * @param connection in its script's transaction
   */
  void idle(Connection connection);

  /**
   * Drives migrations that something waits for, as far as their gates allow within the start-up
   * budget.
   *
   * @param ids which
   */
  void settle(Set<String> ids);

  /**
   * Migrations that are under way.
   *
   * @return those whose tables nobody else should change yet
   */
  List<Unfinished> unfinished();

  /**
   * Where the control tables are.
   *
   * @return a schema's name, unquoted
   */
  String controlSchema();

  /**
   * Whether DDL takes part in transactions.
   *
   * @return as the dialect says
   */
  boolean transactionalDdl();

  /**
   * The schema of the connections.
   *
   * @return its name, unquoted
   */
  String currentSchema();

  /**
   * Joins the fleet.
   *
   * @return what was done
   */
  AdvanceReport advance();
}
