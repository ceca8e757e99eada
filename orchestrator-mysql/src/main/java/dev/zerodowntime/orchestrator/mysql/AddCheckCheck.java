package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whether a check can be added while its table is in use. */
final class AddCheckCheck {

  /** What it demands, as the server writes it down. */
  static final String EXPRESSION = "expression";

  /** Whether the server knows it already: then it is left as it is, on the way back too. */
  static final String THERE = "there";

  /** Whether the server lets no row in that fails it, so that no triggers are needed. */
  static final String ENFORCED = "enforced";

  /** MariaDB: the column whose own check it becomes. */
  static final String HOST = "host";

  /** MariaDB: that column as the server writes it down, without a check. */
  static final String DEFINITION = "definition";

  private final AddCheck migration;
  private final Catalog catalog;
  private final Connection connection;
  private final CopyRoute copies;

  AddCheckCheck(
      AddCheck migration,
      Target target,
      MysqlVersion version,
      CopyRoute copies,
      Connection connection)
      throws SQLException {
    this.migration = migration;
    this.copies = copies;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Map<String, Object> facts(Map<String, Object> known) throws SQLException {
    Sql.requireFits(migration.id(), "constraint", migration.name());
    CatalogTable table = catalog.table(migration.table());
    CheckText text = CheckText.tryOut(catalog, table, migration.name(), migration.expression());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(EXPRESSION, text.expression());
    Privileges.of(catalog).require(table, "SELECT");
    requireWritten(table, text);
    List<Scan.KeyColumn> key =
        PrimaryKey.of(connection, migration.id(), table.schema(), table.name());
    facts.put("key", Facts.key(key));
    if (!named(table, text)
        && !owned(table, text)
        && copies.chosen(migration, catalog, table, known, false)) {
      if (!catalog.version().mariadb()) {
        requireFree(table);
      }
      facts.put(THERE, false);
      facts.put(ENFORCED, true);
      facts.putAll(copies.facts(migration, catalog, table, known, key));
      return facts;
    }
    if (catalog.version().mariadb()) {
      boolean there = named(table, text) || owned(table, text);
      facts.put(THERE, there);
      facts.put(ENFORCED, true);
      if (!there) {
        CatalogColumn host = host(table, text);
        facts.put(HOST, host.name());
        facts.put(DEFINITION, host.definition());
      }
      return facts;
    }
    requireFree(table);
    boolean there = named(table, text);
    boolean enforced =
        there && !clause(table, migration.name()).endsWith("/*!80016 NOT ENFORCED */");
    facts.put(THERE, there);
    facts.put(ENFORCED, enforced);
    if (!enforced) {
      OwnTriggers.require(catalog, table);
      OwnTriggers.requireLast(catalog, table, CheckTriggers.OURS);
    }
    return facts;
  }

  /** A cascade writes rows that no trigger and no check of these servers gets to see. */
  void requireWritten(CatalogTable table, CheckText text) throws SQLException {
    for (String name : text.columns()) {
      CatalogColumn column = catalog.column(table, name);
      String what =
          "check \""
              + migration.name()
              + "\" is over column "
              + column.quoted()
              + " of table "
              + table.display();
      if (column.generated()) {
        throw catalog.refuse(
            what + ", which the server itself computes, after triggers have run",
            "Write its expression out.");
      }
      List<String> keys =
          catalog.list(
              "SELECT u.CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE u JOIN"
                  + " information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA ="
                  + " u.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = u.CONSTRAINT_NAME AND r.TABLE_NAME"
                  + " = u.TABLE_NAME WHERE u.TABLE_SCHEMA = ? AND u.TABLE_NAME = ? AND"
                  + " u.COLUMN_NAME = ? AND (r.UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')"
                  + " OR r.DELETE_RULE IN ('SET NULL', 'SET DEFAULT'))",
              row -> row.getString(1),
              table.schema(),
              table.name(),
              column.name());
      if (!keys.isEmpty()) {
        throw catalog.refuse(
            what
                + ", which foreign key "
                + Sql.quote(keys.get(0))
                + " changes by itself, past every check and trigger",
            "Give the foreign key other actions first (DropConstraint and AddForeignKey), or leave"
                + " the column out of the check.");
      }
    }
  }

  /** Before DONE: what people have changed since. */
  void requireKept(Map<String, Object> known) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    requireWritten(table, new CheckText(Facts.required(known, EXPRESSION)));
    if (!Facts.flag(known, ENFORCED)) {
      OwnTriggers.requireLast(catalog, table, CheckTriggers.OURS);
    }
  }

  /** The host's definition is written down as a whole: not over what others have changed. */
  void requireUnchanged(Map<String, Object> facts) throws SQLException {
    String host = Facts.text(facts, HOST);
    if (host == null) {
      return;
    }
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, host);
    String before = Facts.required(facts, DEFINITION);
    if (!ColumnText.withoutCheck(column.definition()).equals(before)) {
      throw catalog.refuse(
          "column "
              + column.quoted()
              + " of table "
              + table.display()
              + " was \""
              + before
              + "\", and is \""
              + column.definition()
              + "\" now: without the check, the rest would come back as well",
          "Take the other changes back first.");
    }
  }

  private static String clause(CatalogTable table, String name) {
    return table.definition().constraints().entrySet().stream()
        .filter(each -> each.getKey().equalsIgnoreCase(name))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse("");
  }

  /** Whether the table has it by its name. */
  private boolean named(CatalogTable table, CheckText text) {
    String clause = clause(table, migration.name());
    if (clause.isEmpty()) {
      return false;
    }
    if (!text.equals(CheckText.ofClause(clause).orElse(null))) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has another constraint \""
              + migration.name()
              + "\": "
              + clause,
          "Choose another name, or declare the same check.");
    }
    return true;
  }

  /** Whether it is a column's own already. */
  private static boolean owned(CatalogTable table, CheckText text) {
    return table.definition().columns().values().stream()
        .anyMatch(each -> text.equals(ColumnText.checkOf(each)));
  }

  /** Whether one that is to be dropped could come back; notes what that takes. */
  void requireBack(CatalogTable table, CheckText text, Map<String, Object> facts)
      throws SQLException {
    Privileges.of(catalog).require(table, "SELECT");
    facts.put(
        "key", Facts.key(PrimaryKey.of(connection, migration.id(), table.schema(), table.name())));
    requireWritten(table, text);
    if (!catalog.version().mariadb()) {
      OwnTriggers.require(catalog, table);
    } else if (!facts.containsKey(HOST)) {
      CatalogColumn host = host(table, text);
      facts.put(HOST, host.name());
      facts.put(DEFINITION, host.definition());
    }
  }

  /** Each column has room for one; it may be over others as well. */
  private CatalogColumn host(CatalogTable table, CheckText text) throws SQLException {
    @Nullable CatalogColumn host = null;
    for (String each : text.columns()) {
      CatalogColumn column = catalog.column(table, each);
      if (host == null
          && column.definition().equals(ColumnText.withoutCheck(column.definition()))) {
        host = column;
      }
    }
    if (host == null) {
      throw catalog.refuse(
          (text.columns().isEmpty() ? "no column" : "each of the columns " + text.columns())
              + (text.columns().isEmpty() ? " is named by" : " has a check of its own, and")
              + " check \""
              + migration.name()
              + "\" of table "
              + table.display()
              + (text.columns().isEmpty() ? "" : " would be a second one")
              + ": MariaDB adds a check while rows are written only as that of a column",
          "Drop one of these first with DropConstraint, and demand both in this one, joined by"
              + " AND.");
    }
    return host;
  }

  /** Checks of one database share their names. */
  private void requireFree(CatalogTable table) throws SQLException {
    List<String> tables =
        catalog.list(
            "SELECT TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_SCHEMA ="
                + " ? AND CONSTRAINT_TYPE = 'CHECK' AND CONSTRAINT_NAME = ?",
            row -> row.getString(1),
            table.schema(),
            migration.name());
    if (!tables.isEmpty() && !tables.contains(table.name())) {
      throw catalog.refuse(
          "table "
              + Sql.qualified(table.schema(), tables.get(0))
              + " has a check \""
              + migration.name()
              + "\", and in one database their names differ",
          "Choose another name.");
    }
  }
}
