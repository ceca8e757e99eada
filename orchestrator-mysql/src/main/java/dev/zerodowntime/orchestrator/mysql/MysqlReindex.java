package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Indexes, built anew one by one: each beside the old one, whose place and name it takes in one
 * statement. MySQL only: a MariaDB that is told to swap two indexes which are the same but for
 * their names swaps nothing.
 */
final class MysqlReindex implements OperationSupport<Reindex> {

  private static final String INDEXES = "indexes";
  private static final String NAME = "name";
  private static final String CLAUSE = "clause";

  private final MysqlVersion version;
  private final CopyRoute copies;

  MysqlReindex(MysqlVersion version) {
    this(version, CopyRoute.none());
  }

  MysqlReindex(MysqlVersion version, CopyRoute copies) {
    this.version = version;
    this.copies = copies;
  }

  @Override
  public OperationType<Reindex> type() {
    return Reindex.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      Reindex migration, Target target, int phase, Map<String, Object> known, Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    if (known.isEmpty() ? migration.policy().byCopy() : CopyRoute.chosen(known)) {
      CatalogTable whole = catalog.table(migration.table());
      if (migration.name().isPresent()) {
        catalog.index(whole, migration.name().get());
      }
      return copies.facts(
          migration,
          catalog,
          whole,
          known,
          PrimaryKey.of(connection, migration.id(), whole.schema(), whole.name()));
    }
    if (version.mariadb()) {
      throw catalog.refuse(
          "MariaDB has no statement in which a new index takes the name of one that is the same: it"
              + " keeps the old one, and drops the new one",
          CopyRoute.remedy(
              "declare a CreateIndex under another name, and then a DropIndex. ALTER TABLE ... FORCE"
                  + " rebuilds the table with all its indexes."));
    }
    CatalogTable table = catalog.table(migration.table());
    Privileges.of(catalog).require(table, "INDEX");
    catalog.requireNoCluster("building an index");
    List<CatalogIndex> indexes =
        migration.name().isPresent()
            ? List.of(required(catalog, table, migration.name().get()))
            : catalog.indexes(table).stream()
                .filter(each -> problem(each) == null && !each.name().startsWith("zdo_new_"))
                .toList();
    if (indexes.isEmpty()) {
      throw catalog.refuse(
          "table " + table.display() + " has no index that can be built beside itself",
          "OPTIMIZE TABLE rebuilds the table with its primary key.");
    }
    List<Object> facts = new ArrayList<>();
    for (CatalogIndex each : indexes) {
      Map<String, Object> fact = new LinkedHashMap<>();
      fact.put(NAME, each.name());
      fact.put(CLAUSE, each.clause());
      facts.add(fact);
    }
    return Map.of(INDEXES, facts);
  }

  private static CatalogIndex required(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    CatalogIndex index = catalog.index(table, name);
    String problem = problem(index);
    if (problem != null) {
      throw catalog.refuse(
          "index " + Sql.quote(index.name()) + " of table " + table.display() + " " + problem,
          "Rebuild it by hand, if you must; OPTIMIZE TABLE rebuilds the table with all of them.");
    }
    return index;
  }

  private static @Nullable String problem(CatalogIndex index) {
    return index.primary()
        ? "is its primary key, which the rows are stored by"
        : !index.kind().equals("BTREE")
            ? "is " + index.kind() + ", and to build it would block every write"
            : index.columns().contains("")
                ? "is over an expression, and to build it would block every write"
                : null;
  }

  @Override
  public List<Step> steps(
      Reindex migration, Target target, Map<String, Object> facts, int phase, Direction direction) {
    String schema = target.schema();
    String table = migration.table();
    if (CopyRoute.chosen(facts)) {
      CopySteps whole = new CopySteps(migration.id(), schema, table, "up", facts);
      return direction == Direction.UP
          ? whole.replace("FORCE", "builds the table and all its indexes anew", null)
          : whole.undo();
    }
    List<Step> steps = new ArrayList<>();
    for (Map<String, Object> each : Facts.maps(facts, INDEXES)) {
      String name = Facts.required(each, NAME);
      String fresh = "zdo_new_" + Sql.hash8(migration.id(), schema, name);
      String there = Probes.index(schema, table, fresh);
      if (direction == Direction.DOWN) {
        // What a movement that was turned round has left.
        steps.add(
            Ddl.step(
                "drop-new:" + name,
                "drops an index that has not taken the place of the old one, if there is one",
                schema,
                table,
                "DROP KEY " + Sql.quote(fresh) + Ddl.noCopy(version),
                Probes.all(Probes.not(there))));
        continue;
      }
      steps.add(
          Ddl.online(
              "build:" + name,
              "builds the index anew, beside the old one, while the table is in use",
              schema,
              table,
              "ADD " + renamed(Facts.required(each, CLAUSE), name, fresh) + Ddl.noCopy(version),
              Probes.all(there)));
      steps.add(
          Ddl.step(
              "swap:" + name,
              "the new index takes the old one's name, and the old one goes",
              schema,
              table,
              "DROP KEY "
                  + Sql.quote(name)
                  + ", RENAME KEY "
                  + Sql.quote(fresh)
                  + " TO "
                  + Sql.quote(name)
                  + Ddl.noCopy(version),
              Probes.all(Probes.not(there), Probes.index(schema, table, name))));
    }
    return steps;
  }

  /** The name comes before everything that may be quoted. */
  private static String renamed(String clause, String from, String to) {
    int at = clause.indexOf(Sql.quote(from));
    return clause.substring(0, at)
        + Sql.quote(to)
        + clause.substring(at + Sql.quote(from).length());
  }

  @Override
  public List<String> net(Reindex migration, NetTarget target, Map<String, Object> facts) {
    return List.of();
  }
}
