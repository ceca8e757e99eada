package dev.zerodowntime.orchestrator.postgres;

/** The questions to the catalog behind {@link ColumnFactsCapture}. The columns are facts. */
final class ColumnFactsSql {

  /** Parameters: table's oid, column's number. */
  static final String COLUMN =
      "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, CASE WHEN a.attcollation <>"
          + " 0 AND a.attcollation <> t.typcollation THEN (SELECT pg_catalog.format('%I.%I',"
          + " n.nspname, c.collname) FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n"
          + " ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END AS collation, t.typtype"
          + " = 'c' AS composite, a.attnotnull AS \"notNull\", nullif(a.attidentity::text, '') AS"
          + " generation, (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM"
          + " pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS"
          + " \"ownDefault\", CASE WHEN t.typtype = 'd' THEN"
          + " pg_catalog.pg_get_expr(t.typdefaultbin, 0) END AS \"domainDefault\","
          + " t.typtype = 'd' AS \"ofDomain\", CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN"
          + " 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END AS"
          + " storage, CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS"
          + " compression, CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::bigint END AS"
          + " statistics, (SELECT pg_catalog.string_agg(o.option_name || ' = ' || o.option_value,"
          + " ', ') FROM pg_catalog.pg_options_to_table(a.attoptions) o) AS options,"
          + " a.attoptions::text AS \"rawOptions\", pg_catalog.col_description(a.attrelid,"
          + " a.attnum) AS comment FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON"
          + " t.oid = a.atttypid WHERE a.attrelid = CAST(? AS oid) AND a.attnum = CAST(? AS int2)";

  /** From PostgreSQL 18 on. Parameters: table's oid, column's number. */
  static final String NOT_NULL =
      "SELECT k.conname::text AS name, k.convalidated AS valid, k.connoinherit AS \"noInherit\","
          + " pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment"
          + " FROM pg_catalog.pg_constraint k WHERE k.conrelid = CAST(? AS oid) AND k.contype = 'n'"
          + " AND CAST(? AS int2) = ANY (k.conkey)";

  /** Parameters: table's oid, column's number. */
  static final String GRANTS =
      "SELECT x.privilege_type AS privilege, x.is_grantable AS grantable, "
          + grantee("x")
          + " FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x"
          + " WHERE a.attrelid = CAST(? AS oid) AND a.attnum = CAST(? AS int2) ORDER BY 1, 3";

  /** Parameters: table's oid, column's number. */
  static final String SEQUENCES =
      "SELECT d.deptype = 'i' AS identity, n.nspname::text AS schema, s.relname::text AS relation,"
          + " pg_catalog.format('%I.%I', n.nspname, s.relname) AS name, pg_catalog.format('START %s"
          + " INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s', q.seqstart, q.seqincrement, q.seqmin,"
          + " q.seqmax, q.seqcache) || CASE WHEN q.seqcycle THEN ' CYCLE' ELSE ' NO CYCLE' END AS"
          + " options, q.seqcache::bigint AS cache, pg_catalog.obj_description(s.oid, 'pg_class')"
          + " AS comment FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid"
          + " JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid JOIN pg_catalog.pg_namespace n ON"
          + " n.oid = s.relnamespace WHERE d.classid = 'pg_catalog.pg_class'::regclass AND"
          + " d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid ="
          + " CAST(? AS oid) AND d.refobjsubid = CAST(? AS int) AND d.deptype IN ('a', 'i') ORDER"
          + " BY 4";

  /** Parameter: sequence's quoted and qualified name. */
  static final String SEQUENCE_GRANTS =
      "SELECT x.privilege_type AS privilege, x.is_grantable AS grantable, "
          + grantee("x")
          + " FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x"
          + " WHERE c.oid = pg_catalog.to_regclass(?) AND x.grantee <> c.relowner ORDER BY 1, 3";

  /** Parameters: new name, column's number twice, new name, column's number, table, column. */
  static final String FOREIGN_KEYS =
      "SELECT k.conname::text AS name, k.convalidated AS valid,"
          + " pg_catalog.pg_get_constraintdef(k.oid) AS definition, pg_catalog.format('%I.%I',"
          + " pn.nspname, p.relname) AS parent, pg_catalog.has_table_privilege(p.oid, 'REFERENCES')"
          + " OR (SELECT bool_and(pg_catalog.has_column_privilege(p.oid, r.n, 'REFERENCES')) FROM"
          + " unnest(k.confkey) AS r(n)) AS \"mayReference\", (SELECT"
          + " string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.o)"
          + columns("k.conkey")
          + ") AS columns, (SELECT string_agg(pg_catalog.quote_ident(CASE WHEN a.attnum <> c.n THEN"
          + " a.attname::text ELSE CAST(? AS text) END), ', ' ORDER BY u.o)"
          + columns("k.conkey")
          + ") AS \"newColumns\", s.columns AS \"setColumns\", s.renamed AS \"newSetColumns\","
          + " pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment"
          + " FROM (SELECT CAST(? AS int2) AS n) c, pg_catalog.pg_constraint k"
          + " JOIN pg_catalog.pg_class p ON p.oid = k.confrelid"
          + " JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace"
          // ON DELETE SET NULL (column): from PostgreSQL 15 on.
          + " LEFT JOIN LATERAL (SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY"
          + " u.o) AS columns, bool_or(a.attnum = CAST(? AS int2)) AS ours,"
          + " string_agg(pg_catalog.quote_ident(CASE WHEN a.attnum <> u.c THEN a.attname::text ELSE"
          + " CAST(? AS text) END), ', ' ORDER BY u.o) AS renamed FROM (SELECT v::int2 AS n, o,"
          + " CAST(? AS int2) AS c FROM jsonb_array_elements_text(CASE jsonb_typeof(to_jsonb(k) ->"
          + " 'confdelsetcols') WHEN 'array' THEN to_jsonb(k) -> 'confdelsetcols' ELSE '[]' END)"
          + " WITH ORDINALITY AS e(v, o)) u JOIN pg_catalog.pg_attribute a ON a.attnum = u.n AND"
          + " a.attrelid = k.conrelid) s ON s.ours WHERE k.contype = 'f' AND k.conparentid = 0 AND"
          + " k.conrelid = CAST(? AS oid) AND CAST(? AS int2) = ANY (k.conkey) ORDER BY 1";

  /** Parameters: column's number twice, table, column's number twice. */
  static final String INDEXES =
      "SELECT x.relname::text AS name, i.indisunique AS unique, i.indisprimary AS primary,"
          + " i.indisexclusion AS exclusion, i.indisclustered AS clustered, i.indisreplident AS"
          + " replident, i.indisvalid AND i.indisready AND i.indislive AS whole, i.indpred IS NOT"
          + " NULL AS partial, i.indexprs IS NOT NULL AS expression, coalesce(CAST(? AS int2) = ANY"
          + " ((i.indkey::int2[])[0:i.indnkeyatts - 1]), false) AS key, k.oid IS NOT NULL AS"
          + " constraint, coalesce(k.condeferrable, false) AS deferrable,"
          + " coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '') ~ ':varattno 0 ' AS"
          + " \"wholeRow\", (SELECT t.spcname::text FROM pg_catalog.pg_tablespace t WHERE t.oid ="
          + " x.reltablespace) AS tablespace, pg_catalog.obj_description(x.oid, 'pg_class') AS"
          + " comment, pg_catalog.obj_description(k.oid, 'pg_constraint') AS \"constraintComment\","
          + " (SELECT array_agg(a.attnum || ' SET STATISTICS ' || a.attstattarget ORDER BY"
          + " a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget"
          + " >= 0) AS statistics, "
          + indexDefinition()
          + " AND (CAST(? AS int2) = ANY (i.indkey::int2[]) OR "
          + "(coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '')) ~ ':varattno 0 '"
          + " OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid ="
          + " 'pg_catalog.pg_class'::regclass AND d.objid = x.oid AND d.refclassid ="
          + " 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid ="
          + " CAST(? AS int))) ORDER BY 1";

  /** Parameter: index's quoted and qualified name. */
  static final String INDEX_DEFINITION =
      "SELECT "
          + definition()
          + " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
          + " JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"
          + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE i.indexrelid = pg_catalog.to_regclass(?)";

  /** Parameters: table's oid, column's number. */
  static final String CHECKS =
      "SELECT k.conname::text AS name, k.convalidated AS valid,"
          + " pg_catalog.pg_get_constraintdef(k.oid) AS definition, 0 = ANY (k.conkey) AS"
          + " \"wholeRow\", pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment FROM"
          + " pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conrelid = CAST(? AS oid) AND"
          + " (CAST(? AS int2) = ANY (k.conkey) OR 0 = ANY (k.conkey)) ORDER BY 1";

  /** Parameters: table's quoted and qualified name, constraint's name. */
  static final String CHECK_DEFINITION =
      "SELECT pg_catalog.pg_get_constraintdef(k.oid) AS definition FROM pg_catalog.pg_constraint k"
          + " WHERE k.conrelid = pg_catalog.to_regclass(?) AND k.conname = ?";

  private ColumnFactsSql() {}

  private static String grantee(String acl) {
    return "CASE WHEN "
        + acl
        + ".grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid("
        + acl
        + ".grantee)) END AS grantee, CASE WHEN "
        + acl
        + ".grantee <> 0 THEN pg_catalog.pg_get_userbyid("
        + acl
        + ".grantee)::text END AS role";
  }

  private static String columns(String numbers) {
    return " FROM unnest("
        + numbers
        + ") WITH ORDINALITY AS u(n, o) JOIN pg_catalog.pg_attribute a"
        + " ON a.attrelid = k.conrelid AND a.attnum = u.n";
  }

  private static String definition() {
    return "pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,"
        + " pg_catalog.format('CREATE %sINDEX %I ON %I.%I', CASE WHEN i.indisunique THEN 'UNIQUE '"
        + " ELSE '' END, x.relname, n.nspname, c.relname) AS prefix,"
        + " pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate";
  }

  private static String indexDefinition() {
    return definition()
        + " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
        + " JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"
        + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        + " LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid"
        + " AND k.conrelid = i.indrelid AND k.contype IN ('u', 'p', 'x')"
        + " WHERE CAST(? AS int2) IS NOT NULL AND i.indrelid = CAST(? AS oid)";
  }
}
