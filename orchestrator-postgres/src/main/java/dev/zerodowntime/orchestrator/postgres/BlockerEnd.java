package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Blocker;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/** Ends a session in the way of DDL, if it is one that an application has left open. */
final class BlockerEnd {

  /**
   * In one statement with the question: process ids are used again. Of a session whose transaction
   * is over nothing is known any more.
   */
  private static final String END =
      "WITH zdo_session AS MATERIALIZED (SELECT a.pid, CASE WHEN a.backend_type IS DISTINCT FROM"
          + " 'client backend' THEN 'it is the server''s own or a replication''s: ' ||"
          + " coalesce(a.backend_type, 'hidden') WHEN r.rolsuper OR r.rolreplication THEN 'its user"
          + " ' || r.rolname || ' is a superuser or replicates' WHEN a.application_name IN"
          + " ('pg_dump', 'pg_dumpall', 'pg_restore', 'pg_basebackup') THEN 'it is a backup: ' ||"
          + " a.application_name WHEN EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid = a.pid"
          + " AND l.granted AND l.locktype = 'relation' AND l.mode IN ('ShareUpdateExclusiveLock',"
          + " 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')) THEN"
          + " 'it has locked a table explicitly, or changes one' END AS reason"
          + " FROM pg_catalog.pg_stat_activity a LEFT JOIN pg_catalog.pg_roles r"
          + " ON r.oid = a.usesysid WHERE a.pid = ? AND coalesce(a.xact_start, a.query_start) <="
          + " clock_timestamp() - ? * interval '1 millisecond')"
          + " SELECT reason, CASE WHEN reason IS NULL THEN pg_catalog.pg_terminate_backend(pid) END"
          + " FROM zdo_session";

  private BlockerEnd() {}

  /**
   * See {@link dev.zerodowntime.orchestrator.spi.LockBudget#end}. How many rows it has changed, the
   * server doesn't tell; to take them back takes it no time.
   */
  static Optional<String> end(Connection connection, Blocker blocker) throws SQLException {
    int pid;
    try {
      pid = Integer.parseInt(blocker.session());
    } catch (NumberFormatException e) {
      return Optional.of("COMMIT PREPARED or ROLLBACK PREPARED ends it");
    }
    try (PreparedStatement end = connection.prepareStatement(END)) {
      end.setInt(1, pid);
      end.setLong(2, blocker.age().toMillis());
      try (ResultSet row = end.executeQuery()) {
        if (!row.next()) {
          return Optional.of("its transaction is over");
        }
        String reason = row.getString(1);
        return reason != null
            ? Optional.of(reason)
            : row.getBoolean(2) ? Optional.empty() : Optional.of("it was gone already");
      }
    }
  }
}
