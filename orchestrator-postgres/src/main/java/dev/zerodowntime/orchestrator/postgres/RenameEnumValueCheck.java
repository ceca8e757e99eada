package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Whether a value of an enumeration can be renamed without anybody else noticing. */
final class RenameEnumValueCheck {

  /** The tables that have the type, as they are printed. */
  private static final String TABLES =
      "SELECT c.oid::regclass::text, CASE WHEN n.nspname = ? THEN c.relname ELSE n.nspname || '.'"
          + " || c.relname END FROM unnest(?::text[]) u JOIN pg_class c ON c.oid = to_regclass(u)"
          + " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid <> ?::bigint::oid ORDER BY 1";

  private static final String COMPOSITES =
      "WITH RECURSIVE types(oid) AS (SELECT to_regtype(?)::oid UNION SELECT t.oid FROM types JOIN"
          + " pg_type t ON t.typbasetype = types.oid OR t.typelem = types.oid AND t.typcategory ="
          + " 'A') SELECT pg_describe_object('pg_class'::regclass, c.oid, 0) FROM pg_attribute a"
          + " JOIN pg_class c ON c.oid = a.attrelid WHERE a.atttypid IN (SELECT oid FROM types) AND"
          + " NOT a.attisdropped AND c.relkind IN ('c', 'f') UNION ALL SELECT 'range ' ||"
          + " rngtypid::regtype FROM pg_range WHERE rngsubtype IN (SELECT oid FROM types) ORDER BY 1";

  private static final String PUBLICATIONS =
      "SELECT DISTINCT p.pubname FROM unnest(?::text[]) u JOIN pg_class c ON c.oid = to_regclass(u)"
          + " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_publication_tables p ON"
          + " p.schemaname = n.nspname AND p.tablename = c.relname ORDER BY 1";

  private static final String FUNCTIONS =
      "SELECT p.oid::regprocedure::text, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid ="
          + " p.pronamespace JOIN pg_language l ON l.oid = p.prolang WHERE n.nspname <> ? AND"
          + " n.nspname !~ '^(pg_|information_schema$)' AND l.lanname NOT IN ('c', 'internal') AND"
          + " position(quote_literal(?::text) IN p.prosrc) > 0 AND NOT EXISTS (SELECT FROM pg_depend"
          + " d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') ORDER"
          + " BY 1";

  /** What compares the value's text, which changes: the value itself it would have by number. */
  private static final String TEXTS =
      "WITH t AS (SELECT to_regclass(u)::oid AS oid FROM unnest(?::text[]) u), texts AS (SELECT"
          + " 'pg_constraint'::regclass AS class, k.oid, pg_get_constraintdef(k.oid) AS text FROM t"
          + " JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'c' UNION ALL SELECT"
          + " 'pg_attrdef'::regclass, f.oid, pg_get_expr(f.adbin, f.adrelid) FROM t JOIN pg_attrdef"
          + " f ON f.adrelid = t.oid UNION ALL SELECT 'pg_policy'::regclass, p.oid,"
          + " concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))"
          + " FROM t JOIN pg_policy p ON p.polrelid = t.oid UNION ALL SELECT"
          + " 'pg_trigger'::regclass, g.oid, pg_get_triggerdef(g.oid) FROM t JOIN pg_trigger g ON"
          + " g.tgrelid = t.oid AND NOT g.tgisinternal UNION ALL SELECT 'pg_class'::regclass,"
          + " v.oid, pg_get_viewdef(v.oid) FROM pg_class v WHERE v.relkind IN ('v', 'm') AND EXISTS"
          + " (SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND"
          + " d.objid = r.oid JOIN t ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid"
          + " WHERE r.ev_class = v.oid)) SELECT pg_describe_object(class, oid, 0) FROM texts WHERE"
          + " position(quote_literal(?::text) || '::text' IN text) > 0 ORDER BY 1";

  private final RenameEnumValue migration;
  private final Catalog catalog;

  RenameEnumValueCheck(RenameEnumValue migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  void requireRenamable() throws SQLException {
    Sql.requireFits(migration.id(), "enumeration value's", migration.to());
    CatalogTable table = catalog.table(migration.table());
    CatalogEnum type = CatalogEnum.read(catalog, table, migration.type());
    type.require(catalog, migration.from());
    if (type.labels().contains(migration.to())) {
      throw catalog.refuse(
          "type " + type.qualified() + " already has a value \"" + migration.to() + "\"",
          "Two values can't become one: change the rows that have the other by a Backfill.");
    }
    requireNamed(table, type);
    requireNoComposites(type);
    requireUnpublished(type);
    requireUnnamed(type);
  }

  /** Whoever uses the type elsewhere must know, too. */
  private void requireNamed(CatalogTable table, CatalogEnum type) throws SQLException {
    List<String> unnamed =
        catalog
            .list(
                TABLES,
                row -> new String[] {row.getString(1), row.getString(2)},
                catalog.target().schema(),
                array(type),
                table.oid())
            .stream()
            .filter(each -> !migration.alsoIn().contains(each[1]))
            .map(each -> each[0])
            .toList();
    if (!unnamed.isEmpty()) {
      throw catalog.refuse(
          "type "
              + type.qualified()
              + " is also used by "
              + unnamed
              + ", and an application that touches only those would not be asked",
          "Let all that touch them touch \""
              + migration.table()
              + "\", too, and say so by alsoIn(...).");
    }
  }

  private void requireNoComposites(CatalogEnum type) throws SQLException {
    List<String> users = catalog.list(COMPOSITES, row -> row.getString(1), type.qualified());
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "type " + type.qualified() + " is part of " + users + ", whose users are not looked for",
          "Use a type of its own there.");
    }
  }

  private void requireUnpublished(CatalogEnum type) throws SQLException {
    List<String> publications = catalog.list(PUBLICATIONS, row -> row.getString(1), array(type));
    if (!publications.isEmpty()) {
      throw catalog.refuse(
          "rows with type "
              + type.qualified()
              + " are published by "
              + publications
              + ", and subscribers' types have no value \""
              + migration.to()
              + "\"",
          "Take the tables out of the publication, and rename the value on both sides before they"
              + " come back.");
    }
  }

  private void requireUnnamed(CatalogEnum type) throws SQLException {
    List<String> users = new ArrayList<>();
    for (String[] function :
        catalog.list(
            FUNCTIONS,
            row -> new String[] {row.getString(1), row.getString(2)},
            catalog.target().controlSchema(),
            migration.from())) {
      if (!catalog.policy().allowedFunctions().contains(function[1])) {
        users.add(
            "function "
                + function[0]
                + " (allowFunctions(\""
                + function[1]
                + "\") if it goes on working)");
      }
    }
    users.addAll(catalog.list(TEXTS, row -> row.getString(1), array(type), migration.from()));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "the text of value \"" + migration.from() + "\" is used by " + String.join(", ", users),
          "Change or drop them first; let them compare with the value itself where they can.");
    }
  }

  private Array array(CatalogEnum type) throws SQLException {
    return catalog.connection().createArrayOf("text", type.users().toArray());
  }
}
