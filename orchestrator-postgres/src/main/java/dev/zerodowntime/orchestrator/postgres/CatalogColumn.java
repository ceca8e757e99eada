package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A column as the catalog has it.
 *
 * @param number its attribute number
 * @param name unquoted
 * @param type as SQL, qualified, with its modifier
 * @param typeOid its type's oid
 * @param baseType the type under all domains, as SQL; the type itself where it is none
 * @param domainNotNull whether a domain rejects nulls
 * @param domainChecks whether a domain has checks
 * @param notNull whether the column is NOT NULL
 * @param defaultSql its own default, or how it is computed, as SQL
 * @param generated whether it is computed
 * @param identity {@code a} (always), {@code d} (by default), or empty
 * @param collation quoted and qualified, where it is not the type's own
 * @param statistics its statistics target, where it is not the default
 * @param comment its comment
 * @param acl its own privileges
 * @param inherited whether it comes from a parent table
 * @param options such as {@code n_distinct=100}
 * @param storage its storage, where it is not the type's own: {@code p}, {@code e}, {@code m} or
 *     {@code x}
 * @param compression its compression method, or empty
 * @param sequence the sequence it owns, quoted and qualified
 * @param domainDefault the default that its domain brings, as SQL
 */
record CatalogColumn(
    int number,
    String name,
    String type,
    long typeOid,
    String baseType,
    boolean domainNotNull,
    boolean domainChecks,
    boolean notNull,
    @Nullable String defaultSql,
    boolean generated,
    String identity,
    @Nullable String collation,
    @Nullable Integer statistics,
    @Nullable String comment,
    List<String> acl,
    boolean inherited,
    List<String> options,
    String storage,
    String compression,
    @Nullable String sequence,
    @Nullable String domainDefault) {

  private static final String COLUMNS =
      "SELECT a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid::bigint,"
          + " b.base, coalesce(b.not_null, false), coalesce(b.checks, false), a.attnotnull,"
          + " pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', a.attidentity::text, CASE WHEN"
          + " a.attcollation <> t.typcollation THEN format('%I.%I', cn.nspname, co.collname) END,"
          + " nullif(a.attstattarget, -1), col_description(a.attrelid, a.attnum), a.attacl::text[],"
          + " a.attinhcount > 0, a.attoptions, CASE WHEN a.attstorage <> t.typstorage THEN"
          + " a.attstorage::text ELSE '' END, a.attcompression::text, (SELECT s.oid::regclass::text"
          + " FROM pg_depend o JOIN pg_class s ON s.oid = o.objid AND s.relkind = 'S' WHERE"
          + " o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass AND"
          + " o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.deptype IN ('a', 'i')"
          + " LIMIT 1), CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN"
          + " pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_collation"
          + " co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace"
          + " CROSS JOIN LATERAL (WITH RECURSIVE chain AS (SELECT t.oid, t.typtype, t.typbasetype,"
          + " t.typnotnull, a.atttypmod AS typmod UNION ALL SELECT n.oid, n.typtype, n.typbasetype,"
          + " n.typnotnull, CASE WHEN c.typmod >= 0 THEN c.typmod ELSE (SELECT typtypmod FROM"
          + " pg_type WHERE oid = c.oid) END FROM chain c JOIN pg_type n ON n.oid = c.typbasetype"
          + " WHERE c.typtype = 'd') SELECT max(CASE WHEN typtype <> 'd' THEN format_type(oid,"
          + " typmod) END) AS base, bool_or(typnotnull) AS not_null, bool_or(EXISTS (SELECT 1 FROM"
          + " pg_constraint k WHERE k.contypid = chain.oid AND k.contype = 'c')) AS checks FROM"
          + " chain) b WHERE a.attrelid = ?::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped"
          + " ORDER BY a.attnum";

  static List<CatalogColumn> read(Catalog catalog, CatalogTable table) throws SQLException {
    return catalog.list(
        COLUMNS,
        row -> {
          int statistics = row.getInt(13);
          return new CatalogColumn(
              row.getInt(1),
              row.getString(2),
              row.getString(3),
              row.getLong(4),
              row.getString(5),
              row.getBoolean(6),
              row.getBoolean(7),
              row.getBoolean(8),
              row.getString(9),
              row.getBoolean(10),
              row.getString(11),
              row.getString(12),
              row.getObject(13) == null ? null : statistics,
              row.getString(14),
              Catalog.texts(row, 15),
              row.getBoolean(16),
              Catalog.texts(row, 17),
              row.getString(18),
              row.getString(19),
              row.getString(20),
              row.getString(21));
        },
        table.oid());
  }

  /** Its default, which may be its type's. */
  Defaults defaults() {
    return Defaults.of(defaultSql, domainDefault, !type.equals(baseType));
  }

  /** Quoted. */
  String quoted() {
    return Sql.quote(name);
  }
}
