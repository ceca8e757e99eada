package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import dev.zerodowntime.orchestrator.internal.sql.ObjectName;
import dev.zerodowntime.orchestrator.internal.sql.Statement;
import dev.zerodowntime.orchestrator.internal.sql.Token;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What the steps of a plan have made so far: nobody else's rows and code are in it. */
final class Made {

  private final Set<ObjectName> tables = new HashSet<>();
  private final Set<String> columns = new HashSet<>();
  private final Set<ObjectName> indexes = new HashSet<>();

  /** By table and constraint: the column that it proves to be not null. */
  private final Map<String, String> checks = new HashMap<>();

  /** By table: the columns of validated checks. */
  private final Set<String> proven = new HashSet<>();

  boolean table(ObjectName name) {
    return tables.contains(name);
  }

  boolean column(ObjectName table, String column) {
    return columns.contains(key(table, column));
  }

  /** An index on a table that the plan made, or one that it made itself on another. */
  boolean index(ObjectName name) {
    return indexes.contains(name);
  }

  boolean proven(ObjectName table, String column) {
    return proven.contains(key(table, column));
  }

  void note(Statement statement) {
    if (statement.starts("create")) {
      created(statement);
    }
    AlterTable.of(statement)
        .ifPresent(alter -> alter.actions().forEach(each -> altered(alter.table(), each)));
  }

  private void created(Statement statement) {
    int place = statement.skip(1, "unlogged");
    if (statement.at(place, "table")) {
      Statement.Named table = statement.name(statement.skip(place + 1, "if", "not", "exists"));
      // One that may have been there before isn't the plan's own.
      if (table != null && !statement.at(place + 1, "if")) {
        tables.add(table.name());
      }
      return;
    }
    place = statement.skip(1, "unique");
    int on = statement.find("on");
    if (statement.at(place, "index") && on > 0) {
      place = statement.skip(statement.skip(place + 1, "concurrently"), "if", "not", "exists");
      Statement.Named index = statement.name(place);
      Statement.Named table = statement.name(statement.skip(on + 1, "only"));
      if (index != null && table != null && table(table.name())) {
        indexes.add(index.name());
      }
    }
  }

  private void altered(ObjectName table, AlterTable.Action action) {
    String column = action.column();
    String constraint = action.constraint();
    if (action.addsColumn() && column != null && !conditional(action)) {
      columns.add(key(table, column));
    }
    if (action.addsConstraint() && constraint != null) {
      String of = action.provenColumn();
      if (of != null) {
        checks.put(key(table, constraint), of);
      }
    }
    if (action.starts("validate", "constraint") && constraint != null) {
      String of = checks.get(key(table, constraint));
      if (of != null) {
        proven.add(key(table, of));
      }
    }
    if (action.starts("drop", "constraint") && constraint != null) {
      String of = checks.remove(key(table, constraint));
      if (of != null) {
        proven.remove(key(table, of));
      }
    }
  }

  private static boolean conditional(AlterTable.Action action) {
    return action.tokens().stream().limit(3).anyMatch((Token each) -> each.word("if"));
  }

  private static String key(ObjectName table, String name) {
    return table + "\0" + name;
  }
}
