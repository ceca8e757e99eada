package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/** Whether a table can step aside for a view, and come back. */
final class RenameColumnByViewCheck {

  static final String TRIGGER_FORM = "Or use RenameColumn, which works with a second column.";

  private static final int MAX_COLUMNS = 1_600;
  private static final int SECURITY_INVOKER = 150_000;

  /** These are kept by the column's number, or with the table: a rename doesn't touch them. */
  private static final Set<Dependent.Kind> FOLLOW =
      Set.of(
          Dependent.Kind.VIEW,
          Dependent.Kind.GENERATED_COLUMN,
          Dependent.Kind.POLICY,
          Dependent.Kind.TRIGGER,
          Dependent.Kind.STATISTICS);

  /** What takes or returns rows of a relation, or holds some: it knows them by its type. */
  static final String ROW_TYPES =
      "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d JOIN"
          + " pg_type y ON d.refclassid = 'pg_type'::regclass AND d.refobjid = y.oid WHERE d.deptype"
          + " = 'n' AND (y.typrelid = ?::bigint::oid OR y.typelem = (SELECT reltype FROM pg_class"
          + " WHERE oid = ?::bigint::oid)) ORDER BY 1";

  private final RenameColumnByView migration;
  private final Catalog catalog;
  private final TwoNameView view;

  RenameColumnByViewCheck(RenameColumnByView migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
    this.view = new TwoNameView(migration, target);
  }

  /** Before the table steps aside. */
  void requireSwappable() throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn from = catalog.column(table, migration.from());
    Sql.requireFits(migration.id(), "column", migration.to());
    requireFree(table);
    requireSimple(table, from);
    requirePrivileges(table);
    requireRowSecurity(table);
    requireUnused(table, from);
    requireNobodys(
        table.oid(), "rows of table " + table.display() + " are known by their type to ");
    requireUnpublished(table);
    RecordedStatements.requireHarmless(catalog, table, from);
  }

  /** Before the view goes. */
  void requireBack() throws SQLException {
    List<Long> shown =
        catalog.list(
            "SELECT c.oid::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " WHERE n.nspname = ? AND c.relname = ? AND c.relkind = 'v'",
            row -> row.getLong(1),
            catalog.target().schema(),
            migration.table());
    if (shown.isEmpty()) {
      throw catalog.refuse(
          view.table() + " is no longer the view that shows table " + view.hidden(),
          "Find out who replaced it, and restore it: "
              + view.table()
              + " has to be a view of all columns of "
              + view.hidden()
              + ", and of "
              + Sql.quote(view.from())
              + " as "
              + Sql.quote(view.to())
              + ".");
    }
    CatalogTable hidden = catalog.table(view.hiddenName());
    CatalogColumn from = catalog.column(hidden, migration.from());
    requireFree(hidden);
    // Their text names what code sees.
    requireUnused(
        new CatalogTable(
            hidden.oid(),
            hidden.schema(),
            migration.table(),
            hidden.owner(),
            hidden.rowSecurity(),
            hidden.lastAttribute()),
        from);
    long oid = shown.get(0);
    List<String> dependents =
        catalog.list(
            "SELECT DISTINCT pg_describe_object('pg_class'::regclass, r.ev_class, 0) FROM pg_depend"
                + " d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
                + " WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ?::bigint::oid AND"
                + " r.ev_class <> d.refobjid ORDER BY 1",
            row -> row.getString(1),
            oid);
    if (!dependents.isEmpty()) {
      throw catalog.refuse(
          "the view that stands in for table "
              + view.table()
              + " can't go, since it is used by "
              + String.join(", ", dependents),
          "Drop it, and create it anew afterwards.");
    }
    requireNobodys(
        oid,
        "the view that stands in for table "
            + view.table()
            + " can't go: its rows are known by their type to ");
    requireUnpublished(hidden);
  }

  private void requireFree(CatalogTable table) throws SQLException {
    if (!catalog
        .list(
            "SELECT 1 FROM pg_attribute WHERE attrelid = ?::bigint::oid AND attname = ?",
            row -> row.getInt(1),
            table.oid(),
            migration.to())
        .isEmpty()) {
      throw catalog.refuse(
          "the name \"" + migration.to() + "\" is taken in table " + table.display(),
          "Choose another name, or drop the column that has it. Every table has system columns,"
              + " such as ctid and xmin, too.");
    }
  }

  private void requireSimple(CatalogTable table, CatalogColumn from) throws SQLException {
    String column = "column " + table.display() + "." + from.quoted();
    catalog.requireFree("table meanwhile", view.hiddenName());
    if (from.inherited()) {
      throw catalog.refuse(
          column + " is inherited from another table",
          "Rename it in that table, or NO INHERIT it.");
    }
    if (from.domainDefault() != null) {
      throw catalog.refuse(
          column
              + " is of domain "
              + from.type()
              + ", which has a default: a row that gives the column under one name would get it"
              + " under the other",
          "ALTER DOMAIN "
              + from.type()
              + " DROP DEFAULT; and give the column a default of its own. "
              + TRIGGER_FORM);
    }
    if (catalog.columns(table).size() >= MAX_COLUMNS) {
      throw catalog.refuse(
          "table " + table.display() + " has as many columns as a view may have, " + MAX_COLUMNS,
          "Drop one.");
    }
    List<String> rules =
        catalog.list(
            "SELECT rulename FROM pg_rewrite WHERE ev_class = ?::bigint::oid ORDER BY 1",
            row -> row.getString(1),
            table.oid());
    if (!rules.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " has rules, which a view changes the meaning of: " + rules,
          "Replace them by triggers.");
    }
    List<String> labels =
        catalog.list(
            "SELECT DISTINCT provider FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND"
                + " objoid = ?::bigint::oid ORDER BY 1",
            row -> row.getString(1),
            table.oid());
    if (!labels.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " has security labels, which a view would lack: " + labels,
          "SECURITY LABEL ... IS NULL; and label it again afterwards.");
    }
  }

  private void requirePrivileges(CatalogTable table) throws SQLException {
    Privileges.requireCreate(catalog, "views", table.schema());
    String owner = table.owner();
    if (!catalog
        .list(
            "SELECT has_schema_privilege(?, ?, 'CREATE')",
            row -> row.getBoolean(1),
            owner,
            table.schema())
        .equals(List.of(true))) {
      throw catalog.forbid(
          "\""
              + owner
              + "\" owns table "
              + table.display()
              + ", and may not own a view in its schema",
          "GRANT CREATE ON SCHEMA " + Sql.quote(table.schema()) + " TO " + Sql.quote(owner) + ";");
    }
    List<String> lacking =
        catalog.list(
            "SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p WHERE NOT"
                + " has_table_privilege(?, ?::bigint::oid, p)",
            row -> row.getString(1),
            owner,
            table.oid());
    if (!lacking.isEmpty()) {
      throw catalog.forbid(
          "a view reads and writes as its owner, and \""
              + owner
              + "\" may not "
              + String.join(", ", lacking)
              + " its own table "
              + table.display(),
          "GRANT "
              + String.join(", ", lacking)
              + " ON "
              + table.qualified()
              + " TO "
              + Sql.quote(owner)
              + "; "
              + TRIGGER_FORM);
    }
  }

  /** Policies are about who asks; a view asks as its owner, unless told otherwise. */
  private void requireRowSecurity(CatalogTable table) throws SQLException {
    List<String> columns =
        catalog.list(
            "SELECT a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND"
                + " a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL WHERE c.oid ="
                + " ?::bigint::oid AND c.relrowsecurity ORDER BY a.attnum",
            row -> String.valueOf(row.getString(1)),
            table.oid());
    if (columns.isEmpty()) {
      return;
    }
    String display = table.display();
    if (version() < SECURITY_INVOKER) {
      throw catalog.refuse(
          "row security is enabled for table "
              + display
              + ", and before PostgreSQL 15 a view would get round its policies",
          "Upgrade to PostgreSQL 15, or use RenameColumn, which works with a second column.");
    }
    columns.remove("null");
    if (!columns.isEmpty()) {
      throw catalog.refuse(
          "row security is enabled for table "
              + display
              + ", and privileges are granted on its columns "
              + columns
              + ": to read a view that minds policies, a role needs all columns",
          "Grant on the table as a whole instead. " + TRIGGER_FORM);
    }
  }

  private int version() throws SQLException {
    return Integer.parseInt(catalog.text("SELECT current_setting('server_version_num')"));
  }

  private void requireUnused(CatalogTable table, CatalogColumn from) throws SQLException {
    List<String> dependents =
        catalog.dependents(table, from).stream()
            .filter(each -> !FOLLOW.contains(each.kind()))
            .map(Dependent::name)
            .toList();
    if (!dependents.isEmpty()) {
      throw catalog.refuse(
          "column "
              + table.display()
              + "."
              + from.quoted()
              + " is used by "
              + String.join(", ", dependents),
          "Drop it, or change it so that it doesn't name the column, and create it anew for the new"
              + " name afterwards.");
    }
  }

  private void requireNobodys(long relation, String problem) throws SQLException {
    List<String> users = catalog.list(ROW_TYPES, row -> row.getString(1), relation, relation);
    if (!users.isEmpty()) {
      throw catalog.refuse(
          problem + String.join(", ", users),
          "Let it name columns, or a type of its own. " + TRIGGER_FORM);
    }
  }

  /** Subscribers know the table by its name. */
  private void requireUnpublished(CatalogTable table) throws SQLException {
    List<String> publications =
        catalog.list(
            "SELECT DISTINCT pubname FROM pg_publication_tables WHERE schemaname = ? AND tablename"
                + " = ? ORDER BY 1",
            row -> row.getString(1),
            table.schema(),
            table.name());
    if (!publications.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " is published by "
              + publications
              + ", and subscribers have no table of the name that it has meanwhile",
          "Take it out of the publication until CONTRACT. " + TRIGGER_FORM);
    }
  }
}
