package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddForeignKey.Action;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Whether a foreign key can be added. A temporary table can have none, so nothing is tried. */
final class AddForeignKeyCheck {

  /** Whether somebody has added it by hand: then the way back leaves it. */
  static final String THERE = "there";

  /** Its columns in the catalog's own case: a MariaDB writes down whatever it is given. */
  static final String COLUMNS = "columns";

  /** The columns that they refer to. */
  static final String REFERENCED = "referenced";

  /** Which rows refer to nothing. */
  static final String ORPHAN = "orphan";

  /** The same, where uncommitted changes of the referenced table count, or are waited for. */
  static final String UNPROVED = "unproved";

  private record Typed(String type, String collation, boolean characters) {}

  private final AddForeignKey migration;
  private final Catalog catalog;
  private final Connection connection;

  AddForeignKeyCheck(
      AddForeignKey migration, Target target, MysqlVersion version, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "constraint", migration.name());
    requireKnown();
    CatalogTable table = catalog.table(migration.table());
    CatalogTable referenced = CatalogTable.read(catalog, schema(), migration.referencedTable());
    Privileges privileges = Privileges.of(catalog);
    privileges.require(table, "SELECT");
    privileges.require(referenced, "SELECT", "REFERENCES");
    requireColumns(table, referenced);
    requireUnique(referenced);
    requireIndex(table);
    List<Scan.KeyColumn> key =
        PrimaryKey.of(connection, migration.id(), table.schema(), table.name());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(COLUMNS, columns(table, migration.key()));
    facts.put(REFERENCED, columns(referenced, migration.referencedColumns()));
    facts.put(THERE, there(table, referenced));
    facts.put(ORPHAN, orphan(table, referenced));
    facts.put(
        UNPROVED,
        catalog.version().mariadb()
            ? lockedOrphan(table, referenced, key)
            : orphan(table, referenced));
    facts.put("key", Facts.key(key));
    return facts;
  }

  private String schema() {
    return migration.referencedSchema().orElse(catalog.target().schema());
  }

  private void requireKnown() {
    String what = "foreign key \"" + migration.name() + "\" ";
    if (migration.deferrable()) {
      throw catalog.refuse(
          what + "is deferrable",
          catalog.version().flavor().title() + " checks each row at once: leave that out.");
    }
    if (migration.onDelete() == Action.SET_DEFAULT || migration.onUpdate() == Action.SET_DEFAULT) {
      throw catalog.refuse(
          what + "is to SET DEFAULT, which InnoDB can't", "Choose another action.");
    }
    if (migration.withoutIndex()) {
      throw catalog.refuse(
          what + "is to be without an index, and InnoDB would build one with it",
          "Declare a CreateIndex before it instead.");
    }
  }

  private Typed typed(CatalogTable table, CatalogColumn column) throws SQLException {
    return catalog
        .list(
            "SELECT COLUMN_TYPE, COALESCE(COLLATION_NAME, ''), DATA_TYPE IN ('char', 'varchar')"
                + " FROM information_schema.COLUMNS WHERE "
                + Probes.isTable(table.schema(), table.name())
                + " AND COLUMN_NAME = ?",
            // How wide integers are shown makes no difference.
            row ->
                new Typed(
                    row.getString(1).replaceFirst("^(\\w*int)\\(\\d+\\)", "$1"),
                    row.getString(2),
                    row.getBoolean(3)),
            column.name())
        .get(0);
  }

  /** Without its checks the server takes more than it can compare later. */
  private void requireColumns(CatalogTable table, CatalogTable referenced) throws SQLException {
    for (int i = 0; i < migration.key().size(); i++) {
      CatalogColumn own = catalog.column(table, migration.key().get(i));
      CatalogColumn other = catalog.column(referenced, migration.referencedColumns().get(i));
      String what = "column " + own.quoted() + " of table " + table.display();
      if (own.generated() || other.generated()) {
        throw catalog.refuse(
            (own.generated()
                    ? what
                    : "column " + other.quoted() + " of table " + referenced.display())
                + " is generated",
            "Only columns that are written can refer to each other.");
      }
      if (own.notNull()
          && (migration.onDelete() == Action.SET_NULL || migration.onUpdate() == Action.SET_NULL)) {
        throw catalog.refuse(
            what + " is NOT NULL, so SET NULL can't be",
            "Choose another action, or make it nullable first with DropNotNull.");
      }
      Typed from = typed(table, own);
      Typed to = typed(referenced, other);
      boolean same =
          from.collation().equals(to.collation())
              && (from.type().equals(to.type()) || (from.characters() && to.characters()));
      if (!same) {
        throw catalog.refuse(
            what
                + " is "
                + from.type()
                + " "
                + from.collation()
                + ", and can't refer to column "
                + other.quoted()
                + " of table "
                + referenced.display()
                + ", which is "
                + to.type()
                + " "
                + to.collation(),
            "Columns that refer to each other need the same type, sign and collation: change one"
                + " first.");
      }
    }
  }

  private static boolean starts(CatalogIndex index, List<String> columns) {
    if (!index.whole()
        || !index.kind().equals("BTREE")
        || index.columns().size() < columns.size()) {
      return false;
    }
    for (int i = 0; i < columns.size(); i++) {
      if (!index.columns().get(i).equalsIgnoreCase(columns.get(i))) {
        return false;
      }
    }
    return true;
  }

  private void requireUnique(CatalogTable referenced) throws SQLException {
    List<String> wanted = migration.referencedColumns();
    if (catalog.indexes(referenced).stream()
        .noneMatch(
            each ->
                each.unique() && each.columns().size() == wanted.size() && starts(each, wanted))) {
      throw catalog.refuse(
          "no unique index of table "
              + referenced.display()
              + " is over "
              + wanted
              + ", in this order",
          "Refer to its primary key, or to the columns of a unique index.");
    }
  }

  /** The server would build one by itself, in the statement that is to be short. */
  private void requireIndex(CatalogTable table) throws SQLException {
    if (catalog.indexes(table).stream().noneMatch(each -> starts(each, migration.key()))) {
      throw catalog.refuse(
          "no index of table " + table.display() + " begins with " + migration.key(),
          "Declare a CreateIndex over them, in this order, before this migration.");
    }
  }

  /** Foreign keys of one database share their names. */
  private boolean there(CatalogTable table, CatalogTable referenced) throws SQLException {
    List<String> tables =
        catalog.list(
            "SELECT TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE"
                + " CONSTRAINT_SCHEMA = ? AND CONSTRAINT_NAME = ?",
            row -> row.getString(1),
            table.schema(),
            migration.name());
    if (tables.isEmpty()) {
      return false;
    }
    String wanted = shape(table, referenced);
    String clause =
        table.definition().constraints().entrySet().stream()
            .filter(each -> each.getKey().equalsIgnoreCase(migration.name()))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElse("");
    if (!tables.contains(table.name()) || !normal(clause).endsWith(wanted)) {
      throw catalog.refuse(
          "table "
              + Sql.qualified(table.schema(), tables.get(0))
              + " has another foreign key \""
              + migration.name()
              + "\""
              + (clause.isEmpty() ? "" : ": " + clause),
          "Choose another name, or declare the same foreign key.");
    }
    return true;
  }

  private List<String> columns(CatalogTable table, List<String> names) throws SQLException {
    List<String> columns = new ArrayList<>();
    for (String each : names) {
      columns.add(catalog.column(table, each).name());
    }
    return columns;
  }

  /** Quoted, as a list. */
  static String names(List<String> columns) {
    return columns.stream().map(Sql::quote).collect(Collectors.joining(", "));
  }

  /** As the server writes it down. */
  private String shape(CatalogTable table, CatalogTable referenced) throws SQLException {
    return normal(
        " FOREIGN KEY ("
            + names(columns(table, migration.key()))
            + ") REFERENCES "
            + (referenced.schema().equals(table.schema())
                ? Sql.quote(referenced.name())
                : referenced.qualified())
            + " ("
            + names(columns(referenced, migration.referencedColumns()))
            + ")"
            + " ON DELETE "
            + migration.onDelete().sql()
            + " ON UPDATE "
            + migration.onUpdate().sql());
  }

  /** To InnoDB, NO ACTION is RESTRICT, and both are what it does anyway. */
  private static String normal(String clause) {
    return clause.replaceAll(" ON (?:DELETE|UPDATE) (?:NO ACTION|RESTRICT)", "");
  }

  private String notNull(CatalogTable table) {
    return migration.key().stream()
        .map(each -> table.qualified() + "." + Sql.quote(each) + " IS NOT NULL AND ")
        .collect(Collectors.joining());
  }

  private String pairs(CatalogTable table) {
    List<String> pairs = new ArrayList<>();
    for (int i = 0; i < migration.key().size(); i++) {
      pairs.add(
          "zdo_ref."
              + Sql.quote(migration.referencedColumns().get(i))
              + " = "
              + table.qualified()
              + "."
              + Sql.quote(migration.key().get(i)));
    }
    return String.join(" AND ", pairs);
  }

  private String orphan(CatalogTable table, CatalogTable referenced) {
    return notNull(table)
        + "NOT EXISTS (SELECT 1 FROM "
        + referenced.qualified()
        + " AS zdo_ref WHERE "
        + pairs(table)
        + ")";
  }

  /**
   * A MariaDB adds a foreign key while a transaction is open that has deleted from the referenced
   * table; what that took away is seen by a locking read alone, which waits for it. Rows that have
   * gone with theirs in the middle of it are then looked at again. Counts, for those are never
   * answered by reading, and locking, the whole table.
   */
  private String lockedOrphan(
      CatalogTable table, CatalogTable referenced, List<Scan.KeyColumn> key) {
    List<String> same = new ArrayList<>();
    key.forEach(each -> same.add(each.name()));
    migration.key().forEach(each -> same.add(Sql.quote(each)));
    return notNull(table)
        + "(SELECT COUNT(*) FROM "
        + referenced.qualified()
        + " AS zdo_ref WHERE "
        + pairs(table)
        + " LOCK IN SHARE MODE) = 0 AND (SELECT COUNT(*) FROM "
        + table.qualified()
        + " AS zdo_own WHERE "
        + same.stream()
            .distinct()
            .map(each -> "zdo_own." + each + " = " + table.qualified() + "." + each)
            .collect(Collectors.joining(" AND "))
        + " LOCK IN SHARE MODE) > 0";
  }
}
