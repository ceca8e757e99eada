package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A view that stands in for a table, as SQL; and whose it is. */
final class StandInView {

  /** What a table is called that has stepped aside for a view of its own name. */
  static final String HIDDEN = "zdo_table_";

  /** In the note of a view that stands in for a renamed table. */
  private static final String RENAMED = "zdo_renamed ";

  /**
   * Made from the catalog as it is under the lock, so that no column, privilege or comment can have
   * come in between. The rule behind the view notes whose it is.
   *
   * <p>A column's default is shown on the view too, since {@code SET c = DEFAULT} takes the view's.
   * Not that of a column with two names: a row that gives one name would get it under the other.
   * {@code from} and {@code to} are null where no column has two.
   */
  private static final String CREATE =
      """
      DO $@tag@$
      DECLARE
        zdo_view text := @view@;
        zdo_from text := @from@;
        zdo_to text := @to@;
        zdo_base oid := pg_catalog.to_regclass(@base@);
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
        IF zdo_to IS NOT NULL THEN
          zdo_columns := zdo_columns || format(', %I AS %I', zdo_from, zdo_to);
        END IF;
        EXECUTE format('CREATE VIEW %s%s AS SELECT %s FROM %s', zdo_view,
          CASE WHEN zdo_security THEN ' WITH (security_invoker = true)' ELSE '' END,
          zdo_columns, @base@);
        EXECUTE format('COMMENT ON RULE "_RETURN" ON %s IS %L', zdo_view, @note@);
        IF zdo_owner <> current_user THEN
          EXECUTE format('ALTER VIEW %s OWNER TO %I', zdo_view, zdo_owner);
        END IF;
        FOR zdo IN SELECT a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS value
            FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a
              ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE d.adrelid = zdo_base AND a.attgenerated = '' AND a.attname IS DISTINCT FROM zdo_from
          LOOP
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

  private StandInView() {}

  /**
   * Creates it, with the columns of a table in their order.
   *
   * @param view where code looks for the table; quoted and qualified
   * @param base the table; quoted and qualified
   * @param from a column to be shown under another name too, at the end; unquoted, or null
   * @param to that name; unquoted, or null
   * @param note whose it is
   * @param tag ends no text in the catalog
   */
  static String create(
      String view,
      String base,
      @Nullable String from,
      @Nullable String to,
      String note,
      String tag) {
    String sql = CREATE.replace("@tag@", tag);
    // One after the other, so that no name is taken for another's place.
    StringBuilder filled = new StringBuilder();
    int at = 0;
    for (int open = sql.indexOf('@'); open >= 0; open = sql.indexOf('@', at)) {
      int close = sql.indexOf('@', open + 1);
      String name = sql.substring(open + 1, close);
      filled
          .append(sql, at, open)
          .append(
              switch (name) {
                case "view" -> Sql.literal(view);
                case "base" -> Sql.literal(base);
                case "from" -> from == null ? "NULL" : Sql.literal(from);
                case "to" -> to == null ? "NULL" : Sql.literal(to);
                case "note" -> Sql.literal(note);
                default -> throw new IllegalArgumentException(name);
              });
      at = close + 1;
    }
    return filled.append(sql.substring(at)).toString();
  }

  /** The note of a view under a table's old name. */
  static String renamed(String migration) {
    return RENAMED + migration;
  }

  /**
   * The migration that a view belongs to.
   *
   * @param catalog the catalog
   * @param view the oid of a view
   * @return empty if it is nobody's
   */
  static Optional<String> owner(Catalog catalog, long view) throws SQLException {
    return note(
        catalog,
        "r.ev_class = ?::bigint::oid AND (starts_with(c.relname::text, '"
            + HIDDEN
            + "') OR starts_with(obj_description(r.oid, 'pg_rewrite'), '"
            + RENAMED
            + "'))",
        view);
  }

  /**
   * The migration because of which a view has this table's old name.
   *
   * @param catalog the catalog
   * @param table the oid of a table
   * @return empty if there is no such view
   */
  static Optional<String> renaming(Catalog catalog, long table) throws SQLException {
    return note(
        catalog,
        "d.refobjid = ?::bigint::oid AND r.ev_class <> d.refobjid AND"
            + " starts_with(obj_description(r.oid, 'pg_rewrite'), '"
            + RENAMED
            + "')",
        table);
  }

  private static Optional<String> note(Catalog catalog, String condition, long oid)
      throws SQLException {
    return catalog
        .list(
            "SELECT obj_description(r.oid, 'pg_rewrite') FROM pg_rewrite r JOIN pg_depend d ON"
                + " d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid JOIN pg_class c ON"
                + " d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid WHERE "
                + condition
                + " AND obj_description(r.oid, 'pg_rewrite') IS NOT NULL LIMIT 1",
            row -> String.valueOf(row.getString(1)),
            oid)
        .stream()
        .map(note -> note.startsWith(RENAMED) ? note.substring(RENAMED.length()) : note)
        .findFirst();
  }

  /**
   * Whether a view stands in for a table, with every column of it.
   *
   * @param view the view
   * @param base the table
   * @return conditions, for {@link Probes#all}
   */
  static List<String> shown(String view, String base) {
    return List.of(
        kind(view, "v"),
        kind(base, "r"),
        "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute h WHERE h.attrelid = "
            + Sql.regclass(base)
            + " AND h.attnum > 0 AND NOT h.attisdropped AND NOT EXISTS (SELECT 1 FROM"
            + " pg_catalog.pg_attribute s WHERE s.attrelid = "
            + Sql.regclass(view)
            + " AND s.attname = h.attname))");
  }

  /** Whether a name is that of a relation of one kind. */
  static String kind(String relation, String kind) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = "
        + Sql.regclass(relation)
        + " AND c.relkind = '"
        + kind
        + "')";
  }
}
