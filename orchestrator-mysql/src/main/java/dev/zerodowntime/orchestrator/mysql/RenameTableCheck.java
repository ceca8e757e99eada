package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Target;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Whether a view can show a table under its old name, and whether that name can go. */
final class RenameTableCheck {

  /** Tables that foreign keys lead to or come from: they are locked as well. */
  static final String PARTNERS = "partners";

  /** Whether the new name comes before the old one where the server sorts names to lock them. */
  static final String EARLY = "early";

  /** Users with rights on the table alone, which belong to its name. */
  static final String GRANTEES = "grantees";

  private final RenameTable migration;
  private final Target target;
  private final Catalog catalog;

  RenameTableCheck(
      RenameTable migration, Target target, MysqlVersion version, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.target = target;
    this.catalog = new Catalog(migration, target, version, connection);
  }

  /** Before the table gets its new name. */
  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "table", migration.to());
    CatalogTable table =
        catalog.table(ours(migration.table()) ? migration.to() : migration.table());
    Privileges privileges = Privileges.of(catalog);
    // The view has its maker's rights, which must not belong to the old name.
    for (String right :
        List.of("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "CREATE VIEW")) {
      privileges.requireOnDatabase(table.schema(), right);
    }
    requireFree(migration.to(), false);
    requireNothingHidden(table);
    requireNoCode();
    boolean early = comesFirst(migration.to(), migration.table());
    if (!early) {
      requireWorking(table);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(PARTNERS, new ArrayList<Object>(partners(table)));
    facts.put(EARLY, early);
    facts.put(
        GRANTEES,
        new ArrayList<Object>(
            catalog.list(
                "SELECT DISTINCT GRANTEE FROM information_schema.TABLE_PRIVILEGES WHERE "
                    + Probes.isTable(table.schema(), table.name())
                    + " ORDER BY 1",
                row -> row.getString(1))));
    return facts;
  }

  /** As the server compares the keys of its locks. */
  private boolean comesFirst(String name, String other) {
    return Arrays.compareUnsigned(key(name), key(other)) < 0;
  }

  private byte[] key(String name) {
    return (catalog.settings().foldsTableNames() ? name.toLowerCase(Locale.ROOT) : name)
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Before the old name is there again. */
  void requireShowable(boolean early) throws SQLException {
    requireFree(migration.table(), true);
    if (early) {
      requireNoCode();
    }
  }

  /** Before the new name goes again. */
  void requireShrinkable(boolean early) throws SQLException {
    requireUnnamed(migration.to(), migration.table());
    if (!early) {
      requireNoCode();
    }
  }

  /** What is ours already is no obstacle, should the movement turn round half-way. */
  private void requireFree(String name, boolean back) throws SQLException {
    List<String> taken =
        catalog.list(
            "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE "
                + Probes.isTable(target.schema(), name)
                + " AND TABLE_COMMENT <> "
                + Sql.literal(MysqlRenameTable.mark(migration)),
            row -> row.getString(1));
    if (ours(name)) {
      taken.remove("VIEW");
    }
    boolean moved = back && taken.equals(List.of("BASE TABLE")) && isView(migration.to());
    if (!taken.isEmpty() && !moved) {
      throw catalog.refuse(
          "the name \""
              + name
              + "\" for the table is taken in database \""
              + target.schema()
              + "\"",
          "Choose another name, or drop or rename what has it.");
    }
  }

  /** A view has no invisible columns: they would be shown, or not be there. */
  private void requireNothingHidden(CatalogTable table) throws SQLException {
    List<String> hidden =
        catalog.list(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE "
                + Probes.isTable(table.schema(), table.name())
                + " AND EXTRA LIKE '%INVISIBLE%' ORDER BY ORDINAL_POSITION",
            row -> row.getString(1));
    if (!hidden.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " has invisible columns, which a view can't have: " + hidden,
          "Make them visible first, or wait for the migration that will.");
    }
  }

  /** As far as the server has kept what it was asked. */
  private void requireWorking(CatalogTable table) throws SQLException {
    Set<String> broken = new TreeSet<>();
    for (String each : statements(table)) {
      if (harmful(each, table)) {
        broken.add("\"" + Sql.cut(each, 200) + "\"");
      }
    }
    if (!broken.isEmpty()) {
      throw catalog.refuse(
          "with a view under the old name of table "
              + table.display()
              + " these statements would fail: "
              + String.join("; ", broken),
          "By the old name there are no index hints, no TRUNCATE and no HANDLER: change them first;"
              + " the server forgets what it was asked by TRUNCATE TABLE"
              + " performance_schema.events_statements_summary_by_digest.");
    }
  }

  /**
   * What the server has kept of a table that a trigger or a routine names doesn't always survive
   * that the table becomes a view, or a view the table: both servers have crashed. Views only have
   * to be there.
   */
  private void requireNoCode() throws SQLException {
    Set<String> users = users(migration.table());
    users.addAll(users(migration.to()));
    users.removeIf(each -> each.startsWith("view "));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "table "
              + Sql.qualified(target.schema(), migration.table())
              + " is named by "
              + users
              + ", and the server may crash when the name becomes a view's, or a view's becomes the"
              + " table's",
          "Drop these, or change them so that they name neither \""
              + migration.table()
              + "\" nor \""
              + migration.to()
              + "\"; a routine that means something else by the name may be allowed by"
              + " allowFunctions(...).");
    }
  }

  /** Before a name goes. */
  private void requireUnnamed(String name, String other) throws SQLException {
    Set<String> users = users(name);
    if (!users.isEmpty()) {
      throw catalog.refuse(
          "the name "
              + Sql.qualified(target.schema(), name)
              + " of the table is still used: "
              + users,
          "Let them use \""
              + other
              + "\", which is there as well; a routine that means something else by the name may be"
              + " allowed by allowFunctions(...).");
    }
  }

  /** What others have that names it, except the view that is ours. */
  private Set<String> users(String name) throws SQLException {
    return NamedInText.texts(catalog, target.schema(), name).stream()
        .filter(each -> !migration.policy().allowedFunctions().contains(each.name()))
        .filter(each -> !each.is(target.schema(), migration.table()))
        .filter(each -> !each.is(target.schema(), migration.to()))
        .filter(each -> !each.name().startsWith("zdo_"))
        .map(NamedInText.Found::display)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean harmful(String text, CatalogTable table) {
    String name = "`?" + Pattern.quote(table.name().replace("`", "``")) + "(`|\\b)";
    String database = "(`?" + Pattern.quote(table.schema()) + "`?\\s*\\.\\s*)?";
    return Pattern.compile(
            "\\b(TRUNCATE(\\s+TABLE)?|HANDLER)\\s+"
                + database
                + name
                + "|"
                + name
                + "(\\s+AS)?(\\s+`?[\\p{L}\\p{N}_$]+`?)?\\s+(FORCE|USE|IGNORE)\\s+(INDEX|KEY)\\b",
            Pattern.CASE_INSENSITIVE)
        .matcher(text)
        .find();
  }

  private List<String> statements(CatalogTable table) throws SQLException {
    if (!catalog.version().performanceSchema()) {
      return List.of();
    }
    try {
      return catalog
          .list(
              "SELECT DIGEST_TEXT FROM performance_schema.events_statements_summary_by_digest WHERE"
                  + " SCHEMA_NAME = ? AND DIGEST_TEXT IS NOT NULL",
              row -> row.getString(1),
              table.schema())
          .stream()
          .filter(each -> ColumnText.mentions(each, table.name()))
          .toList();
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
        throw e;
      }
      // A user who may not read it; the author vouches.
      return List.of();
    }
  }

  private List<String> partners(CatalogTable table) throws SQLException {
    String here = Probes.isTable(table.schema(), table.name());
    String there =
        here.replace("TABLE_SCHEMA", "REFERENCED_TABLE_SCHEMA")
            .replace("TABLE_NAME", "REFERENCED_TABLE_NAME");
    Set<String> partners =
        new TreeSet<>(
            catalog.list(
                "SELECT REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME FROM"
                    + " information_schema.KEY_COLUMN_USAGE WHERE "
                    + here
                    + " AND REFERENCED_TABLE_NAME IS NOT NULL UNION SELECT TABLE_SCHEMA, TABLE_NAME"
                    + " FROM information_schema.KEY_COLUMN_USAGE WHERE "
                    + there,
                row -> Sql.qualified(row.getString(1), row.getString(2))));
    partners.remove(table.qualified());
    return List.copyOf(partners);
  }

  /** Before the view goes, and the old name with it. */
  void requireContractible(boolean early) throws SQLException {
    boolean contracted = !isThere(migration.table()) && !isView(migration.to());
    if (!contracted && !ours(early ? migration.to() : migration.table())) {
      throw catalog.refuse(
          Sql.qualified(target.schema(), early ? migration.to() : migration.table())
              + " is no longer the view that shows the table by its "
              + (early ? "new" : "old")
              + " name",
          "Find out who replaced it, and take the migration back with rollback(\""
              + migration.id()
              + "\") or drop what is there.");
    }
    requireUnnamed(migration.table(), migration.to());
    if (early) {
      requireNoCode();
    }
  }

  private boolean isThere(String name) throws SQLException {
    return !types(name).isEmpty();
  }

  private boolean isView(String name) throws SQLException {
    return types(name).equals(List.of("VIEW"));
  }

  private List<String> types(String name) throws SQLException {
    return catalog.list(
        "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE "
            + Probes.isTable(target.schema(), name),
        row -> row.getString(1));
  }

  /** Whether a name is that of a view of the table by its other name. */
  private boolean ours(String name) throws SQLException {
    String other = name.equals(migration.table()) ? migration.to() : migration.table();
    // In a session with ANSI_QUOTES the server quotes otherwise; names may have quotes themselves.
    String end = " from " + Sql.qualified(target.schema(), other);
    return catalog
        .list(
            "SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE "
                + Probes.isTable(target.schema(), name),
            row -> String.valueOf(row.getString(1)))
        .stream()
        // Without SHOW VIEW the text is empty.
        .anyMatch(
            each -> each.isEmpty() || each.endsWith(end) || each.replace('"', '`').endsWith(end));
  }
}
