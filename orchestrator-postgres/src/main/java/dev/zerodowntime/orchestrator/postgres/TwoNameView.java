package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.SQLException;
import java.util.Optional;

/** The view that stands in for a table while a column of it has two names, as SQL. */
final class TwoNameView {

  private static final String PREFIX = "zdo_table_";

  /**
   * Made from the catalog as it is under the lock, so that no column, privilege or comment can have
   * come in between. The rule behind the view notes whose it is.
   *
   * <p>A column's default is shown on the view too, since {@code SET c = DEFAULT} takes the view's.
   * Not that of the renamed one: a row that gives one name would get it under the other.
   */
  private static final String CREATE =
      """
      DO $@tag@$
      DECLARE
        zdo_view text := @view@;
        zdo_from text := @from@;
        zdo_to text := @to@;
        zdo_base oid := pg_catalog.to_regclass(@hidden@);
        zdo_owner text;
        zdo_acl aclitem[];
        zdo_security boolean;
        zdo_columns text;
        zdo record;
      BEGIN
        SELECT r.rolname, c.relacl, c.relrowsecurity INTO zdo_owner, zdo_acl, zdo_security
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
          WHERE c.oid = zdo_base;
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO zdo_columns
          FROM pg_catalog.pg_attribute
          WHERE attrelid = zdo_base AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('CREATE VIEW %s%s AS SELECT %s, %I AS %I FROM %s', zdo_view,
          CASE WHEN zdo_security THEN ' WITH (security_invoker = true)' ELSE '' END,
          zdo_columns, zdo_from, zdo_to, @hidden@);
        EXECUTE format('COMMENT ON RULE "_RETURN" ON %s IS %L', zdo_view, @migration@);
        IF zdo_owner <> current_user THEN
          EXECUTE format('ALTER VIEW %s OWNER TO %I', zdo_view, zdo_owner);
        END IF;
        FOR zdo IN SELECT a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS value
            FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a
              ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE d.adrelid = zdo_base AND a.attgenerated = '' AND a.attname <> zdo_from LOOP
          EXECUTE format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', zdo_view, zdo.attname,
            zdo.value);
        END LOOP;
        -- The table's privileges, and none that new tables get by default.
        FOR zdo IN SELECT DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC') AS grantee
            FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x
              LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
            WHERE c.oid = pg_catalog.to_regclass(zdo_view)
              AND (zdo_acl IS NOT NULL OR x.grantee <> c.relowner) LOOP
          EXECUTE format('REVOKE ALL ON %s FROM %s', zdo_view, zdo.grantee);
        END LOOP;
        IF zdo_acl IS NOT NULL THEN
          EXECUTE format('REVOKE ALL ON %s FROM %I', zdo_view, zdo_owner);
        END IF;
        FOR zdo IN SELECT x.privilege_type, NULL::text AS name,
              coalesce(quote_ident(r.rolname), 'PUBLIC') AS grantee, x.is_grantable
            FROM pg_catalog.aclexplode(zdo_acl) x
              LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
            UNION ALL
            SELECT x.privilege_type, n.name, coalesce(quote_ident(r.rolname), 'PUBLIC'),
              x.is_grantable
            FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL (VALUES (a.attname::text),
                (zdo_to)) n(name)
              CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) x
              LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
            WHERE a.attrelid = zdo_base AND a.attnum > 0 AND NOT a.attisdropped
              AND (n.name = a.attname OR a.attname = zdo_from) LOOP
          EXECUTE format('GRANT %s%s ON %s TO %s%s', zdo.privilege_type,
            CASE WHEN zdo.name IS NULL THEN '' ELSE format(' (%I)', zdo.name) END, zdo_view,
            zdo.grantee, CASE WHEN zdo.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        END LOOP;
        IF pg_catalog.obj_description(zdo_base, 'pg_class') IS NOT NULL THEN
          EXECUTE format('COMMENT ON VIEW %s IS %L', zdo_view,
            pg_catalog.obj_description(zdo_base, 'pg_class'));
        END IF;
        FOR zdo IN SELECT n.name, pg_catalog.col_description(zdo_base, a.attnum) AS value
            FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL (VALUES (a.attname::text),
              (zdo_to)) n(name)
            WHERE a.attrelid = zdo_base AND a.attnum > 0 AND NOT a.attisdropped
              AND (n.name = a.attname OR a.attname = zdo_from)
              AND pg_catalog.col_description(zdo_base, a.attnum) IS NOT NULL LOOP
          EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', zdo_view, zdo.name, zdo.value);
        END LOOP;
      END
      $@tag@$""";

  private final String migration;
  private final String table;
  private final String hidden;
  private final String hiddenName;
  private final String tableName;
  private final String from;
  private final String to;
  private final String tag;

  TwoNameView(RenameColumnByView migration, Target target) {
    String schema = target.schema();
    String hash = Sql.hash8(migration.id(), schema);
    String prefix = PREFIX + hash + "_";
    this.migration = migration.id();
    this.tableName = migration.table();
    this.hiddenName = prefix + Sql.cut(tableName, Sql.MAX_NAME_BYTES - prefix.length());
    this.table = Sql.qualified(schema, tableName);
    this.hidden = Sql.qualified(schema, hiddenName);
    this.from = migration.from();
    this.to = migration.to();
    this.tag = "zdo_" + hash;
  }

  /**
   * The migration that a view belongs to.
   *
   * @param catalog the catalog
   * @param view the oid of a view
   * @return empty if it is nobody's
   */
  static Optional<String> owner(Catalog catalog, long view) throws SQLException {
    return catalog
        .list(
            "SELECT obj_description(r.oid, 'pg_rewrite') FROM pg_rewrite r JOIN pg_depend d ON"
                + " d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid JOIN pg_class c ON"
                + " d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid WHERE r.ev_class ="
                + " ?::bigint::oid AND starts_with(c.relname::text, ?) AND obj_description(r.oid,"
                + " 'pg_rewrite') IS NOT NULL LIMIT 1",
            row -> String.valueOf(row.getString(1)),
            view,
            PREFIX)
        .stream()
        .findFirst();
  }

  /** Where code looks for the table; quoted and qualified. */
  String table() {
    return table;
  }

  /** The table's own name meanwhile, quoted and qualified. */
  String hidden() {
    return hidden;
  }

  /** The same, unquoted and unqualified. */
  String hiddenName() {
    return hiddenName;
  }

  String from() {
    return from;
  }

  String to() {
    return to;
  }

  String hide() {
    return "ALTER TABLE " + table + " RENAME TO " + Sql.quote(hiddenName);
  }

  String create() {
    String sql = CREATE.replace("@tag@", tag);
    // One after the other, so that no name is taken for another's place.
    StringBuilder filled = new StringBuilder();
    int at = 0;
    for (int open = sql.indexOf('@'); open >= 0; open = sql.indexOf('@', at)) {
      int close = sql.indexOf('@', open + 1);
      filled.append(sql, at, open).append(value(sql.substring(open + 1, close)));
      at = close + 1;
    }
    return filled.append(sql.substring(at)).toString();
  }

  private String value(String name) {
    return switch (name) {
      case "view" -> Sql.literal(table);
      case "hidden" -> Sql.literal(hidden);
      case "from" -> Sql.literal(from);
      case "to" -> Sql.literal(to);
      case "migration" -> Sql.literal(migration);
      default -> throw new IllegalArgumentException(name);
    };
  }

  String drop() {
    return "DROP VIEW " + table;
  }

  String unhide() {
    return "ALTER TABLE " + hidden + " RENAME TO " + Sql.quote(tableName);
  }

  String rename(String before, String after) {
    return "ALTER TABLE "
        + table
        + " RENAME COLUMN "
        + Sql.quote(before)
        + " TO "
        + Sql.quote(after);
  }

  /** Whether the view stands in for the table, with everything that the table has. */
  Probe shown() {
    return Probes.all(
        kind(table, "v"),
        kind(hidden, "r"),
        Probes.column(table, to),
        Probes.column(table, from),
        Probes.column(hidden, from),
        "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute h WHERE h.attrelid = "
            + Sql.regclass(hidden)
            + " AND h.attnum > 0 AND NOT h.attisdropped AND NOT EXISTS (SELECT 1 FROM"
            + " pg_catalog.pg_attribute s WHERE s.attrelid = "
            + Sql.regclass(table)
            + " AND s.attname = h.attname))");
  }

  /** Whether the table is back, with one name for the column. */
  Probe gone(String is, String was) {
    return Probes.all(
        kind(table, "r"),
        Sql.regclass(hidden) + " IS NULL",
        Probes.column(table, is),
        Probes.not(Probes.column(table, was)));
  }

  private static String kind(String relation, String kind) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = "
        + Sql.regclass(relation)
        + " AND c.relkind = '"
        + kind
        + "')";
  }
}
