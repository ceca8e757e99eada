package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Whether a column can be added, and how. */
final class AddColumnCheck {

  /** Whether the tombstone of an earlier rollback is there, to be renamed back. */
  static final String TOMBSTONE = "tombstone";

  /** Whether the default can ride along with ADD COLUMN, giving every existing row its value. */
  static final String FAST_DEFAULT = "fastDefault";

  /** The schemas on the search path of the fill trigger. */
  static final String PATH = "path";

  /** Names the notes for key columns. */
  static final String KEY = "key";

  /** All partitions, quoted and qualified; missing where the table has none. */
  static final String PARTITIONS = "partitions";

  /**
   * What the NOT NULL constraint is called, where it has a name and is validated later; missing
   * where a check proves it. Noted at registration, so that the steps stay what they are if the
   * server is upgraded meanwhile.
   */
  static final String NOT_NULL = "notNullName";

  /** Those that have rows of their own. */
  static final String LEAVES = "leaves";

  /** Those that have come with rows without a value, after the backfill. */
  static final String REFILL = "refill";

  private static final int SAMPLE = 1_000;

  private static final Pattern SERIAL =
      Pattern.compile("(small|big)?serial[248]?", Pattern.CASE_INSENSITIVE);

  private final AddColumn migration;
  private final Catalog catalog;

  AddColumnCheck(AddColumn migration, Target target, Connection connection) throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "column", migration.column());
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    requireNewColumn(table);
    RowStars.refuse(catalog, table);
    String tombstone = PostgresAddColumn.tombstone(migration, catalog.target());
    boolean restored = catalog.find(table, tombstone).isPresent();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(TOMBSTONE, restored);
    Published.note(catalog, table, tombstone, facts);
    boolean fast;
    try (Trial trial = new Trial(catalog, table, 0)) {
      fast = tryColumn(trial);
    }
    facts.put(FAST_DEFAULT, fast && migration.fillSql().isEmpty());
    List<CatalogTable> leaves = capturePartitions(table, facts);
    if (migration.notNull()) {
      Privileges.requireControlSchema(catalog);
      for (CatalogTable each : leaves) {
        RowTriggers.requireLast(
            catalog, each, PostgresAddColumn.trigger(migration, catalog.target()));
      }
      facts.put(PATH, catalog.path());
      EmptyTable.note(catalog, table, facts);
      // A partition may call its own constraint otherwise: there the check is the way.
      if (!table.partitioned() && NotNullName.exists(catalog)) {
        facts.put(NOT_NULL, NotNullName.free(catalog, table, migration.column()));
      }
    }
    if (PostgresAddColumn.backfills(migration, facts)) {
      table.requireBackfill(catalog);
      for (CatalogTable each : leaves) {
        each.requireAllRows(catalog, "a backfill");
        RowTriggers.requireConsent(catalog, each, 0, migration.policy().allowedTriggers());
      }
      List<Scan.KeyColumn> key = catalog.key(table);
      facts.put(KEY, Facts.key(key));
      String pending = restored ? Sql.quote(tombstone) + " IS NULL" : "true";
      tryFill(table, key, pending);
      if (table.partitioned() && !leaves.isEmpty()) {
        // Under its own name: that is where the batches are.
        tryFill(leaves.get(0), key, pending);
      }
    }
    return facts;
  }

  /**
   * The partitions there are by now, and the name that NOT NULL has or can have.
   *
   * @param phase the phase that is about to be entered
   * @param known everything else
   */
  Map<String, Object> now(int phase, Map<String, Object> known) throws SQLException {
    Map<String, Object> facts = new LinkedHashMap<>(known);
    boolean enforce = phase == AddColumn.ENFORCE && migration.notNull();
    if (facts.containsKey(PARTITIONS)) {
      CatalogTable table = catalog.tableOrPartitioned(migration.table());
      capturePartitions(table, facts);
      if (enforce) {
        captureRefill(table, facts);
      }
    } else if (enforce && facts.containsKey(NOT_NULL)) {
      facts.put(NOT_NULL, notNullName(catalog.table(migration.table())));
    }
    return facts;
  }

  /** Looks into the partition whose turn it is to be validated: that may just have failed. */
  private void captureRefill(CatalogTable table, Map<String, Object> facts) throws SQLException {
    List<String> leaves = Facts.texts(facts, LEAVES);
    List<String> refill = new ArrayList<>(Facts.texts(facts, REFILL));
    refill.retainAll(leaves);
    String check = PostgresAddColumn.check(migration, catalog.target());
    for (String leaf : leaves) {
      boolean next =
          "t"
              .equals(
                  catalog.text(
                      "SELECT "
                          + Probes.constraint(leaf, check)
                          + " AND NOT "
                          + Probes.validated(leaf, check)));
      if (next) {
        if (!refill.contains(leaf)
            && "t"
                .equals(
                    catalog.text(
                        "SELECT EXISTS (SELECT FROM "
                            + leaf
                            + " WHERE "
                            + Sql.quote(migration.column())
                            + " IS NULL)"))) {
          refill.add(leaf);
        }
        break;
      }
    }
    facts.put(REFILL, refill);
    if (!refill.isEmpty()) {
      facts.put(KEY, Facts.key(catalog.key(table)));
    }
  }

  /** Somebody may have made the column NOT NULL by hand, or taken the name for another one. */
  private String notNullName(CatalogTable table) throws SQLException {
    CatalogColumn column = catalog.column(table, migration.column());
    Map<String, Object> there = NotNullName.there(catalog, table, column).orElse(null);
    return there == null
        ? NotNullName.free(catalog, table, column.name())
        : Facts.required(there, "name");
  }

  /** The tables that rows are in: the table itself, if it has no partitions. */
  private List<CatalogTable> capturePartitions(CatalogTable table, Map<String, Object> facts)
      throws SQLException {
    if (!table.partitioned()) {
      return List.of(table);
    }
    List<CatalogPartition> partitions = CatalogPartition.owned(catalog, table);
    List<CatalogPartition> leaves = partitions.stream().filter(CatalogPartition::leaf).toList();
    facts.put(PARTITIONS, partitions.stream().map(CatalogPartition::qualified).toList());
    facts.put(LEAVES, leaves.stream().map(CatalogPartition::qualified).toList());
    return leaves.stream().map(CatalogPartition::table).toList();
  }

  private void requireNewColumn(CatalogTable table) throws SQLException {
    table.requireRoom(catalog);
    CatalogColumn there = catalog.find(table, migration.column()).orElse(null);
    if (there != null) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " already has a column \""
              + there.name()
              + "\" of type "
              + there.type(),
          "Choose another name, or remove the migration if that column is meant.");
    }
  }

  /**
   * Has the server judge type and default.
   *
   * @return whether ADD COLUMN with the default leaves the table's rows alone
   */
  private boolean tryColumn(Trial trial) throws SQLException {
    String type = migration.type();
    String column = Sql.quote(migration.column());
    String what = "column \"" + migration.column() + "\" of type \"" + type + "\"";
    if (SERIAL.matcher(type.strip()).matches()) {
      throw catalog.refuse(
          what + " is short for a sequence and a volatile default, not a type",
          "Use bigint, and defaultSql(\"nextval('...')\") with a sequence of your own.");
    }
    trial.require(
        "SELECT CAST(NULL AS " + type + ")",
        what,
        "Give a type alone, such as varchar(40); NOT NULL and defaults have methods of their own.");
    String add = "ALTER TABLE " + trial.name() + " ADD COLUMN " + column + " " + type;
    if (catalog.attempt(add).isPresent()) {
      trial.require(add, what, "Choose another name or type.");
    }
    if (trial.rewrites(add)) {
      throw catalog.refuse(
          what
              + " would make the server rewrite the table, because it is a domain with constraints, or"
              + " with a default that differs from row to row",
          "Use the domain's base type, and a check constraint or a default of the column.");
    }
    String given = migration.defaultSql().orElse(null);
    return given == null || tryDefault(trial, add, column, given);
  }

  private boolean tryDefault(Trial trial, String add, String column, String given)
      throws SQLException {
    String what = "the default \"" + given + "\" of column \"" + migration.column() + "\"";
    trial.require(
        "ALTER TABLE " + trial.name() + " ALTER COLUMN " + column + " SET DEFAULT " + given,
        what + " is not valid for type " + migration.type(),
        "Correct the expression.");
    if (migration.notNull() && migration.fillSql().isEmpty()) {
      trial.require("SELECT (" + given + ")", what + " fails", "Correct the expression.");
      if ("t".equals(trial.text("SELECT (" + given + ") IS NULL"))) {
        throw catalog.refuse(
            what + " is NULL, and the column is to be NOT NULL", "Give another default.");
      }
    }
    trial.execute("ALTER TABLE " + trial.name() + " DROP COLUMN " + column);
    return !trial.rewrites(add + " DEFAULT " + given);
  }

  /** Computes the value for some rows, in a copy of them. */
  private void tryFill(CatalogTable table, List<Scan.KeyColumn> key, String pending)
      throws SQLException {
    String fill = PostgresAddColumn.value(migration);
    String column = Sql.quote(migration.column());
    String what =
        "the fill expression \""
            + fill
            + "\" for column \""
            + migration.column()
            + "\" of type "
            + migration.type();
    try (Trial trial = new Trial(catalog, table, SAMPLE)) {
      trial.execute(
          "ALTER TABLE " + trial.name() + " ADD COLUMN " + column + " " + migration.type());
      trial.require(
          "UPDATE " + trial.name() + " SET " + column + " = (" + fill + ") WHERE " + pending,
          what,
          "Correct the expression: it is evaluated once per row, over the columns of "
              + table.display()
              + ".");
      if (migration.notNull()) {
        requireNoGenerated(trial, table, fill, what);
        String row = firstWithout(trial, column + " IS NULL AND " + pending, key);
        if (row != null) {
          throw catalog.refuse(
              what + " yields NULL, for one in the row with key " + row,
              "Wrap it in coalesce(..., a value), or leave out notNull().");
        }
        requireAlways(trial, table, column, fill, what);
      }
    }
  }

  /** What is null in no row today may be null in one that is written tomorrow. */
  private void requireAlways(
      Trial trial, CatalogTable table, String column, String fill, String what)
      throws SQLException {
    List<String> used = trial.columnsOf(fill);
    List<String> nullable =
        catalog.columns(table).stream()
            .filter(each -> used.contains(each.name()) && !each.notNull() && !each.generated())
            .map(CatalogColumn::quoted)
            .toList();
    if (nullable.isEmpty()) {
      return;
    }
    trial.execute(
        "UPDATE "
            + trial.name()
            + " SET "
            + String.join(", ", nullable.stream().map(each -> each + " = NULL").toList()));
    boolean filled =
        trial.accepts("UPDATE " + trial.name() + " SET " + column + " = (" + fill + ")")
            && "0"
                .equals(
                    trial.text(
                        "SELECT count(*) FROM " + trial.name() + " WHERE (" + fill + ") IS NULL"));
    if (!filled) {
      throw catalog.refuse(
          what
              + " yields no value for rows without "
              + String.join(", ", nullable)
              + ", and nothing keeps such rows from being written",
          "Wrap it in coalesce(..., a value), make "
              + String.join(", ", nullable)
              + " NOT NULL first, or leave out notNull().");
    }
  }

  /** The trigger runs before the server computes them. */
  private void requireNoGenerated(Trial trial, CatalogTable table, String fill, String what)
      throws SQLException {
    List<CatalogColumn> generated =
        catalog.columns(table).stream().filter(CatalogColumn::generated).toList();
    if (generated.isEmpty()) {
      return;
    }
    List<String> used = trial.columnsOf(fill);
    for (CatalogColumn each : generated) {
      if (used.contains(each.name())) {
        throw catalog.refuse(
            what
                + " uses column \""
                + each.name()
                + "\", which is generated, and has no value yet when the fill trigger runs",
            "Put its own expression into the fill instead: " + each.defaultSql());
      }
    }
  }

  private static @Nullable String firstWithout(
      Trial trial, String condition, List<Scan.KeyColumn> key) throws SQLException {
    String names = String.join(", ", key.stream().map(Scan.KeyColumn::name).toList());
    String found =
        trial.text(
            "SELECT ROW("
                + names
                + ")::text FROM "
                + trial.name()
                + " WHERE "
                + condition
                + " LIMIT 1");
    return found.isEmpty() ? null : found;
  }
}
