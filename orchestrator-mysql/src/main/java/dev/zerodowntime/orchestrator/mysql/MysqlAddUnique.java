package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A unique constraint: here its index is all there is to it. */
final class MysqlAddUnique implements OperationSupport<AddUnique> {

  /** How long duplicates are looked for, before the build finds them for sure. */
  private static final int SECONDS = 5;

  private final MysqlVersion version;

  MysqlAddUnique(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<AddUnique> type() {
    return AddUnique.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddUnique migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    if (!migration.include().isEmpty() || migration.nullsNotDistinct()) {
      throw catalog.refuse(
          "unique constraint \""
              + migration.name()
              + "\" "
              + (migration.nullsNotDistinct() ? "takes two NULLs as the same" : "includes columns"),
          version.flavor().title() + " has no such constraints: leave that out.");
    }
    CatalogTable table = catalog.table(migration.table());
    Privileges.of(catalog).require(table, "INDEX");
    List<String> columns = new ArrayList<>();
    for (String column : migration.keyColumns()) {
      columns.add(catalog.column(table, column).quoted());
    }
    if (!new IndexCheck(catalog, table).requireBuildable(migration.name(), clause(migration))) {
      requireNoDuplicates(catalog, table, migration.name(), columns);
    }
    return Map.of();
  }

  private void requireNoDuplicates(
      Catalog catalog, CatalogTable table, String name, List<String> columns) throws SQLException {
    String key = String.join(", ", columns);
    String query =
        " CONCAT_WS(', ', "
            + columns.stream()
                .map(column -> "LEFT(CAST(" + column + " AS CHAR), 60)")
                .collect(Collectors.joining(", "))
            + "), COUNT(*) FROM "
            + table.qualified()
            + " WHERE "
            + columns.stream()
                .map(column -> column + " IS NOT NULL")
                .collect(Collectors.joining(" AND "))
            + " GROUP BY "
            + key
            + " HAVING COUNT(*) > 1 LIMIT 3";
    List<String> found = found(catalog, query);
    if (!found.isEmpty()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has duplicates of "
              + key
              + ", which \""
              + name
              + "\" is to make unique: "
              + String.join(", ", found),
          "Merge or change these rows first, in a Backfill perhaps, and keep code from adding more;"
              + " what counts as equal is said by the columns' collations.");
    }
  }

  /** None as well where there was no time to find any. */
  private List<String> found(Catalog catalog, String query) throws SQLException {
    String before =
        version.mariadb()
            ? catalog.list("SELECT @@max_statement_time", row -> row.getString(1)).get(0)
            : null;
    try {
      if (before != null) {
        catalog.execute("SET max_statement_time = " + SECONDS);
      }
      return catalog.list(
          "SELECT /*+ MAX_EXECUTION_TIME(" + SECONDS * 1_000 + ") */" + query,
          row -> "(" + row.getString(1) + ") in " + row.getLong(2) + " rows");
    } catch (SQLException e) {
      if (e.getErrorCode() == 3024 || e.getErrorCode() == 1969) {
        // A big table: the build says it.
        return List.of();
      }
      throw e;
    } finally {
      if (before != null) {
        catalog.execute("SET max_statement_time = " + before);
      }
    }
  }

  @Override
  public List<Step> steps(
      AddUnique migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != AddUnique.ENFORCE) {
      return List.of();
    }
    String schema = target.schema();
    String table = migration.table();
    return List.of(
        direction == Direction.UP
            ? Ddl.online(
                "create-unique-index",
                "builds the index while the table is in use; finds duplicates, and rejects them"
                    + " from then on",
                schema,
                table,
                "ADD " + clause(migration) + Ddl.noCopy(version),
                Probes.all(Probes.index(schema, table, migration.name(), "NON_UNIQUE = 0")))
            : MysqlCreateIndex.drop(version, schema, table, migration.name()));
  }

  @Override
  public void preflightBack(
      AddUnique migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (phase == AddUnique.ENFORCE) {
      Catalog catalog = new Catalog(migration, target, version, connection);
      CatalogTable table = catalog.table(migration.table());
      CatalogIndex index = catalog.find(table, migration.name()).orElse(null);
      if (index != null) {
        new IndexCheck(catalog, table).requireDispensable(index);
      }
    }
  }

  private static String clause(AddUnique migration) {
    return "UNIQUE KEY "
        + Sql.quote(migration.name())
        + " ("
        + migration.keyColumns().stream().map(Sql::quote).collect(Collectors.joining(","))
        + ")";
  }

  @Override
  public List<String> net(AddUnique migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .alter(
                migration.table(),
                "ADD UNIQUE KEY "
                    + Plain.name(migration.name())
                    + " ("
                    + Plain.names(migration.keyColumns())
                    + ")"));
  }
}
