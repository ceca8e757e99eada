package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.DropIndex;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether an index can be dropped, and all that is needed to build it again. */
final class DropIndexCheck {

  /** The statement that builds it again. */
  static final String DEFINITION = "definition";

  /** Whether it was whole: what was not isn't built again. */
  static final String VALID = "valid";

  /** Its comment, if it has one. */
  static final String COMMENT = "comment";

  /** Statistics targets of its expressions: maps of number and value. */
  static final String STATISTICS = "statistics";

  private final Catalog catalog;

  DropIndexCheck(Catalog catalog) {
    this.catalog = catalog;
  }

  Map<String, Object> facts(DropIndex migration) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogIndex index = index(catalog, table, migration.name());
    String what = "index " + Sql.quote(index.name()) + " of table " + table.display();
    if (index.constraint() != null) {
      throw catalog.refuse(
          what + " belongs to constraint " + Sql.quote(index.constraint()),
          "Drop the constraint with DropConstraint: its index goes with it.");
    }
    return facts(table, index, what);
  }

  /** The same for an index that goes with its constraint. */
  static Map<String, Object> ofConstraint(Catalog catalog, CatalogTable table, CatalogIndex index)
      throws SQLException {
    return new DropIndexCheck(catalog)
        .facts(
            table, index, "constraint " + Sql.quote(index.name()) + " of table " + table.display());
  }

  private Map<String, Object> facts(CatalogTable table, CatalogIndex index, String what)
      throws SQLException {
    if (index.replicaIdentity()) {
      throw catalog.refuse(
          what + " is the table's replica identity: subscribers would no longer find its rows",
          "ALTER TABLE " + table.qualified() + " REPLICA IDENTITY DEFAULT; or another index.");
    }
    requireUnclustered(table, index, what);
    requireNoDependents(index, what);
    requireWayBack(table, index);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(VALID, index.valid());
    facts.put(DEFINITION, definition(index));
    note(index, facts);
    return facts;
  }

  /** An index that must be there. */
  static CatalogIndex index(Catalog catalog, CatalogTable table, String name) throws SQLException {
    List<CatalogIndex> indexes = catalog.indexes(table);
    for (CatalogIndex index : indexes) {
      if (index.name().equals(name)) {
        return index;
      }
    }
    throw catalog.refuse(
        "table " + table.display() + " has no index \"" + name + "\"",
        "Its indexes are "
            + indexes.stream().map(CatalogIndex::name).toList()
            + "; names are taken literally, upper and lower case included.");
  }

  private void requireUnclustered(CatalogTable table, CatalogIndex index, String what)
      throws SQLException {
    boolean clustered =
        catalog
            .list(
                "SELECT indisclustered FROM pg_index WHERE indexrelid = ?::bigint::oid",
                row -> row.getBoolean(1),
                index.oid())
            .contains(true);
    if (clustered) {
      throw catalog.refuse(
          what + " is the one the table is clustered by: CLUSTER would no longer know the order",
          "ALTER TABLE " + table.qualified() + " SET WITHOUT CLUSTER; or cluster by another.");
    }
  }

  private void requireNoDependents(CatalogIndex index, String what) throws SQLException {
    List<String> dependents =
        catalog.list(
            "SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend WHERE refclassid ="
                + " 'pg_class'::regclass AND refobjid = ?::bigint::oid AND deptype IN ('n', 'a')"
                + " ORDER BY 1",
            row -> row.getString(1),
            index.oid());
    if (!dependents.isEmpty()) {
      throw catalog.refuse(what + " is needed by " + dependents, "Drop these first.");
    }
    List<String> extensions =
        catalog.list(
            "SELECT pg_describe_object(refclassid, refobjid, 0) FROM pg_depend WHERE classid ="
                + " 'pg_class'::regclass AND objid = ?::bigint::oid AND deptype IN ('e', 'x')",
            row -> row.getString(1),
            index.oid());
    if (!extensions.isEmpty()) {
      throw catalog.refuse(
          what + " comes or goes with " + extensions,
          "Take it out of the extension first, or change the extension.");
    }
  }

  private void requireWayBack(CatalogTable table, CatalogIndex index) throws SQLException {
    Privileges.requireCreate(catalog, "indexes, as the way back does,", table.schema());
    String tablespace = index.tablespace();
    if (tablespace != null
        && !catalog
            .list(
                "SELECT has_tablespace_privilege(?, 'CREATE')",
                row -> row.getBoolean(1),
                tablespace)
            .contains(true)) {
      throw catalog.forbid(
          "user \""
              + catalog.user()
              + "\" may not create indexes, as the way back does, in tablespace \""
              + tablespace
              + "\"",
          "GRANT CREATE ON TABLESPACE "
              + Sql.quote(tablespace)
              + " TO "
              + Sql.quote(catalog.user())
              + ";");
    }
  }

  /**
   * What {@code pg_get_indexdef} leaves out is where the index lives; named always, since a session
   * may have a default of its own.
   */
  private String definition(CatalogIndex index) throws SQLException {
    String definition = index.definition();
    String where = index.predicate() == null ? "" : " WHERE " + index.predicate();
    if (!definition.endsWith(where)) {
      throw new IllegalStateException(
          "the predicate " + index.predicate() + " does not end " + definition);
    }
    String tablespace = index.tablespace();
    if (tablespace == null) {
      tablespace =
          catalog.text(
              "SELECT t.spcname FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON"
                  + " t.oid = d.dattablespace WHERE d.datname = current_database()");
    }
    return definition
            .substring(0, definition.length() - where.length())
            .replaceFirst(" INDEX ", " INDEX CONCURRENTLY ")
        + " TABLESPACE "
        + Sql.quote(tablespace)
        + where;
  }

  private void note(CatalogIndex index, Map<String, Object> facts) throws SQLException {
    List<Object> statistics =
        catalog.list(
            "SELECT attnum::text, attstattarget::text FROM pg_attribute WHERE attrelid ="
                + " ?::bigint::oid AND attstattarget >= 0 ORDER BY attnum",
            row -> Map.of("number", row.getString(1), "value", row.getString(2)),
            index.oid());
    facts.put(STATISTICS, statistics);
    catalog
        .list(
            "SELECT description FROM pg_description WHERE classoid = 'pg_class'::regclass AND"
                + " objoid = ?::bigint::oid AND objsubid = 0",
            row -> row.getString(1),
            index.oid())
        .forEach(comment -> facts.put(COMMENT, comment));
  }
}
