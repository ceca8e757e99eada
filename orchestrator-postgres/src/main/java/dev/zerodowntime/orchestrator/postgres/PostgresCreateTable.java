package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.spi.DdlStep;
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
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** A table, created in one statement; taken back by a rename. */
final class PostgresCreateTable implements OperationSupport<CreateTable> {

  @Override
  public OperationType<CreateTable> type() {
    return CreateTable.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      CreateTable migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new CreateTableCheck(migration, target, connection).facts();
  }

  static String tombstone(CreateTable migration, Target target) {
    return Sql.tombstone(migration.id(), target.schema(), migration.table());
  }

  @Override
  public List<Step> steps(
      CreateTable migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String schema = target.schema();
    String tombstone = tombstone(migration, target);
    if (direction == Direction.DOWN) {
      return List.of(
          PostgresDropTable.rename(
              "quarantine-table",
              "renames the table to a tombstone, with the rows it has; nothing is dropped",
              schema,
              migration.table(),
              tombstone));
    }
    return List.of(
        Facts.flag(facts, CreateTableCheck.TOMBSTONE)
            ? PostgresDropTable.rename(
                "restore-table",
                "brings the table back from quarantine, with its rows",
                schema,
                tombstone,
                migration.table())
            : create(migration, schema));
  }

  private static Step create(CreateTable migration, String schema) {
    String table = Sql.qualified(schema, migration.table());
    List<String> partners =
        migration.foreignKeys().stream()
            .map(CreateTable.ForeignKey::table)
            .filter(each -> !each.equals(migration.table()))
            .map(each -> Sql.qualified(schema, each))
            .distinct()
            .toList();
    return new DdlStep(
        "create-table",
        "creates the table",
        partners.isEmpty()
            ? "none on other tables"
            : "SHARE ROW EXCLUSIVE on "
                + String.join(", ", partners)
                + ": blocks their writes, within the lock budget",
        partners,
        List.of("CREATE TABLE " + table + " (" + body(migration, schema) + ")"),
        Probes.all(Probes.table(table)),
        false);
  }

  /**
   * What is between the parentheses.
   *
   * @param schema of the tables that foreign keys point to
   */
  static String body(CreateTable migration, String schema) {
    return String.join(", ", parts(migration, each -> Sql.qualified(schema, each), Sql::quote));
  }

  private static List<String> parts(
      CreateTable migration, UnaryOperator<String> table, UnaryOperator<String> name) {
    List<String> parts = new ArrayList<>();
    for (CreateTable.Column column : migration.tableColumns()) {
      parts.add(
          name.apply(column.name())
              + " "
              + column.type()
              + (column.notNull() ? " NOT NULL" : "")
              + (column.defaultSql() == null ? "" : " DEFAULT (" + column.defaultSql() + ")"));
    }
    if (!migration.primaryKey().isEmpty()) {
      parts.add("PRIMARY KEY (" + names(migration.primaryKey(), name) + ")");
    }
    parts.addAll(migration.constraints());
    for (CreateTable.ForeignKey key : migration.foreignKeys()) {
      parts.add(
          "FOREIGN KEY ("
              + names(key.columns(), name)
              + ") REFERENCES "
              + table.apply(key.table())
              + " ("
              + names(key.references(), name)
              + ")"
              + (key.sql().isBlank() ? "" : " " + key.sql()));
    }
    return parts;
  }

  private static String names(List<String> names, UnaryOperator<String> name) {
    return names.stream().map(name).collect(Collectors.joining(", "));
  }

  @Override
  public List<String> net(CreateTable migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    return List.of(
        "CREATE TABLE "
            + plain.in(migration.table())
            + " (\n  "
            + String.join(",\n  ", parts(migration, plain::in, Plain::name))
            + "\n)");
  }
}
