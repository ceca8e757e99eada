package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;

/**
 * An enumeration type as the catalog has it.
 *
 * @param qualified quoted and qualified
 * @param labels in their order
 * @param users tables with columns of the type, of a domain over it, or of arrays of either; as
 *     printed
 */
record CatalogEnum(String qualified, List<String> labels, List<String> users) {

  private record Found(String kind, boolean owned, String owner, long oid) {}

  private static final String TYPE =
      "SELECT t.typtype::text, pg_has_role(t.typowner, 'USAGE'), r.rolname, t.oid::bigint FROM"
          + " pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles r ON r.oid ="
          + " t.typowner WHERE n.nspname = ? AND t.typname = ?";

  private static final String LABELS =
      "SELECT enumlabel FROM pg_enum WHERE enumtypid = ?::bigint::oid ORDER BY enumsortorder";

  private static final String USERS =
      "WITH RECURSIVE types(oid) AS (SELECT ?::bigint::oid UNION SELECT t.oid FROM types JOIN"
          + " pg_type t ON t.typbasetype = types.oid OR t.typelem = types.oid AND t.typcategory ="
          + " 'A') SELECT DISTINCT c.oid::regclass::text FROM pg_attribute a JOIN pg_class c ON"
          + " c.oid = a.attrelid WHERE a.atttypid IN (SELECT oid FROM types) AND NOT a.attisdropped"
          + " AND a.attnum > 0 AND c.relkind IN ('r', 'p') ORDER BY 1";

  /** The type: an enumeration that we may alter, of which the table has a column. */
  static CatalogEnum read(Catalog catalog, CatalogTable table, String name) throws SQLException {
    String schema = catalog.target().schema();
    String qualified = Sql.qualified(schema, name);
    List<Found> found =
        catalog.list(
            TYPE,
            row -> new Found(row.getString(1), row.getBoolean(2), row.getString(3), row.getLong(4)),
            schema,
            name);
    if (found.isEmpty()) {
      throw catalog.refuse(
          "there is no type \"" + name + "\" in schema \"" + schema + "\"",
          "Create it first, or correct the name or the schema; names are taken literally, upper and"
              + " lower case included.");
    }
    Found type = found.get(0);
    if (!type.kind().equals("e")) {
      throw catalog.refuse(
          "type " + qualified + " is not an enumeration",
          "Name one made by CREATE TYPE … AS ENUM.");
    }
    if (!type.owned()) {
      throw catalog.forbid(
          "user \""
              + catalog.user()
              + "\" does not own type "
              + qualified
              + ", \""
              + type.owner()
              + "\" does",
          "GRANT "
              + Sql.quote(type.owner())
              + " TO "
              + Sql.quote(catalog.user())
              + "; or ALTER TYPE "
              + qualified
              + " OWNER TO "
              + Sql.quote(catalog.user())
              + ";");
    }
    List<String> users = catalog.list(USERS, row -> row.getString(1), type.oid());
    if (catalog
        .list(
            "SELECT 1 FROM unnest(?::text[]) u WHERE to_regclass(u) = ?::bigint::oid",
            row -> row.getInt(1),
            catalog.connection().createArrayOf("text", users.toArray()),
            table.oid())
        .isEmpty()) {
      throw catalog.refuse(
          "no column of table " + table.display() + " has type " + qualified,
          users.isEmpty()
              ? "Nor has one of any other table: replace the type."
              : "Name one of the tables that have: " + users + ".");
    }
    return new CatalogEnum(
        qualified, catalog.list(LABELS, row -> row.getString(1), type.oid()), users);
  }

  /** Refuses a label that isn't there. */
  void require(Catalog catalog, String label) {
    if (!labels.contains(label)) {
      throw catalog.refuse(
          "type " + qualified + " has no value \"" + label + "\"",
          "Its values are " + labels + ".");
    }
  }
}
