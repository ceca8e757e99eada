package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * NOT NULL: by a check until PostgreSQL 17, by a constraint of its own that is validated later from
 * 18 on.
 */
final class PostgresSetNotNull implements OperationSupport<SetNotNull> {

  /** Whether the column is NOT NULL already: then it is left alone. */
  private static final String ALREADY = "already";

  /** Whether somebody has begun by hand, with NOT NULL NOT VALID: from PostgreSQL 18 on. */
  private static final String BEGUN = "begun";

  /** What the NOT NULL constraint is called, where it has a name: from PostgreSQL 18 on. */
  private static final String NAME = "name";

  @Override
  public OperationType<SetNotNull> type() {
    return SetNotNull.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      SetNotNull migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    if (phase > SetNotNull.ENFORCE) {
      return Partitions.now(catalog, migration.table(), known);
    }
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(ALREADY, column.notNull());
    // A partition may call its own constraint otherwise: there the check is the way.
    if (!table.partitioned() && NotNullName.exists(catalog)) {
      Map<String, Object> there = NotNullName.there(catalog, table, column).orElse(null);
      if (there != null) {
        boolean valid = Facts.flag(there, "valid");
        facts.put(ALREADY, valid);
        facts.put(BEGUN, !valid);
        facts.put(NAME, there.get("name"));
      } else {
        facts.put(NAME, NotNullName.free(catalog, table, column.name()));
      }
    }
    if (table.partitioned()) {
      requireProved(catalog, table, column);
      for (CatalogTable leaf : Partitions.capture(catalog, table, facts)) {
        leaf.requireAllRows(catalog, "the search for rows without a value");
      }
      if (!column.notNull()) {
        requireNullable(catalog, table, column);
      }
    }
    if (!Facts.flag(facts, ALREADY)) {
      table.requireAllRows(catalog, "the search for rows without a value");
      facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table, "the search for such rows")));
      EmptyTable.note(catalog, table, facts);
    }
    return facts;
  }

  /** Partitions come and go. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public boolean recapturesOnFailure(int phase) {
    return phase > SetNotNull.ENFORCE;
  }

  /** From PostgreSQL 18 on, NOT NULL need not be proved yet. */
  private static void requireProved(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    for (Map<String, Object> there :
        ColumnFactsRows.query(
            catalog.connection(), ColumnFactsSql.NOT_NULL, table.oid(), column.number())) {
      if (!Facts.flag(there, "valid")) {
        String name = Sql.quote(String.valueOf(there.get("name")));
        throw catalog.refuse(
            "column \""
                + column.name()
                + "\" of partitioned table "
                + table.display()
                + " is NOT NULL NOT VALID by constraint "
                + name,
            "ALTER TABLE "
                + table.qualified()
                + " VALIDATE CONSTRAINT "
                + name
                + "; or drop it, and let this migration do it partition by partition.");
      }
    }
  }

  /** The way back would take theirs as well, which the table's comes from. */
  private static void requireNullable(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    for (CatalogPartition each : CatalogPartition.read(catalog, table)) {
      if (catalog.column(each.table(), column.name()).notNull()) {
        throw catalog.refuse(
            "column \""
                + column.name()
                + "\" is NOT NULL in partition "
                + each.qualified()
                + " alone, and on the way back it would not be",
            "ALTER TABLE "
                + each.qualified()
                + " ALTER COLUMN "
                + column.quoted()
                + " DROP NOT NULL; the migration makes it NOT NULL with all others.");
      }
    }
  }

  @Override
  public List<Shortcut> shortcuts(SetNotNull migration, Map<String, Object> facts) {
    return Facts.flag(facts, ALREADY) || Facts.flag(facts, BEGUN)
        ? List.of()
        : NotNull.shortcuts(facts, Facts.text(facts, NAME));
  }

  @Override
  public List<Step> steps(
      SetNotNull migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    boolean up = direction == Direction.UP;
    boolean already = Facts.flag(facts, ALREADY);
    return switch (phase) {
      case SetNotNull.ENFORCE ->
          up
              ? already ? List.of(nothing(migration, table)) : enforce(migration, target, facts)
              : already || Facts.flag(facts, BEGUN)
                  ? List.of()
                  : List.of(
                      NotNull.relax(
                          Partitions.locked(table, facts),
                          migration.column(),
                          constraint(migration, target, facts)));
      // What is NOT NULL rejects what it rejected while that was not proved: there is nothing to
      // take back, and doing so would only cost a blocking lock.
      case SetNotNull.DONE -> up && !already ? prove(migration, target, facts) : List.of();
      default -> throw new IllegalArgumentException("SetNotNull has no phase " + phase);
    };
  }

  private static Step nothing(SetNotNull migration, String table) {
    return ConstraintSteps.nothing(
        "already-not-null",
        "column \""
            + migration.column()
            + "\" is NOT NULL already: nothing to do, neither now nor on the way back",
        table);
  }

  private static List<Step> enforce(
      SetNotNull migration, Target target, Map<String, Object> facts) {
    String table = Sql.qualified(target.schema(), migration.table());
    String column = Sql.quote(migration.column());
    List<Step> steps = new ArrayList<>();
    steps.add(
        new VerifyStep(
            "verify-rows",
            "no row may be without a value in column "
                + column
                + ", or every update of it would fail from now on; a Backfill gives them one",
            new Scan(table, Facts.key(facts), column + " IS NULL")));
    if (!Facts.flag(facts, BEGUN)) {
      steps.add(all(migration, target, facts).get(0));
      return NotNull.atOnce(facts, table, migration.column(), Facts.text(facts, NAME), steps);
    }
    return steps;
  }

  private static List<Step> prove(SetNotNull migration, Target target, Map<String, Object> facts) {
    List<Step> all = all(migration, target, facts);
    return all.subList(1, all.size());
  }

  /** The first one makes rows have a value from now on, the others prove that all have. */
  private static List<Step> all(SetNotNull migration, Target target, Map<String, Object> facts) {
    String table = Sql.qualified(target.schema(), migration.table());
    String name = constraint(migration, target, facts);
    return facts.containsKey(NAME)
        ? NotNull.enforceByName(List.of(table), migration.column(), name)
        : NotNull.enforce(
            Partitions.locked(table, facts),
            migration.column(),
            name,
            Partitions.leaves(facts),
            List.of());
  }

  /** The NOT NULL constraint, or the check that stands for it until then. */
  private static String constraint(SetNotNull migration, Target target, Map<String, Object> facts) {
    String name = Facts.text(facts, NAME);
    return name == null ? "zdo_not_null_" + Sql.hash8(migration.id(), target.schema()) : name;
  }

  @Override
  public List<String> net(SetNotNull migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).alterColumn(migration.table(), migration.column(), "SET NOT NULL"));
  }
}
