package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.Finding;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is looked at before a first release, beyond what the engine asks for by itself. Only reads.
 * Stateless and thread-safe.
 */
public interface DoctorSql {

  /**
   * The checks, each of one thing. What one of them can't read is UNKNOWN, and no failure.
   *
   * @return in the order in which they are made
   */
  List<Check> checks();

  /**
   * The sessions of clients on this database: not those of replication, of the server's own
   * processes, and of other databases.
   *
   * @param connection in auto-commit mode; its own session is told apart
   * @return them, as far as this user may see
   * @throws SQLException if they can't be asked for
   */
  Sessions sessions(Connection connection) throws SQLException;

  /** One thing that is looked at. */
  interface Check {

    /**
     * What it looks at.
     *
     * @return a few words
     */
    String subject();

    /**
     * Looks at it.
     *
     * @param what whose connection this is, and what for
     * @param connection in auto-commit mode
     * @return what was found; empty where this connection has nothing to do with it
     * @throws SQLException if it can't be looked at
     */
    List<Finding> look(Examined what, Connection connection) throws SQLException;
  }

  /**
   * What a check is about.
   *
   * @param application whether the connection is one of the application's
   * @param ddl whether it is one for DDL and backfills; both where there is only one data source
   * @param drives whether this process drives migrations, so that the rights for it are needed
   * @param controlSchema the schema of the control tables, unquoted
   * @param installed whether they are there
   * @param tables the tables of pending migrations; some may not exist yet
   */
  record Examined(
      boolean application,
      boolean ddl,
      boolean drives,
      String controlSchema,
      boolean installed,
      Set<Table> tables) {

    /** Copies the set. */
    public Examined {
      tables = Set.copyOf(tables);
    }

    /** Whether what is needed to drive is looked for on this connection. */
    public boolean drivesHere() {
      return ddl && drives;
    }
  }

  /**
   * A table.
   *
   * @param schema its schema, unquoted
   * @param name its name, unquoted
   */
  record Table(String schema, String name) {}

  /**
   * Sessions.
   *
   * @param own that of the connection that asked
   * @param others all others
   * @param hidden what this user may not see of them, with the statement that lets it; empty if it
   *     sees all
   */
  record Sessions(Session own, List<Session> others, Optional<Hidden> hidden) {

    /** Copies the list. */
    public Sessions {
      others = List.copyOf(others);
    }
  }

  /**
   * What a user may not see.
   *
   * @param what for people
   * @param grant the statement that lets it, without a semicolon
   */
  record Hidden(String what, String grant) {}

  /**
   * A session.
   *
   * @param name what {@link ControlSql#session()} gives for it, or the beginning of that, as far as
   *     it may be seen
   * @param application what it calls itself; may be empty
   * @param address where it comes from, without a port; empty for a local socket, null if hidden
   * @param user the database's user
   * @param since when it began; null if hidden, or not known to the server
   */
  record Session(
      String name,
      String application,
      @Nullable String address,
      String user,
      @Nullable Instant since) {}
}
