package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether a migration goes by a copy of its table, and whether that can be done: decided once, when
 * it is registered. It is a fact from then on, however the table grows and whatever the next driver
 * was given.
 */
final class CopyRoute {

  /** Whether it goes by a copy. */
  static final String COPY = "copy";

  /** The columns that are compared. */
  static final String COLUMNS = "copiedColumns";

  /** What the tool's own queries of the catalog bear, and its triggers' names. */
  private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{Nd}_$ -]+");

  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.\\d+)?");
  private static final int MAJOR = 3;
  private static final int MINOR = 6;
  private static final long PATIENCE_SECONDS = 30;

  private final @Nullable CopyTool tool;

  CopyRoute(@Nullable CopyTool tool) {
    this.tool = tool;
  }

  /** Where no tool was given. */
  static CopyRoute none() {
    return new CopyRoute(null);
  }

  /** Whether facts say so. */
  static boolean chosen(Map<String, Object> facts) {
    return Facts.flag(facts, COPY);
  }

  /** What to do where only a copy can do it. */
  static String remedy(String otherwise) {
    return "Declare it byCopy() and give the builder a copyTool(...), which copies the table while"
        + " it is in use. Or: "
        + otherwise;
  }

  /**
   * Whether a migration goes by a copy.
   *
   * @param known what was captured before, which is not changed any more
   * @param big whether the size of the table may decide
   */
  boolean chosen(
      Migration<?> migration,
      Catalog catalog,
      CatalogTable table,
      Map<String, Object> known,
      boolean big)
      throws SQLException {
    if (!known.isEmpty()) {
      return chosen(known);
    }
    if (migration.policy().byCopy()) {
      return true;
    }
    Long above = tool == null ? null : tool.above();
    return big && above != null && bytes(catalog, table) > above;
  }

  /** With its indexes. A MySQL remembers for a day what it once knew. */
  private static long bytes(Catalog catalog, CatalogTable table) throws SQLException {
    String expiry = "information_schema_stats_expiry";
    List<String> before =
        catalog.list("SHOW SESSION VARIABLES LIKE '" + expiry + "'", row -> row.getString(2));
    if (!before.isEmpty()) {
      catalog.execute("SET SESSION " + expiry + " = 0");
    }
    try {
      return catalog
          .list(
              "SELECT DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE "
                  + Probes.isTable(table.schema(), table.name()),
              row -> row.getLong(1))
          .get(0);
    } finally {
      if (!before.isEmpty()) {
        catalog.execute("SET SESSION " + expiry + " = " + before.get(0));
      }
    }
  }

  /**
   * Refuses what can't be copied, by name.
   *
   * @param known what was captured before
   * @param key what tells rows apart, and both tables have an index over
   * @return the facts of {@link CopySteps}
   */
  Map<String, Object> facts(
      Migration<?> migration,
      Catalog catalog,
      CatalogTable table,
      Map<String, Object> known,
      List<Scan.KeyColumn> key)
      throws SQLException {
    catalog.requireNoCluster("copying a table");
    if (known.isEmpty()) {
      // Later, a driver without the tool leaves the steps to one that has it.
      requireTool(catalog);
    }
    requireNames(catalog, table);
    requireAlone(catalog, table);
    requireRights(catalog, table);
    requireFree(migration, catalog, table, known);
    List<Object> columns = new ArrayList<>();
    for (String name : table.definition().columns().keySet()) {
      columns.add(ColumnImage.of(catalog, table, catalog.column(table, name)).toMap());
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(COPY, true);
    facts.put(COLUMNS, columns);
    facts.put("key", Facts.key(key));
    return facts;
  }

  private void requireTool(Catalog catalog) {
    CopyTool given = tool;
    if (given == null) {
      throw catalog.refuse(
          "it is to be done by a copy of the table, and this driver has no tool for that",
          "Install pt-online-schema-change of the Percona Toolkit, and name it to the builder:"
              + " copyTool(...).");
    }
    if (!Files.isExecutable(given.path())) {
      throw catalog.refuse(
          "the copy tool " + given.path() + " is not there, or is not executable",
          "Install the Percona Toolkit on every machine that drives, or correct the path.");
    }
    String said = version(given, catalog);
    Matcher found = VERSION.matcher(said);
    if (!found.find()
        || Integer.parseInt(found.group(1)) != MAJOR
        || Integer.parseInt(found.group(2)) < MINOR) {
      throw catalog.refuse(
          "the copy tool " + given.path() + " says that its version is \"" + said + "\"",
          "It has to be " + MAJOR + "." + MINOR + " or later, below " + (MAJOR + 1) + ".");
    }
  }

  private static String version(CopyTool tool, Catalog catalog) {
    try {
      Process process =
          new ProcessBuilder(tool.path().toString(), "--version").redirectErrorStream(true).start();
      try {
        process.getOutputStream().close();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          throw catalog.refuse(
              "the copy tool " + tool.path() + " does not say its version",
              "Try it by hand: " + tool.path() + " --version");
        }
        byte[] said = process.getInputStream().readNBytes(300);
        return new String(said, StandardCharsets.UTF_8).strip();
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw catalog.refuse(
          "the copy tool " + tool.path() + " can't be run: " + e.getMessage(),
          "Try it by hand: " + tool.path() + " --version");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw catalog.refuse("interrupted while the copy tool was asked", "Try again.");
    }
  }

  private static void requireNames(Catalog catalog, CatalogTable table) {
    String remedy = "Rename it by hand first, or leave byCopy() out.";
    for (String name : List.of(table.schema(), table.name())) {
      if (!NAME.matcher(name).matches()) {
        throw catalog.refuse(
            "the copy tool can't work with the name "
                + Sql.quote(name)
                + ": it takes letters, digits, spaces, _, $ and -",
            remedy);
      }
    }
    for (String name : table.definition().columns().keySet()) {
      if (name.indexOf('`') >= 0) {
        throw catalog.refuse(
            "the copy tool can't work with the name of column "
                + Sql.quote(name)
                + " of table "
                + table.display(),
            remedy);
      }
    }
  }

  /** What would not be the same on the copy. */
  private static void requireAlone(Catalog catalog, CatalogTable table) throws SQLException {
    if (!table.definition().constraints().isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has constraints "
              + table.definition().constraints().keySet()
              + ", whose names its copy can't have",
          "Drop them with DropConstraint first, and add them again afterwards.");
    }
    List<String> children =
        catalog.list(
            "SELECT DISTINCT CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME FROM"
                + " information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = ? AND"
                + " REFERENCED_TABLE_NAME = ? ORDER BY 2, 3, 1",
            row ->
                Sql.quote(row.getString(1))
                    + " of table "
                    + Sql.qualified(row.getString(2), row.getString(3)),
            table.schema(),
            table.name());
    if (!children.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " is referenced by foreign keys "
              + children
              + ", which would go on referring to the table that is replaced",
          "Drop them with DropConstraint first, and add them again with AddForeignKey.");
    }
  }

  private static void requireRights(Catalog catalog, CatalogTable table) throws SQLException {
    OwnTriggers.require(catalog, table);
    Privileges privileges = Privileges.of(catalog);
    privileges.require(table, "SELECT", "INSERT", "DELETE", "ALTER", "DROP");
    for (String right : List.of("SELECT", "INSERT", "DELETE", "CREATE", "ALTER", "DROP")) {
      privileges.requireOnDatabase(table.schema(), right);
    }
  }

  private record Trigger(String name, String table, String text) {}

  private static void requireFree(
      Migration<?> migration, Catalog catalog, CatalogTable table, Map<String, Object> known)
      throws SQLException {
    List<CopySteps> ours = new ArrayList<>();
    for (String way : List.of("up", "down")) {
      ours.add(new CopySteps(migration.id(), table.schema(), table.name(), way, Map.of()));
    }
    List<String> names = CopySteps.triggers(table.schema(), table.name());
    List<Trigger> triggers =
        catalog.list(
            "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_STATEMENT FROM"
                + " information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?",
            row -> new Trigger(row.getString(1), row.getString(2), row.getString(3)),
            table.schema());
    for (Trigger each : triggers) {
      boolean copies = names.stream().anyMatch(each.name()::equalsIgnoreCase);
      boolean own =
          copies
              && ours.stream()
                  .anyMatch(way -> each.text().contains(Sql.quote(way.tables().get(0))));
      if (own) {
        continue;
      }
      if (copies) {
        throw catalog.refuse(
            "trigger "
                + Sql.quote(each.name())
                + " of table "
                + Sql.quote(each.table())
                + " has the name that the copy tool gives its own: somebody else copies the table,"
                + " or has left it behind",
            "Let that copy end, or drop what it has left: first its triggers, then its table.");
      }
      if (each.table().equalsIgnoreCase(table.name())) {
        throw catalog.refuse(
            "table "
                + table.display()
                + " has trigger "
                + Sql.quote(each.name())
                + ", which would stay with the table that is replaced",
            "Drop it first, and create it again afterwards.");
      }
    }
    if (!known.isEmpty()) {
      return;
    }
    for (CopySteps way : ours) {
      for (String name : way.tables()) {
        if (!catalog
            .list(
                "SELECT 1 FROM information_schema.TABLES WHERE "
                    + Probes.isTable(table.schema(), name),
                row -> true)
            .isEmpty()) {
          throw catalog.refuse(
              "there is a table "
                  + Sql.qualified(table.schema(), name)
                  + ", which the copy would be called",
              "It was left by an earlier migration of this id: drop it, if nothing in it is needed.");
        }
      }
    }
  }
}
