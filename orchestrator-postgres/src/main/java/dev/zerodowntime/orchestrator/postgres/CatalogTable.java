package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.NotYetException;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * A table as the catalog has it.
 *
 * @param oid its oid
 * @param schema its schema, unquoted
 * @param name its name, unquoted
 * @param owner its owner, unquoted
 * @param rowSecurity whether row security hides rows from us
 * @param lastAttribute the highest number a column ever had
 * @param partitioned whether its rows are in partitions
 */
record CatalogTable(
    long oid,
    String schema,
    String name,
    String owner,
    boolean rowSecurity,
    int lastAttribute,
    boolean partitioned) {

  /** An ordinary one. */
  CatalogTable(
      long oid, String schema, String name, String owner, boolean rowSecurity, int lastAttribute) {
    this(oid, schema, name, owner, rowSecurity, lastAttribute, false);
  }

  private static final int MAX_COLUMNS = 1_600;

  private record Found(
      CatalogTable table, String kind, boolean partition, boolean hasChildren, boolean typed) {}

  /** Quoted and qualified. */
  String qualified() {
    return Sql.qualified(schema, name);
  }

  /** For messages. */
  String display() {
    return qualified();
  }

  /**
   * A table of the target schema that we may alter.
   *
   * @param partitioned whether it may be a partitioned one
   */
  static CatalogTable read(Catalog catalog, String name, boolean partitioned) throws SQLException {
    CatalogTable table = read(catalog, catalog.target().schema(), name, partitioned);
    table.requireOwned(catalog);
    return table;
  }

  /** An ordinary table of any schema, whoever owns it. */
  static CatalogTable read(Catalog catalog, String schema, String name) throws SQLException {
    return read(catalog, schema, name, false);
  }

  /** The same; a partitioned one if the caller can cope with it. */
  static CatalogTable read(Catalog catalog, String schema, String name, boolean partitioned)
      throws SQLException {
    List<Found> found =
        catalog.list(
            "SELECT c.oid::bigint, c.relkind, r.rolname,"
                + " c.relispartition, EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent ="
                + " c.oid), c.reloftype <> 0, row_security_active(c.oid), c.relnatts FROM pg_class"
                + " c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid ="
                + " c.relowner WHERE n.nspname = ? AND c.relname = ?",
            row ->
                new Found(
                    new CatalogTable(
                        row.getLong(1),
                        schema,
                        name,
                        row.getString(3),
                        row.getBoolean(7),
                        row.getInt(8),
                        row.getString(2).equals("p")),
                    row.getString(2),
                    row.getBoolean(4),
                    row.getBoolean(5),
                    row.getBoolean(6)),
            schema,
            name);
    if (found.isEmpty()) {
      throw catalog.refuse(
          "there is no table \"" + name + "\" in schema \"" + schema + "\"",
          similar(catalog, name));
    }
    Found it = found.get(0);
    requireOrdinary(catalog, it, partitioned);
    return it.table();
  }

  private void requireOwned(Catalog catalog) throws SQLException {
    Optional<Privileges.Missing> missing = Privileges.owner(catalog.connection(), display(), owner);
    if (missing.isPresent()) {
      throw catalog.forbid(
          missing.get().problem(),
          missing.get().grant()
              + "; or let the connections for DDL be the owner's: SET ROLE "
              + Sql.quote(owner)
              + ", or ALTER TABLE "
              + qualified()
              + " OWNER TO "
              + Sql.quote(catalog.user())
              + ";");
    }
  }

  private static void requireOrdinary(Catalog catalog, Found it, boolean partitioned)
      throws SQLException {
    requireNoStandIn(catalog, it.table());
    String table = it.table().display();
    String problem =
        switch (it.kind()) {
          case "r" ->
              it.partition()
                  ? partition(table)
                  : it.hasChildren()
                      ? table + " has tables that inherit from it"
                      : it.typed() ? table + " is a typed table" : null;
          case "p" ->
              it.partition()
                  ? partition(table)
                  : partitioned
                      ? null
                      : table
                          + " is a partitioned table: one statement would lock every partition, and"
                          + " indexes on it can't be built concurrently";
          case "v", "m" -> table + " is a view";
          case "f" -> table + " is a foreign table";
          default -> table + " is not a table";
        };
    if (problem != null) {
      throw catalog.refuse(problem, "Only ordinary tables are supported so far.");
    }
  }

  private static String partition(String table) {
    return table + " is a partition, whose columns are those of the partitioned table";
  }

  /** A table that has stepped aside for a view comes back, or the view goes. */
  private static void requireNoStandIn(Catalog catalog, CatalogTable table) throws SQLException {
    Optional<String> owner = StandInView.owner(catalog, table.oid());
    if (owner.isPresent()) {
      throw catalog.refuse(
          table.display()
              + " is a view that stands in for a table, until migration "
              + owner.get()
              + " has reached CONTRACT",
          "Wait until then, or take it back with rollback(\"" + owner.get() + "\").");
    }
    Optional<String> renaming = StandInView.renaming(catalog, table.oid());
    if (renaming.isPresent() && !renaming.get().equals(catalog.migration())) {
      throw new NotYetException(
          "table "
              + table.display()
              + " also has its old name, until migration "
              + renaming.get()
              + " has reached CONTRACT");
    }
  }

  private static String similar(Catalog catalog, String name) throws SQLException {
    List<String> similar =
        catalog.list(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON"
                + " n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND lower(c.relname) ="
                + " lower(?) AND n.nspname NOT LIKE 'pg\\_%' LIMIT 5",
            row -> row.getString(1), name);
    return "Names are taken literally, upper and lower case included."
        + (similar.isEmpty()
            ? " Create it first, or correct the name or the schema."
            : " There is " + String.join(", ", similar) + ".");
  }

  /** Every column that was ever added counts. */
  void requireRoom(Catalog catalog) {
    if (lastAttribute >= MAX_COLUMNS) {
      throw catalog.refuse(
          "table " + display() + " has had " + lastAttribute + " columns, dropped ones included",
          "PostgreSQL has room for " + MAX_COLUMNS + ": rebuild the table.");
    }
  }

  /**
   * Refuses a table some of whose rows we would not see.
   *
   * @param who what would miss them, for the message
   */
  void requireAllRows(Catalog catalog, String who) throws SQLException {
    if (rowSecurity) {
      throw catalog.refuse(
          "row security hides rows of table "
              + display()
              + " from user \""
              + catalog.user()
              + "\", so "
              + who
              + " would miss them",
          "ALTER ROLE "
              + Sql.quote(catalog.user())
              + " BYPASSRLS; or ALTER TABLE "
              + qualified()
              + " NO FORCE ROW LEVEL SECURITY;");
    }
  }

  /** A backfill must see every row, and change the row it means to. */
  void requireBackfill(Catalog catalog) throws SQLException {
    requireAllRows(catalog, "a backfill");
    List<String> rules =
        catalog.list(
            "SELECT rulename FROM pg_rewrite WHERE ev_class = ?::bigint::oid AND ev_type IN ('2',"
                + " '3')",
            row -> row.getString(1),
            oid);
    if (!rules.isEmpty()) {
      throw catalog.refuse(
          "table " + display() + " has rules that rewrite inserts or updates: " + rules,
          "Replace them by triggers.");
    }
  }
}
