package dev.zerodowntime.orchestrator.postgres;

import static dev.zerodowntime.orchestrator.postgres.ColumnFactsRows.execute;
import static dev.zerodowntime.orchestrator.postgres.ColumnFactsRows.flag;
import static dev.zerodowntime.orchestrator.postgres.ColumnFactsRows.query;
import static dev.zerodowntime.orchestrator.postgres.ColumnFactsRows.text;

import dev.zerodowntime.orchestrator.RefusedException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what belongs to a column, and has PostgreSQL itself print it with the column's new name: on
 * an empty copy of the table that has the same indexes and checks, and whose column is renamed.
 * Names inside expressions are never replaced in texts. Nothing of it outlives the call.
 *
 * <p>What this migration has already built for the new column is not seen: only what depends on the
 * old column is looked at.
 */
final class ColumnFactsCapture {

  private static final String SHADOW = "zdo_shadow";

  private static final String TEMPORARY = "pg_temp";

  private final Connection connection;
  private final Catalog catalog;
  private final long table;
  private final long column;
  private final String from;
  private final String to;

  /**
   * Prepares a capture.
   *
   * @param connection in a transaction whose search path is pg_catalog
   * @param catalog to refuse by
   * @param table the table's oid
   * @param column the column's number
   * @param from the column's name, unquoted
   * @param to its name to be, unquoted
   */
  ColumnFactsCapture(
      Connection connection, Catalog catalog, long table, long column, String from, String to) {
    this.connection = connection;
    this.catalog = catalog;
    this.table = table;
    this.column = column;
    this.from = from;
    this.to = to;
  }

  /**
   * Captures.
   *
   * @return the facts; see {@link ColumnFacts}
   * @throws SQLException if the catalog can't be read
   */
  Map<String, Object> capture() throws SQLException {
    Map<String, Object> facts =
        new LinkedHashMap<>(query(connection, ColumnFactsSql.COLUMN, table, column).get(0));
    Defaults.of(
            (String) facts.remove(Defaults.OWN),
            (String) facts.remove("domainDefault"),
            Boolean.TRUE.equals(facts.remove(Defaults.OF_DOMAIN)))
        .note(facts);
    List<Map<String, Object>> notNull = query(connection, ColumnFactsSql.NOT_NULL, table, column);
    if (!notNull.isEmpty()) {
      facts.put("notNullConstraint", notNull.get(0));
    }
    facts.put("grants", query(connection, ColumnFactsSql.GRANTS, table, column));
    sequences(facts);
    facts.put("foreignKeys", foreignKeys());
    List<Map<String, Object>> indexes =
        query(connection, ColumnFactsSql.INDEXES, column, column, table, column, column);
    List<Map<String, Object>> checks = query(connection, ColumnFactsSql.CHECKS, table, column);
    if (!indexes.isEmpty() || !checks.isEmpty()) {
      rename(indexes, checks);
    }
    facts.put("indexes", indexes);
    facts.put("checks", checks);
    return facts;
  }

  private void sequences(Map<String, Object> facts) throws SQLException {
    List<String> owned = new ArrayList<>();
    for (Map<String, Object> row : query(connection, ColumnFactsSql.SEQUENCES, table, column)) {
      if (flag(row, "identity")) {
        row.put("grants", query(connection, ColumnFactsSql.SEQUENCE_GRANTS, text(row, "name")));
        row.put("generated", "a".equals(facts.get("generation")) ? "ALWAYS" : "BY DEFAULT");
        facts.put("identity", row);
      } else {
        owned.add(text(row, "name"));
      }
    }
    facts.put("ownedSequences", owned);
  }

  private List<Map<String, Object>> foreignKeys() throws SQLException {
    List<Map<String, Object>> found =
        query(
            connection, ColumnFactsSql.FOREIGN_KEYS, to, column, column, to, column, table, column);
    for (Map<String, Object> row : found) {
      String name = "foreign key " + text(row, "name");
      String old = definition(name, row);
      String columns = "FOREIGN KEY (" + text(row, "columns") + ") REFERENCES ";
      if (!old.startsWith(columns)) {
        throw refused(name + " has the unexpected form \"" + old + "\"");
      }
      String rest = old.substring(columns.length());
      if (row.get("setColumns") != null) {
        String set = " (" + text(row, "setColumns") + ")";
        int at = rest.lastIndexOf(set);
        rest =
            rest.substring(0, at)
                + " ("
                + text(row, "newSetColumns")
                + ")"
                + rest.substring(at + set.length());
      }
      row.put("oldDefinition", old);
      row.put("newDefinition", "FOREIGN KEY (" + text(row, "newColumns") + ") REFERENCES " + rest);
      for (String done :
          List.of("definition", "columns", "newColumns", "setColumns", "newSetColumns")) {
        row.remove(done);
      }
    }
    return found;
  }

  /** A constraint's definition without its state of validation. */
  private String definition(String name, Map<String, Object> row) {
    String definition = text(row, "definition");
    if (definition.endsWith(" NOT ENFORCED")) {
      throw refused(name + " is NOT ENFORCED");
    }
    String suffix = " NOT VALID";
    return !flag(row, "valid") && definition.endsWith(suffix)
        ? definition.substring(0, definition.length() - suffix.length())
        : definition;
  }

  private void rename(List<Map<String, Object>> indexes, List<Map<String, Object>> checks)
      throws SQLException {
    Privileges.requireTemporary(catalog);
    String shadow = Sql.qualified(TEMPORARY, SHADOW);
    String original =
        text(
            query(connection, "SELECT CAST(? AS oid)::regclass::text AS name", table).get(0),
            "name");
    execute(connection, "CREATE TEMPORARY TABLE " + Sql.quote(SHADOW) + " (LIKE " + original + ")");
    execute(connection, "ALTER TABLE " + shadow + " DROP COLUMN IF EXISTS " + Sql.quote(to));
    for (int i = 0; i < indexes.size(); i++) {
      Map<String, Object> row = indexes.get(i);
      String tail = tail("index " + text(row, "name"), row);
      row.put("oldTail", withTablespace(row, tail));
      copy(
          "index " + text(row, "name"),
          row,
          "CREATE INDEX " + SHADOW + "_i" + i + " ON " + shadow + tail);
    }
    for (int i = 0; i < checks.size(); i++) {
      Map<String, Object> row = checks.get(i);
      String name = "check " + text(row, "name");
      row.put("oldDefinition", definition(name, row));
      copy(
          name,
          row,
          "ALTER TABLE "
              + shadow
              + " ADD CONSTRAINT "
              + SHADOW
              + "_c"
              + i
              + " "
              + row.get("oldDefinition"));
    }
    execute(
        connection,
        "ALTER TABLE " + shadow + " RENAME COLUMN " + Sql.quote(from) + " TO " + Sql.quote(to));
    for (int i = 0; i < indexes.size(); i++) {
      Map<String, Object> row = indexes.get(i);
      Map<String, Object> printed =
          query(
                  connection,
                  ColumnFactsSql.INDEX_DEFINITION,
                  Sql.qualified(TEMPORARY, SHADOW + "_i" + i))
              .get(0);
      row.put(
          "newTail", withTablespace(merged(row, printed), tailOfCopy(text(printed, "definition"))));
      for (String done : List.of("definition", "prefix", "predicate", "tablespace", "wholeRow")) {
        row.remove(done);
      }
    }
    for (int i = 0; i < checks.size(); i++) {
      checks
          .get(i)
          .put(
              "newDefinition",
              text(
                  query(connection, ColumnFactsSql.CHECK_DEFINITION, shadow, SHADOW + "_c" + i)
                      .get(0),
                  "definition"));
      checks.get(i).remove("definition");
      checks.get(i).remove("wholeRow");
    }
  }

  private void copy(String name, Map<String, Object> row, String sql) throws SQLException {
    if (flag(row, "wholeRow")) {
      throw refused(name + " refers to the row as a whole");
    }
    execute(connection, sql);
  }

  private static Map<String, Object> merged(Map<String, Object> row, Map<String, Object> printed) {
    Map<String, Object> merged = new LinkedHashMap<>(row);
    merged.remove("predicate");
    merged.putAll(printed);
    return merged;
  }

  private String tail(String name, Map<String, Object> row) {
    String definition = text(row, "definition");
    String prefix = text(row, "prefix");
    if (!definition.startsWith(prefix + " USING ")) {
      throw refused(name + " has the unexpected form \"" + definition + "\"");
    }
    return definition.substring(prefix.length());
  }

  /** Versions differ in what they call a temporary schema; our own names hold no such word. */
  private static String tailOfCopy(String definition) {
    return definition.substring(definition.indexOf(" USING "));
  }

  /** PostgreSQL prints no tablespace; it has to stand before the predicate. */
  private static String withTablespace(Map<String, Object> row, String tail) {
    String tablespace = new ColumnFacts(row).optional("tablespace");
    if (tablespace == null) {
      return tail;
    }
    String predicate = new ColumnFacts(row).optional("predicate");
    String where = predicate == null ? "" : " WHERE " + predicate;
    return tail.substring(0, tail.length() - where.length())
        + " TABLESPACE "
        + Sql.quote(tablespace)
        + where;
  }

  private RefusedException refused(String problem) {
    return catalog.refuse(
        problem + ", so the same can't be made for a second column",
        "Drop or change it first, and create it anew for the column's new name afterwards.");
  }
}
