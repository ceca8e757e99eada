package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** An index, built and dropped CONCURRENTLY; on a partitioned table partition by partition. */
final class PostgresCreateIndex implements OperationSupport<CreateIndex> {

  private static final String TRIAL = "zdo_trial";

  @Override
  public OperationType<CreateIndex> type() {
    return CreateIndex.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      CreateIndex migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    Sql.requireFits(migration.id(), "index", migration.name());
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    for (CreateIndex.Key key : migration.keys()) {
      if (key.column() != null) {
        catalog.column(table, key.column());
      }
    }
    for (String column : migration.include()) {
      catalog.column(table, column);
    }
    Privileges.requireCreate(catalog, "indexes", target.schema());
    String definition = tryOut(catalog, table, migration);
    boolean there = false;
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.name().equals(migration.name())) {
        requireSame(catalog, table, index, definition);
        there = true;
      }
    }
    if (!there) {
      catalog.requireFree("index", migration.name());
    }
    if (table.partitioned()) {
      return PartitionedIndex.capture(catalog, table, migration.name(), definition);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    if (!there) {
      EmptyTable.note(catalog, table, facts);
    }
    return facts;
  }

  /** Partitions come and go while their indexes are built. */
  @Override
  public boolean recapturesOnFailure(int phase) {
    return true;
  }

  /** The server's own text of it: authors may name columns with the table's name. */
  private static String tryOut(Catalog catalog, CatalogTable table, CreateIndex migration)
      throws SQLException {
    try (Trial trial = new Trial(catalog, table, 0)) {
      trial.require(
          "CREATE INDEX " + TRIAL + " ON " + trial.name() + rest(migration),
          "index \"" + migration.name() + "\" on table " + table.display() + " can't be built",
          "Correct its key, expressions or predicate.");
      return definition(catalog, Sql.regclass("pg_temp", TRIAL));
    }
  }

  /** An index somebody built by hand under this name is fine if it is the same; so is its wreck. */
  private static void requireSame(
      Catalog catalog, CatalogTable table, CatalogIndex index, String definition)
      throws SQLException {
    String there = definition(catalog, index.oid() + "::oid");
    boolean repairable = !index.valid() && !table.partitioned();
    if (index.unique() || (!repairable && !afterUsing(there).equals(afterUsing(definition)))) {
      throw catalog.refuse(
          "table " + table.display() + " has another index of this name: " + there,
          "Choose another name, or declare the same index.");
    }
  }

  private static String definition(Catalog catalog, String oid) throws SQLException {
    return catalog.list("SELECT pg_get_indexdef(" + oid + ")", row -> row.getString(1)).get(0);
  }

  private static String afterUsing(String definition) {
    return definition.substring(Math.max(0, definition.indexOf(" USING ")));
  }

  @Override
  public List<Shortcut> shortcuts(CreateIndex migration, Map<String, Object> facts) {
    return EmptyTable.indexShortcut(facts);
  }

  @Override
  public List<Step> steps(
      CreateIndex migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (PartitionedIndex.is(facts)) {
      String schema = target.schema();
      return direction == Direction.UP
          ? PartitionedIndex.up(schema, migration.table(), migration.name(), facts)
          : PartitionedIndex.down(schema, migration.table(), migration.name(), facts);
    }
    String table = Sql.qualified(target.schema(), migration.table());
    String index = Sql.qualified(target.schema(), migration.name());
    String lock = "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes";
    if (direction == Direction.DOWN) {
      return List.of(
          new OnlineStep(
              "drop-index",
              "drops the index without blocking anybody",
              lock,
              "DROP INDEX CONCURRENTLY IF EXISTS " + index,
              Probes.all(Probes.not(Probes.index(table, index))),
              Probes.NEVER,
              List.of()));
    }
    return EmptyTable.indexAtOnce(
        facts,
        table,
        index,
        "CREATE INDEX " + Sql.quote(migration.name()) + " ON " + table + rest(migration),
        new OnlineStep(
            "create-index",
            "builds the index while the table is in use; it first waits for transactions older than"
                + " itself",
            lock,
            "CREATE INDEX CONCURRENTLY "
                + Sql.quote(migration.name())
                + " ON "
                + table
                + rest(migration),
            Probes.all(Probes.validIndex(table, index)),
            Probes.all(Probes.invalidIndex(table, index)),
            List.of("DROP INDEX CONCURRENTLY IF EXISTS " + index)));
  }

  /** What follows the table's name. */
  private static String rest(CreateIndex migration) {
    return rest(migration, Sql::quote);
  }

  private static String rest(CreateIndex migration, UnaryOperator<String> name) {
    return migration.method().map(method -> " USING " + name.apply(method)).orElse("")
        + " ("
        + migration.keys().stream().map(each -> part(each, name)).collect(Collectors.joining(", "))
        + ")"
        + (migration.include().isEmpty()
            ? ""
            : " INCLUDE ("
                + migration.include().stream().map(name).collect(Collectors.joining(", "))
                + ")")
        + migration.where().map(where -> " WHERE (" + where + ")").orElse("");
  }

  private static String part(CreateIndex.Key key, UnaryOperator<String> name) {
    String column = key.column();
    String sql = key.sql();
    if (column == null) {
      return "(" + sql + ")";
    }
    return name.apply(column) + (sql == null ? "" : " " + sql);
  }

  @Override
  public List<String> net(CreateIndex migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    return List.of(
        "CREATE INDEX "
            + Plain.name(migration.name())
            + " ON "
            + plain.in(migration.table())
            + rest(migration, Plain::name));
  }
}
