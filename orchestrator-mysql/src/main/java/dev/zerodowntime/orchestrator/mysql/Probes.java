package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Probe;

/**
 * Questions to the catalog. Tables are compared as the server compares their names; of columns and
 * indexes the catalog itself knows that case doesn't matter.
 */
final class Probes {

  /** For steps that leave nothing half done. */
  static final Probe NEVER = new Probe("SELECT FALSE");

  private Probes() {}

  /** Several conditions at once; each is what one of the methods below returns. */
  static Probe all(String... conditions) {
    return new Probe("SELECT " + String.join(" AND ", conditions));
  }

  static String not(String condition) {
    return "NOT " + condition;
  }

  /**
   * A condition over a row of information_schema. The first comparison is what the server finds the
   * row by; but in a catalog of MariaDB it doesn't tell upper from lower case.
   */
  static String isTable(String schema, String table) {
    String folds = "@@global.lower_case_table_names <> 0 OR ";
    return "TABLE_SCHEMA = "
        + Sql.literal(schema)
        + " AND TABLE_NAME = "
        + Sql.literal(table)
        + " AND ("
        + folds
        + "BINARY TABLE_NAME = BINARY "
        + Sql.literal(table)
        + ") AND ("
        + folds
        + "BINARY TABLE_SCHEMA = BINARY "
        + Sql.literal(schema)
        + ")";
  }

  static String table(String schema, String table) {
    return exists("TABLES", schema, table, "TABLE_TYPE = 'BASE TABLE'");
  }

  /** Whether a table has a property of a row of TABLES. */
  static String table(String schema, String table, String condition) {
    return exists("TABLES", schema, table, "TABLE_TYPE = 'BASE TABLE' AND " + condition);
  }

  static String view(String schema, String view) {
    return exists("TABLES", schema, view, "TABLE_TYPE = 'VIEW'");
  }

  static String column(String schema, String table, String column, String condition) {
    return exists(
        "COLUMNS", schema, table, "COLUMN_NAME = " + Sql.literal(column) + " AND " + condition);
  }

  static String index(String schema, String table, String index) {
    return index(schema, table, index, "TRUE");
  }

  /** Whether an index has a property of a row of STATISTICS. */
  static String index(String schema, String table, String index, String condition) {
    return exists(
        "STATISTICS", schema, table, "INDEX_NAME = " + Sql.literal(index) + " AND " + condition);
  }

  /** Whether a table has a foreign key of this name. */
  static String foreignKey(String schema, String table, String name) {
    return exists(
        "TABLE_CONSTRAINTS",
        schema,
        table,
        "CONSTRAINT_TYPE = 'FOREIGN KEY' AND CONSTRAINT_NAME = " + Sql.literal(name));
  }

  /** Whether a table has a check of this name. */
  static String check(String schema, String table, String name) {
    return exists(
        "TABLE_CONSTRAINTS",
        schema,
        table,
        "CONSTRAINT_TYPE = 'CHECK' AND CONSTRAINT_NAME = " + Sql.literal(name));
  }

  /** MariaDB: whether a column has a check of its own, which is called like it. */
  static String columnCheck(String schema, String table, String column) {
    return "EXISTS (SELECT 1 FROM information_schema.CHECK_CONSTRAINTS WHERE LEVEL = 'Column' AND"
        + " CONSTRAINT_NAME = "
        + Sql.literal(column)
        + " AND "
        + isTable(schema, table).replace("TABLE_SCHEMA", "CONSTRAINT_SCHEMA")
        + ")";
  }

  /** Whether a table has a trigger; only who may create triggers on it sees them. */
  static String trigger(String schema, String table, String trigger) {
    return "EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = "
        + Sql.literal(schema)
        + " AND TRIGGER_NAME = "
        + Sql.literal(trigger)
        + " AND EVENT_OBJECT_TABLE = "
        + Sql.literal(table)
        + ")";
  }

  /** Whether the same trigger is one whose text names something in backticks. */
  static String triggerNaming(String schema, String table, String trigger, String named) {
    String there = trigger(schema, table, trigger);
    return there.substring(0, there.length() - 1)
        + " AND LOCATE("
        + Sql.literal(Sql.quote(named))
        + ", ACTION_STATEMENT) > 0)";
  }

  private static String exists(String view, String schema, String table, String condition) {
    return "EXISTS (SELECT 1 FROM information_schema."
        + view
        + " WHERE "
        + isTable(schema, table)
        + " AND "
        + condition
        + ")";
  }
}
