package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a build says of itself is checked as a whole before any of it is registered: a build that is
 * refused leaves nothing behind.
 */
final class DeclarationCheck {

  private final EngineContext ctx;

  DeclarationCheck(EngineContext ctx) {
    this.ctx = ctx;
  }

  void run(List<MigrationRow> known) throws SQLException {
    requireSameStages(ctx, Db.autoCommit(ctx.dataSource(), ctx.reader()::releases));
    requireOrder(known);
    Set<String> touches = ctx.declarations().touches();
    if (touches != null) {
      Db.autoCommit(
          ctx.dataSource(),
          connection -> {
            for (String table : touches) {
              if (!declared(table)) {
                requireTable(connection, table, known);
              }
            }
            return true;
          });
    }
  }

  /** A release string means one set of stages: warm releases and rollbacks are judged by it. */
  static void requireSameStages(EngineContext ctx, List<Release> releases) {
    requireSameStages(
        ctx, releases, ctx.application(), ctx.release(), ctx.declarations().stagesById());
  }

  /** The same of another build. */
  static void requireSameStages(
      EngineContext ctx,
      List<Release> releases,
      String application,
      String release,
      Map<String, List<String>> mine) {
    if (ctx.environment() == Environment.DEVELOPMENT) {
      return;
    }
    for (Release each : releases) {
      if (!each.application().equals(application)
          || !each.release().equals(release)
          || each.declared().equals(mine)) {
        continue;
      }
      for (String id : union(each.declared(), mine)) {
        List<String> before = each.declared().getOrDefault(id, List.of("nothing"));
        List<String> now = mine.getOrDefault(id, List.of("nothing"));
        if (!before.equals(now)) {
          throw new DeclarationException(
              ErrorCode.RELEASE_CHANGED,
              "Release "
                  + release
                  + " of "
                  + application
                  + " was registered with stage "
                  + String.join(", ", before)
                  + " for "
                  + id
                  + ", and now declares "
                  + String.join(", ", now),
              "Give every build a release string of its own: warm releases and rollbacks"
                  + " are judged by it.");
        }
      }
    }
  }

  private static List<String> union(Map<String, ?> a, Map<String, ?> b) {
    List<String> keys = new ArrayList<>(a.keySet());
    b.keySet().stream().filter(each -> !keys.contains(each)).forEach(keys::add);
    return keys;
  }

  /** What comes after nothing that exists, or after itself, would wait without end. */
  private void requireOrder(List<MigrationRow> known) {
    Map<String, List<String>> after = new LinkedHashMap<>();
    known.forEach(each -> after.put(each.id(), each.after()));
    for (Engine.Declaration each : ctx.declarations().all()) {
      Migration<?> migration = each.migration();
      if (migration != null) {
        after.put(each.id(), migration.after());
      }
    }
    for (Engine.Declaration each : ctx.declarations().all()) {
      Migration<?> migration = each.migration();
      if (migration == null) {
        continue;
      }
      for (String other : migration.after()) {
        if (!after.containsKey(other)) {
          throw new DeclarationException(
              ErrorCode.UNKNOWN_MIGRATION,
              "Migration "
                  + each.id()
                  + " is declared to come after "
                  + other
                  + ", which no build has declared yet",
              "Declare that one in this build too, or deploy the application that owns it first.");
        }
      }
      requireNoCircle(each.id(), after);
    }
  }

  private static void requireNoCircle(String id, Map<String, List<String>> after) {
    Deque<String> open = new ArrayDeque<>(after.getOrDefault(id, List.of()));
    Set<String> seen = new LinkedHashSet<>();
    while (!open.isEmpty()) {
      String next = open.pop();
      if (next.equals(id)) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "Migration " + id + " is declared to come after itself, by way of " + seen,
            "Take one of these .after(...) away.");
      }
      if (seen.add(next)) {
        open.addAll(after.getOrDefault(next, List.of()));
      }
    }
  }

  /** A name that this very build gives a table need not be there yet. */
  private boolean declared(String table) {
    return ctx.declarations().all().stream()
        .map(Engine.Declaration::migration)
        .anyMatch(each -> each != null && each.tableNames().contains(table));
  }

  /** A misspelt name would exempt the application from what it uses. */
  private static void requireTable(Connection connection, String table, List<MigrationRow> known)
      throws SQLException {
    if (known.stream().anyMatch(each -> each.table().equals(table))) {
      return;
    }
    DatabaseMetaData data = connection.getMetaData();
    String escape = data.getSearchStringEscape();
    String pattern =
        table
            .replace(escape, escape + escape)
            .replace("_", escape + "_")
            .replace("%", escape + "%");
    try (ResultSet found = data.getTables(connection.getCatalog(), null, pattern, null)) {
      while (found.next()) {
        if (table.equals(found.getString("TABLE_NAME"))) {
          return;
        }
      }
    }
    throw new DeclarationException(
        ErrorCode.INVALID_DECLARATION,
        "touches(\"" + table + "\"): this database has no table or view of that name",
        "Give the bare name, without its schema and exactly as the catalog has it; who touches no"
            + " table that is ever migrated says touches() without names.");
  }
}
