package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.List;

/** Whether a view can stand in for a table, and go again, whatever it is for. */
final class StandInCheck {

  private static final int SECURITY_INVOKER = 150_000;

  /** What takes or returns rows of a relation, or holds some: it knows them by its type. */
  static final String ROW_TYPES =
      "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d JOIN"
          + " pg_type y ON d.refclassid = 'pg_type'::regclass AND d.refobjid = y.oid WHERE d.deptype"
          + " = 'n' AND (y.typrelid = ?::bigint::oid OR y.typelem = (SELECT reltype FROM pg_class"
          + " WHERE oid = ?::bigint::oid)) ORDER BY 1";

  private final Catalog catalog;
  private final String otherwise;

  /**
   * A check.
   *
   * @param catalog the catalog
   * @param otherwise what else could be done, for messages; a sentence, or empty
   */
  StandInCheck(Catalog catalog, String otherwise) {
    this.catalog = catalog;
    this.otherwise = otherwise.isEmpty() ? "" : " " + otherwise;
  }

  /** Before the view comes: the table has nothing that a view can't have or pass on. */
  void requireOrdinary(CatalogTable table) throws SQLException {
    requireNoRules(table);
    requirePrivileges(table);
    requireRowSecurity(table);
  }

  private void requireNoRules(CatalogTable table) throws SQLException {
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
              + ";"
              + otherwise);
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
    if (RecordedStatements.version(catalog) < SECURITY_INVOKER) {
      throw catalog.refuse(
          "row security is enabled for table "
              + display
              + ", and before PostgreSQL 15 a view would get round its policies",
          "Upgrade to PostgreSQL 15." + otherwise);
    }
    columns.remove("null");
    if (!columns.isEmpty()) {
      throw catalog.refuse(
          "row security is enabled for table "
              + display
              + ", and privileges are granted on its columns "
              + columns
              + ": to read a view that minds policies, a role needs all columns",
          "Grant on the table as a whole instead." + otherwise);
    }
  }

  /** A view's rows are of another type than the table's. */
  void requireNobodys(CatalogTable table) throws SQLException {
    requireNobodys(
        table.oid(), "rows of table " + table.display() + " are known by their type to ");
  }

  private void requireNobodys(long relation, String problem) throws SQLException {
    List<String> users = catalog.list(ROW_TYPES, row -> row.getString(1), relation, relation);
    if (!users.isEmpty()) {
      throw catalog.refuse(
          problem + String.join(", ", users),
          "Let it name columns, or a type of its own." + otherwise);
    }
  }

  /**
   * Before the view goes.
   *
   * @param oid the view
   * @param name its name, for messages
   */
  void requireUnused(long oid, String name) throws SQLException {
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
              + name
              + " can't go, since it is used by "
              + String.join(", ", dependents),
          "Drop it, and create it anew afterwards.");
    }
    requireNobodys(
        oid,
        "the view that stands in for table "
            + name
            + " can't go: its rows are known by their type to ");
  }

  /** Subscribers know the table by its name. */
  void requireUnpublished(CatalogTable table) throws SQLException {
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
              + ", and subscribers know it by the name that it has now",
          "Take it out of the publication until CONTRACT." + otherwise);
    }
  }
}
