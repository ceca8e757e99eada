package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Whether a view can show a table under its old name, and whether that name can go. */
final class RenameTableCheck {

  private static final String TYPES =
      "SELECT format_type(t.oid, NULL) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
          + " WHERE n.nspname = ? AND t.typname = ? AND t.typcategory <> 'A'";

  private static final String EXTENSIONS =
      "SELECT e.extname FROM pg_depend d JOIN pg_extension e ON d.refclassid ="
          + " 'pg_extension'::regclass AND e.oid = d.refobjid WHERE d.classid ="
          + " 'pg_class'::regclass AND d.objid = ?::bigint::oid AND d.deptype = 'e'";

  /** Those whose text names a table, or that one of the table's own triggers calls. */
  private static final String FUNCTIONS =
      "SELECT p.oid::regprocedure::text, p.proname, p.prosrc, (SELECT min(t.tgname::text) FROM"
          + " pg_trigger t WHERE t.tgfoid = p.oid AND t.tgrelid = ?::bigint::oid AND NOT"
          + " t.tgisinternal) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN"
          + " pg_language l ON l.oid = p.prolang WHERE n.nspname <> ? AND n.nspname !~"
          + " '^(pg_|information_schema$)' AND l.lanname NOT IN ('c', 'internal') AND NOT EXISTS"
          + " (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND"
          + " d.deptype = 'e') ORDER BY 1";

  private static final Pattern OWN_NAME =
      Pattern.compile("\\bTG_(?:TABLE_NAME|RELNAME)\\b", Pattern.CASE_INSENSITIVE);

  /** Where a statement of a function's text begins, besides after a semicolon. */
  private static final Pattern BEGINNING =
      Pattern.compile("\\b(?:BEGIN|THEN|ELSE|LOOP|EXECUTE\\s*')", Pattern.CASE_INSENSITIVE);

  private final RenameTable migration;
  private final Catalog catalog;
  private final StandInCheck standIn;

  RenameTableCheck(RenameTable migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
    this.standIn = new StandInCheck(catalog, "");
  }

  /** Before the table gets its new name. */
  void requireRenamable() throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    Sql.requireFits(migration.id(), "table", migration.to());
    catalog.requireFree("table", migration.to());
    requireNoType();
    requireNobodysExtension(table);
    standIn.requireOrdinary(table);
    standIn.requireNobodys(table);
    standIn.requireUnpublished(table);
    requireWorking(table);
    RecordedStatements.requireHarmless(catalog, table, identity(table), "");
  }

  /** A table's row type has the table's name; array types give way. */
  private void requireNoType() throws SQLException {
    if (!catalog.list(TYPES, row -> true, catalog.target().schema(), migration.to()).isEmpty()) {
      throw catalog.refuse(
          "the name \""
              + migration.to()
              + "\" for the table is taken: in schema \""
              + catalog.target().schema()
              + "\" it is a type",
          "Choose another name, or drop what has it.");
    }
  }

  private void requireNobodysExtension(CatalogTable table) throws SQLException {
    List<String> extensions = catalog.list(EXTENSIONS, row -> row.getString(1), table.oid());
    if (!extensions.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " belongs to extension " + extensions,
          "Let the extension rename it.");
    }
  }

  private List<String> identity(CatalogTable table) throws SQLException {
    return catalog.list(
        "SELECT attname FROM pg_attribute WHERE attrelid = ?::bigint::oid AND attidentity <> ''"
            + " AND NOT attisdropped ORDER BY attnum",
        row -> row.getString(1),
        table.oid());
  }

  private record Function(String name, String bare, String text, boolean triggered) {

    String display(String why) {
      return "function "
          + name
          + " "
          + why
          + " (allowFunctions(\""
          + bare
          + "\") if that is right)";
    }
  }

  private List<Function> functions(CatalogTable table) throws SQLException {
    return catalog
        .list(
            FUNCTIONS,
            row ->
                new Function(
                    row.getString(1),
                    row.getString(2),
                    String.valueOf(row.getString(3)),
                    row.getString(4) != null),
            table.oid(),
            catalog.target().controlSchema())
        .stream()
        .filter(each -> !catalog.policy().allowedFunctions().contains(each.bare()))
        .toList();
  }

  /** Functions go on naming the table as they do: the view must be good enough for them. */
  private void requireWorking(CatalogTable table) throws SQLException {
    List<String> columns = identity(table);
    int version = RecordedStatements.version(catalog);
    List<String> broken = new ArrayList<>();
    for (Function function : functions(table)) {
      if (function.triggered() && OWN_NAME.matcher(function.text()).find()) {
        broken.add(function.display("is told the table's name, which is the new one from then on"));
        continue;
      }
      List<String> statements = new ArrayList<>();
      for (String part : function.text().split(";")) {
        statements.addAll(List.of(BEGINNING.split(part)));
      }
      RecordedStatements.harmful(statements, table.schema(), table.name(), columns, version)
          .stream()
          .findFirst()
          .ifPresent(each -> broken.add(function.display("has a statement that fails, " + each)));
    }
    if (!broken.isEmpty()) {
      throw catalog.refuse(
          "with a view under the old name of table "
              + table.display()
              + " these would not work as before: "
              + String.join("; ", broken),
          "Change or drop them first.");
    }
  }

  /** Before the view goes, and the old name with it. */
  void requireForgotten() throws SQLException {
    CatalogTable table = catalog.table(migration.to());
    String name = Sql.qualified(table.schema(), migration.table());
    List<Long> shown =
        catalog.list(
            "SELECT c.oid::bigint FROM pg_class c WHERE c.oid = to_regclass(?) AND c.relkind = 'v'",
            row -> row.getLong(1),
            name);
    if (shown.isEmpty()
        || !StandInView.owner(catalog, shown.get(0)).equals(Optional.of(migration.id()))) {
      throw catalog.refuse(
          name + " is no longer the view that shows table " + table.display() + " by its old name",
          "Find out who replaced it, and take the migration back with rollback(\""
              + migration.id()
              + "\") or drop what is there.");
    }
    standIn.requireUnused(shown.get(0), name);
    requireUnnamed(table);
  }

  private void requireUnnamed(CatalogTable table) throws SQLException {
    Pattern word = Dependent.word(migration.table());
    List<String> users = new ArrayList<>();
    for (Function function : functions(table)) {
      if (word.matcher(function.text()).find()) {
        users.add(function.display("names it"));
      }
    }
    Dependent.arguments(catalog, word).forEach(each -> users.add(each.name()));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "the old name of table " + table.display() + " is still used: " + users,
          "Let them use \"" + migration.to() + "\", which is there by now.");
    }
  }
}
