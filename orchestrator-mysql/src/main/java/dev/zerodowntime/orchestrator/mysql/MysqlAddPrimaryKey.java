package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.spi.Facts;
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
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A primary key over columns that are NOT NULL and unique already: then it rejects nothing that the
 * table didn't reject before, and what is left is to store the rows in its order, in place, with
 * writes going on.
 */
final class MysqlAddPrimaryKey implements OperationSupport<AddPrimaryKey> {

  /** Whether it is there already: then it is left alone. */
  private static final String ALREADY = "already";

  private final MysqlVersion version;

  MysqlAddPrimaryKey(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<AddPrimaryKey> type() {
    return AddPrimaryKey.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddPrimaryKey migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    if (!migration.include().isEmpty()) {
      throw catalog.refuse(
          "the primary key includes columns " + migration.include(),
          version.flavor().title() + " stores all columns with it: leave that out.");
    }
    CatalogTable table = catalog.table(migration.table());
    List<String> columns = new ArrayList<>();
    for (String name : migration.keyColumns()) {
      CatalogColumn column = catalog.column(table, name);
      columns.add(column.name());
      String what = "column " + column.quoted() + " of table " + table.display();
      if (!column.notNull()) {
        throw catalog.refuse(
            what + " can be NULL", "Declare a SetNotNull of it before this migration.");
      }
      if (column.generated()) {
        throw catalog.refuse(
            what + " is generated, and rows can't be stored by it", "Choose another column.");
      }
    }
    Optional<CatalogIndex> primary =
        catalog.indexes(table).stream().filter(CatalogIndex::primary).findFirst();
    if (primary.isPresent()) {
      if (!primary.get().whole() || !primary.get().columns().equals(columns)) {
        throw catalog.refuse(
            "table "
                + table.display()
                + " has a primary key over "
                + primary.get().columns()
                + " already",
            "Declare an AddUnique instead.");
      }
      // Up to DONE nobody but this migration may have added it.
      return Map.of(ALREADY, phase == 1 || Facts.flag(known, ALREADY));
    }
    catalog.requireNoCluster("rewriting a table, as the server does for this,");
    if (table.fulltext()) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has a FULLTEXT index: the server would block every write while it rewrites the"
              + " table",
          "Drop that index first.");
    }
    requireUnique(catalog, table, columns);
    return Map.of(ALREADY, false);
  }

  private static void requireUnique(Catalog catalog, CatalogTable table, List<String> columns)
      throws SQLException {
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.unique()
          && index.whole()
          && index.kind().equals("BTREE")
          && index.columns().stream()
              .sorted()
              .toList()
              .equals(columns.stream().sorted().toList())) {
        return;
      }
    }
    throw catalog.refuse(
        "no unique index of table " + table.display() + " is over " + columns,
        "Declare an AddUnique over them before this migration: it finds duplicates, and keeps them"
            + " out.");
  }

  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public Optional<String> consent(
      AddPrimaryKey migration, Map<String, Object> facts, int phase, Direction direction) {
    return direction == Direction.DOWN
            && phase == AddPrimaryKey.ENFORCE
            && !version.mariadb()
            && !Facts.flag(facts, ALREADY)
        ? Optional.of(
            "the primary key of table \""
                + migration.table()
                + "\" stays, if it is there by now, for MySQL drops one only by copying the table, with every write"
                + " blocked; it rejects nothing that the unique index over the same columns doesn't")
        : Optional.empty();
  }

  @Override
  public List<Step> steps(
      AddPrimaryKey migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    // Unique the columns are before.
    if (phase == AddPrimaryKey.ENFORCE || Facts.flag(facts, ALREADY)) {
      return List.of();
    }
    if (phase != AddPrimaryKey.DONE) {
      throw new IllegalArgumentException("AddPrimaryKey has no phase " + phase);
    }
    String there = Probes.index(target.schema(), migration.table(), "PRIMARY");
    if (direction == Direction.UP) {
      return List.of(
          Ddl.online(
              "add-primary-key",
              "stores the rows by the key: rewrites the table while it is in use",
              target.schema(),
              migration.table(),
              "ADD PRIMARY KEY ("
                  + migration.keyColumns().stream()
                      .map(Sql::quote)
                      .collect(Collectors.joining(", "))
                  + "), ALGORITHM=INPLACE, LOCK=NONE",
              Probes.all(there)));
    }
    return version.mariadb()
        ? List.of(
            Ddl.online(
                "drop-primary-key",
                "stores the rows by the unique index again: rewrites the table while it is in use",
                target.schema(),
                migration.table(),
                "DROP PRIMARY KEY, ALGORITHM=INPLACE, LOCK=NONE",
                Probes.all(Probes.not(there))))
        : List.of();
  }

  @Override
  public List<String> net(AddPrimaryKey migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    plain.requireOurs(
        Facts.flag(facts, ALREADY), "the primary key of table \"" + migration.table() + "\"");
    return List.of(
        plain.alter(
            migration.table(), "ADD PRIMARY KEY (" + Plain.names(migration.keyColumns()) + ")"));
  }
}
