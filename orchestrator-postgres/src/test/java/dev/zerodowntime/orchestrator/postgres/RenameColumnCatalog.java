package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Everything that can be told of a table, but the order of its columns; to be compared. */
final class RenameColumnCatalog {

  private RenameColumnCatalog() {}

  private static String acl(String acl) {
    return "(SELECT string_agg(x.grantee::regrole::text || x.privilege_type || x.is_grantable, ','"
        + " ORDER BY x.grantee::regrole::text, x.privilege_type) FROM aclexplode("
        + acl
        + ") x)";
  }

  static List<String> of(TestDatabase db, String schema, String table) {
    String t = "'" + Sql.qualified(schema, table) + "'::regclass";
    List<String> lines = new ArrayList<>();
    add(
        lines,
        db,
        "SELECT 'column', a.attname, format_type(a.atttypid, a.atttypmod),"
            + " a.attcollation::regcollation, a.attnotnull, pg_get_expr(d.adbin, d.adrelid),"
            + " a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attstattarget,"
            + " a.attoptions::text, col_description(a.attrelid, a.attnum), "
            + acl("a.attacl")
            + " FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum ="
            + " a.attnum WHERE a.attrelid = "
            + t
            + " AND a.attnum > 0 AND NOT a.attisdropped");
    add(
        lines,
        db,
        "SELECT 'constraint', k.conname, pg_get_constraintdef(k.oid), k.convalidated,"
            + " k.condeferrable, obj_description(k.oid, 'pg_constraint') FROM pg_constraint k WHERE"
            + " k.conrelid = "
            + t);
    add(
        lines,
        db,
        "SELECT 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indimmediate, (SELECT"
            + " k.conname FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN"
            + " ('u', 'p')), c.reltablespace, obj_description(c.oid, 'pg_class'), (SELECT"
            + " string_agg(a.attnum || ':' || a.attstattarget, ',') FROM pg_attribute a WHERE"
            + " a.attrelid = c.oid AND a.attstattarget >= 0) FROM pg_index i JOIN pg_class c ON"
            + " c.oid = i.indexrelid WHERE i.indrelid = "
            + t);
    add(
        lines,
        db,
        "SELECT 'trigger', pg_get_triggerdef(g.oid), g.tgenabled FROM pg_trigger g WHERE NOT"
            + " g.tgisinternal AND g.tgrelid = "
            + t);
    add(
        lines,
        db,
        "SELECT 'sequence', s.oid::regclass, a.attname, d.deptype, q.seqstart, q.seqincrement,"
            + " q.seqmin, q.seqmax, q.seqcache, q.seqcycle, pg_sequence_last_value(s.oid), "
            + acl("s.relacl")
            + ", obj_description(s.oid, 'pg_class') FROM pg_depend d JOIN pg_class s ON s.oid ="
            + " d.objid AND s.relkind = 'S' JOIN pg_sequence q ON q.seqrelid = s.oid JOIN"
            + " pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE"
            + " d.refclassid = 'pg_class'::regclass AND d.refobjid = "
            + t);
    add(
        lines,
        db,
        "SELECT 'function', p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            + " WHERE n.nspname = '"
            + RenameColumnRunner.CONTROL
            + "'");
    add(
        lines,
        db,
        "SELECT 'relation', c.relkind, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid ="
            + " c.relnamespace WHERE n.nspname IN ('"
            + RenameColumnRunner.CONTROL
            + "', '"
            + schema
            + "')");
    Collections.sort(lines);
    return lines;
  }

  private static void add(List<String> lines, TestDatabase db, String sql) {
    db.rows(sql).forEach(row -> lines.add(row.toString()));
  }
}
