package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Whether a table can be dropped. What depends on it by its oid follows a rename in silence, and
 * would keep the quarantined table in use; what names it in a text breaks at once.
 */
final class DropTableCheck {

  /** Tables that its foreign keys point to: dropping it locks them as well. */
  static final String PARTNERS = "partners";

  /** Its foreign keys because of which rows of other tables can't be deleted. */
  static final String REJECTING = "rejecting";

  /** The table, its row type and that one's array type, its sequences. */
  private static final String OWN =
      "WITH t AS (SELECT ?::bigint::oid AS oid), own AS (SELECT 'pg_class'::regclass::oid AS class,"
          + " t.oid AS object FROM t UNION ALL SELECT 'pg_type'::regclass::oid, unnest(ARRAY[y.oid,"
          + " y.typarray]) FROM t JOIN pg_type y ON y.typrelid = t.oid UNION ALL SELECT"
          + " d.classid, d.objid FROM t JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND"
          + " d.refobjid = t.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
          + " JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S') ";

  /** Whatever depends on these and isn't the table's own. */
  private static final String DEPENDS =
      OWN
          + "SELECT DISTINCT regexp_replace(pg_describe_object(d.classid, d.objid, d.objsubid),"
          + " '^rule \"?_RETURN\"? on ', '') FROM own JOIN t ON true JOIN pg_depend d ON"
          + " d.refclassid = own.class AND d.refobjid = own.object LEFT JOIN pg_attrdef f ON"
          + " d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid LEFT JOIN pg_trigger g ON"
          + " d.classid = 'pg_trigger'::regclass AND g.oid = d.objid LEFT JOIN pg_policy p ON"
          + " d.classid = 'pg_policy'::regclass AND p.oid = d.objid LEFT JOIN pg_rewrite r ON"
          + " d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid LEFT JOIN pg_index i ON"
          + " d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid LEFT JOIN"
          + " pg_statistic_ext x ON d.classid = 'pg_statistic_ext'::regclass AND x.oid = d.objid"
          + " LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid ="
          + " d.objid WHERE (d.classid, d.objid) NOT IN (SELECT class, object FROM own) AND"
          + " t.oid IS DISTINCT FROM coalesce(f.adrelid, g.tgrelid, p.polrelid, r.ev_class,"
          + " i.indrelid, x.stxrelid, k.conrelid) AND g.tgisinternal IS NOT TRUE AND k.contype IS"
          + " DISTINCT FROM 'f' AND NOT EXISTS (SELECT FROM pg_class o WHERE d.classid ="
          + " 'pg_class'::regclass AND o.oid = d.objid AND o.relkind = 't') ORDER BY 1";

  private static final String FOREIGN_KEYS =
      "SELECT format('%I', k.conname), k.conrelid = v.oid, k.conrelid::regclass::text,"
          + " k.confrelid::regclass::text, k.confdeltype IN ('a', 'r') FROM (SELECT"
          + " ?::bigint::oid AS oid) v JOIN pg_constraint k ON v.oid IN (k.conrelid, k.confrelid)"
          + " AND k.conrelid <> k.confrelid WHERE k.contype = 'f' ORDER BY 1, 3";

  /** Functions that only this table's triggers call go with it. */
  private static final String FUNCTIONS =
      "SELECT p.oid::regprocedure::text, p.proname, p.prosrc FROM (SELECT ?::bigint::oid AS oid) v,"
          + " pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid ="
          + " p.prolang WHERE n.nspname <> ? AND n.nspname !~ '^(pg_|information_schema$)' AND"
          + " l.lanname NOT IN ('c', 'internal') AND position(lower(?) IN lower(p.prosrc)) > 0 AND"
          + " NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid"
          + " = p.oid AND d.deptype = 'e') AND NOT (EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid"
          + " = p.oid) AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid = p.oid AND"
          + " g.tgrelid <> v.oid)) ORDER BY 1";

  private static final String PARENTS =
      "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = ?::bigint::oid";

  private static final String EXTENSION =
      "SELECT e.extname FROM pg_depend d JOIN pg_extension e ON d.refclassid ="
          + " 'pg_extension'::regclass AND e.oid = d.refobjid WHERE d.classid ="
          + " 'pg_class'::regclass AND d.objid = ?::bigint::oid AND d.deptype = 'e'";

  private final Catalog catalog;

  DropTableCheck(DropTable migration, Target target, Connection connection) throws SQLException {
    this.catalog = new Catalog(migration, target, connection);
  }

  /** What the steps need to know; the table may be called by its name, or be quarantined. */
  Map<String, Object> facts(String name) throws SQLException {
    CatalogTable table = catalog.table(name);
    requireItsOwn(table);
    List<String> partners = new ArrayList<>();
    List<String> rejecting = new ArrayList<>();
    List<String> incoming = new ArrayList<>();
    catalog.list(
        FOREIGN_KEYS,
        row -> {
          if (!row.getBoolean(2)) {
            incoming.add(row.getString(1) + " of table " + row.getString(3));
          } else {
            if (!partners.contains(row.getString(4))) {
              partners.add(row.getString(4));
            }
            if (row.getBoolean(5)) {
              rejecting.add(row.getString(1) + " to table " + row.getString(4));
            }
          }
          return true;
        },
        table.oid());
    if (!incoming.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " is referenced by foreign keys "
              + incoming
              + ", which would go on checking rows against it",
          "Drop them first, each by a DropConstraint.");
    }
    requireUnused(table);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(PARTNERS, partners);
    facts.put(REJECTING, rejecting);
    return facts;
  }

  private void requireItsOwn(CatalogTable table) throws SQLException {
    List<String> parents = catalog.list(PARENTS, row -> row.getString(1), table.oid());
    if (!parents.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " inherits from "
              + parents
              + ", whose readers see its rows, quarantined or not",
          "ALTER TABLE " + table.qualified() + " NO INHERIT " + parents.get(0) + "; first.");
    }
    List<String> extensions = catalog.list(EXTENSION, row -> row.getString(1), table.oid());
    if (!extensions.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " belongs to extension " + extensions,
          "Let the extension drop it.");
    }
  }

  private void requireUnused(CatalogTable table) throws SQLException {
    List<String> users =
        new ArrayList<>(catalog.list(DEPENDS, row -> row.getString(1), table.oid()));
    Pattern word = Dependent.word(table.name());
    for (String[] function :
        catalog.list(
            FUNCTIONS,
            row -> new String[] {row.getString(1), row.getString(2), row.getString(3)},
            table.oid(),
            catalog.target().controlSchema(),
            table.name())) {
      if (word.matcher(function[2]).find()
          && !catalog.policy().allowedFunctions().contains(function[1])) {
        users.add(
            "function "
                + function[0]
                + " (allowFunctions(\""
                + function[1]
                + "\") if it goes on working)");
      }
    }
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " is used by " + users,
          "Change or drop these first; a publication lets go of it by ALTER PUBLICATION … DROP"
              + " TABLE.");
    }
  }
}
