package dev.zerodowntime.orchestrator.junit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A database of MySQL or MariaDB, as {@code SHOW CREATE} puts it. */
final class MysqlSchema {

  private static final String TABLES =
      "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
          + " AND TABLE_NAME NOT LIKE 'zdo\\_%' AND TABLE_NAME <> 'orchestrator_history' AND"
          + " LOWER(TABLE_NAME) NOT LIKE '%flyway\\_schema\\_history%' AND LOWER(TABLE_NAME) NOT IN"
          + " ('databasechangelog', 'databasechangeloglock') ORDER BY BINARY TABLE_NAME";

  private static final String TRIGGERS =
      "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER"
          + " BY BINARY TRIGGER_NAME";

  private static final String ROUTINES =
      "SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA ="
          + " DATABASE() ORDER BY ROUTINE_TYPE, BINARY ROUTINE_NAME";

  private MysqlSchema() {}

  private record Thing(String kind, String name) {}

  static List<String> lines(Connection connection) throws SQLException {
    List<Thing> things = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      try (ResultSet row = statement.executeQuery(TABLES)) {
        while (row.next()) {
          things.add(
              new Thing(row.getString(2).equals("VIEW") ? "VIEW" : "TABLE", row.getString(1)));
        }
      }
      try (ResultSet row = statement.executeQuery(TRIGGERS)) {
        while (row.next()) {
          things.add(new Thing("TRIGGER", row.getString(1)));
        }
      }
      try (ResultSet row = statement.executeQuery(ROUTINES)) {
        while (row.next()) {
          things.add(new Thing(row.getString(2), row.getString(1)));
        }
      }
      String database;
      try (ResultSet row = statement.executeQuery("SELECT DATABASE()")) {
        row.next();
        database = row.getString(1);
      }
      List<String> lines = new ArrayList<>();
      for (Thing each : things) {
        lines.addAll(definition(statement, each, database));
      }
      return lines;
    }
  }

  private static List<String> definition(Statement statement, Thing thing, String database)
      throws SQLException {
    String quoted = "`" + thing.name().replace("`", "``") + "`";
    try (ResultSet row = statement.executeQuery("SHOW CREATE " + thing.kind() + " " + quoted)) {
      row.next();
      // Tables and views have it second, triggers and routines third, after the SQL mode.
      String text = row.getString(thing.kind().matches("TABLE|VIEW") ? 2 : 3);
      return text
          // Where a counter is, who made it and what the database is called say nothing of a
          // schema.
          .replaceAll(" AUTO_INCREMENT=\\d+", "")
          .replaceAll(" DEFINER=`[^`]*`@`[^`]*`", "")
          .replace("`" + database.replace("`", "``") + "`.", "")
          .lines()
          .toList();
    }
  }
}
