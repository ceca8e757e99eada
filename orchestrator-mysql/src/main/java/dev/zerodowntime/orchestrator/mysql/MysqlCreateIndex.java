package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** An index, built in place while the table is read and written. */
final class MysqlCreateIndex implements OperationSupport<CreateIndex> {

  private final MysqlVersion version;

  MysqlCreateIndex(MysqlVersion version) {
    this.version = version;
  }

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
    Catalog catalog = new Catalog(migration, target, version, connection);
    requirePossible(catalog, migration);
    CatalogTable table = catalog.table(migration.table());
    Privileges.of(catalog).require(table, "INDEX");
    for (CreateIndex.Key key : migration.keys()) {
      if (key.column() != null) {
        catalog.column(table, key.column());
      }
    }
    new IndexCheck(catalog, table).requireBuildable(migration.name(), clause(migration));
    return Map.of();
  }

  private void requirePossible(Catalog catalog, CreateIndex migration) {
    String what = "index \"" + migration.name() + "\"";
    if (migration.where().isPresent() || !migration.include().isEmpty()) {
      throw catalog.refuse(
          what + " has " + (migration.include().isEmpty() ? "a predicate" : "included columns"),
          version.flavor().title()
              + " has no such indexes: leave them out, or add the columns to the key.");
    }
    migration
        .method()
        .filter(method -> !method.equalsIgnoreCase("btree"))
        .ifPresent(
            method -> {
              throw catalog.refuse(
                  what + " is to be of the kind " + method,
                  "Only BTREE is built while the table is written: FULLTEXT and SPATIAL block"
                      + " writes, and InnoDB has no others.");
            });
    for (CreateIndex.Key key : migration.keys()) {
      if (key.column() == null) {
        throw catalog.refuse(
            what + " is over the expression " + key.sql(),
            version.mariadb()
                ? "MariaDB has no such indexes: add a generated column, and index that."
                : "MySQL blocks writes while it builds such an index: add a generated column, and"
                    + " index that.");
      }
    }
  }

  @Override
  public void preflightBack(
      CreateIndex migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogIndex index = catalog.find(table, migration.name()).orElse(null);
    if (index != null) {
      new IndexCheck(catalog, table).requireDispensable(index);
    }
  }

  @Override
  public List<Step> steps(
      CreateIndex migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String index = Probes.index(target.schema(), migration.table(), migration.name());
    return List.of(
        direction == Direction.UP
            ? Ddl.online(
                "create-index",
                "builds the index while the table is in use",
                target.schema(),
                migration.table(),
                "ADD " + clause(migration) + Ddl.noCopy(version),
                Probes.all(index))
            : drop(version, target.schema(), migration.table(), migration.name()));
  }

  /** The catalog alone: pages are given back afterwards. */
  static Step drop(MysqlVersion version, String schema, String table, String index) {
    return Ddl.step(
        "drop-index",
        "drops the index; touches no row",
        schema,
        table,
        "DROP INDEX " + Sql.quote(index) + Ddl.catalogOnly(version),
        Probes.all(Probes.not(Probes.index(schema, table, index))));
  }

  private static String clause(CreateIndex migration) {
    return "KEY "
        + Sql.quote(migration.name())
        + " ("
        + migration.keys().stream()
            .map(each -> part(each, Sql::quote))
            .collect(Collectors.joining(","))
        + ")";
  }

  /** A length belongs right behind its column. */
  private static String part(CreateIndex.Key key, UnaryOperator<String> name) {
    String sql = key.sql();
    return name.apply(String.valueOf(key.column()))
        + (sql == null ? "" : (sql.startsWith("(") ? "" : " ") + sql);
  }

  @Override
  public List<String> net(CreateIndex migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        "CREATE INDEX "
            + Plain.name(migration.name())
            + " ON "
            + new Plain(target).in(migration.table())
            + " ("
            + migration.keys().stream()
                .map(each -> part(each, Plain::name))
                .collect(Collectors.joining(", "))
            + ")");
  }
}
