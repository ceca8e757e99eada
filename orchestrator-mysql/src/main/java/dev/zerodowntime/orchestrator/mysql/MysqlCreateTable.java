package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** A table, created in one statement; taken back by a rename. */
final class MysqlCreateTable implements OperationSupport<CreateTable> {

  /** With {@code _ibfk_} and a number it is as long as names may be. */
  private static final int LONGEST_FOR_KEYS = 55;

  private static final String TOMBSTONE = "tombstone";

  @Override
  public OperationType<CreateTable> type() {
    return CreateTable.TYPE;
  }

  /** Tried as a temporary table, without foreign keys, which those can't have. */
  @Override
  public Map<String, Object> preflight(
      CreateTable migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Sql.requireFits(migration.id(), "table", migration.table());
    for (CreateTable.Column column : migration.tableColumns()) {
      Sql.requireFits(migration.id(), "column", column.name());
    }
    String schema = target.schema();
    try (Statement statement = connection.createStatement()) {
      String stored = migration.table().toLowerCase(Locale.ROOT);
      if (!stored.equals(migration.table())
          && is(statement, "@@global.lower_case_table_names = 1")) {
        throw refuse(
            migration,
            "this server keeps the names of tables in lower case (lower_case_table_names=1), and"
                + " would call table \""
                + migration.table()
                + "\" \""
                + stored
                + "\"",
            "Declare it as \"" + stored + "\".");
      }
      if (is(statement, taken(schema, migration.table()))) {
        throw refuse(
            migration,
            "the name \"" + migration.table() + "\" for the table is taken in " + schema,
            "Choose another name, or drop what has it.");
      }
      for (CreateTable.ForeignKey key : migration.foreignKeys()) {
        if (!key.table().equals(migration.table())
            && !is(statement, Probes.table(schema, key.table()))) {
          throw refuse(
              migration,
              "a foreign key points to "
                  + Sql.qualified(schema, key.table())
                  + ", which is no table",
              "Create it first, and name that migration in .after(...); or correct the name.");
        }
      }
      String trial = Sql.qualified(schema, "zdo_trial_" + Sql.hash8(migration.id(), schema));
      try {
        statement.execute("CREATE TEMPORARY TABLE " + trial + " (" + body(migration, null) + ")");
        statement.execute("DROP TEMPORARY TABLE " + trial);
      } catch (SQLException e) {
        SqlErrorKind kind = MysqlErrors.classify(e);
        if (kind == SqlErrorKind.CONNECTION_LOST || kind == SqlErrorKind.PRIVILEGE) {
          throw e;
        }
        throw refuse(
            migration,
            "table \""
                + migration.table()
                + "\" can't be created: the server says \""
                + e.getMessage()
                + "\"",
            "Correct the declaration: foreign keys go into foreignKey(...), everything else into"
                + " its column or into constraint(...).");
      }
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put(TOMBSTONE, is(statement, Probes.table(schema, tombstone(migration, target))));
      return facts;
    }
  }

  private static RefusedException refuse(CreateTable migration, String problem, String remedy) {
    return new RefusedException(ErrorCode.REFUSED, migration.id(), problem, remedy);
  }

  private static boolean is(Statement statement, String condition) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT " + condition)) {
      return row.next() && row.getBoolean(1);
    }
  }

  /** By a table or a view. */
  private static String taken(String schema, String name) {
    return "EXISTS (SELECT 1 FROM information_schema.TABLES WHERE "
        + Probes.isTable(schema, name)
        + ")";
  }

  private static String tombstone(CreateTable migration, Target target) {
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
          rename(
              "quarantine-table",
              "renames the table to a tombstone, with the rows it has; nothing is dropped",
              schema,
              migration.table(),
              tombstone,
              partners(migration, schema)));
    }
    return List.of(
        Facts.flag(facts, TOMBSTONE)
            ? rename(
                "restore-table",
                "brings the table back from quarantine, with its rows",
                schema,
                tombstone,
                migration.table(),
                partners(migration, schema))
            : create(migration, schema));
  }

  /** What its foreign keys point to is locked as well, as when it is created. */
  private static Step rename(
      String name, String summary, String schema, String from, String to, List<String> partners) {
    String table = Sql.qualified(schema, from);
    List<String> tables = new ArrayList<>(List.of(table));
    tables.addAll(partners);
    String renamed = Sql.qualified(schema, to);
    return new DdlStep(
        name,
        summary,
        TableLock.each("EXCLUSIVE", tables),
        List.of("RENAME TABLE " + table + " TO " + renamed),
        Probes.all(Probes.not(Probes.table(schema, from)), Probes.table(schema, to)),
        false);
  }

  /** The tables that its foreign keys point to, besides itself. */
  private static List<String> partners(CreateTable migration, String schema) {
    return migration.foreignKeys().stream()
        .map(CreateTable.ForeignKey::table)
        .filter(each -> !each.equals(migration.table()))
        .map(each -> Sql.qualified(schema, each))
        .distinct()
        .toList();
  }

  private static Step create(CreateTable migration, String schema) {
    List<String> partners = partners(migration, schema);
    return new DdlStep(
        "create-table",
        "creates the table",
        TableLock.each("EXCLUSIVE", partners),
        List.of(
            "CREATE TABLE "
                + Sql.qualified(schema, migration.table())
                + " ("
                + body(migration, schema)
                + ") ENGINE = InnoDB"),
        Probes.all(Probes.table(schema, migration.table())),
        false);
  }

  /**
   * What is between the parentheses.
   *
   * @param schema of the tables that foreign keys point to; null leaves those out
   */
  private static String body(
      CreateTable migration, @org.jspecify.annotations.Nullable String schema) {
    return String.join(
        ", ",
        parts(migration, schema == null ? null : each -> Sql.qualified(schema, each), Sql::quote));
  }

  private static List<String> parts(
      CreateTable migration,
      @org.jspecify.annotations.Nullable UnaryOperator<String> table,
      UnaryOperator<String> name) {
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
    if (table != null) {
      int number = 1;
      for (CreateTable.ForeignKey key : migration.foreignKeys()) {
        parts.add(
            keyName(migration.table(), number++, name)
                + "FOREIGN KEY ("
                + names(key.columns(), name)
                + ") REFERENCES "
                + table.apply(key.table())
                + " ("
                + names(key.references(), name)
                + ")"
                + (key.sql().isBlank() ? "" : " " + key.sql()));
      }
    }
    return parts;
  }

  /** The server makes a name from the table's, and fails if that is too long for it. */
  private static String keyName(String table, int number, UnaryOperator<String> name) {
    return table.length() <= LONGEST_FOR_KEYS
        ? ""
        : "CONSTRAINT "
            + name.apply(
                Sql.cut(table, LONGEST_FOR_KEYS - 8) + "_fk_" + Sql.hash8(table, "" + number))
            + " ";
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
            + "\n) ENGINE = InnoDB");
  }
}
