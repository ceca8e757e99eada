package dev.zerodowntime.orchestrator.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Event triggers that raise errors: the server says which function did, and not why it was called.
 */
final class EventTriggers {

  /** Printed as the server prints it in an error's context: with the session's search path. */
  private static final String RAISING =
      "SELECT t.evtname FROM pg_catalog.pg_event_trigger t WHERE t.evtenabled <> 'D' AND"
          + " position(' ' || t.evtfoid::pg_catalog.regprocedure::text || ' ' IN ?) > 0 ORDER BY 1";

  private EventTriggers() {}

  /**
   * Those whose function raised an error.
   *
   * @param connection with the same search path as the one that failed
   * @param error with its context, as the driver gives it
   * @return their names, quoted
   */
  static List<String> raising(Connection connection, SQLException error) throws SQLException {
    List<String> names = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(RAISING)) {
      statement.setString(1, String.valueOf(error.getMessage()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          names.add(Sql.quote(row.getString(1)));
        }
      }
    }
    return names;
  }
}
