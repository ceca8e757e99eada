package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Export;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes finished migrations down as plain SQL, from their rows. */
final class Exports {

  private final EngineContext ctx;
  private final Operator operator;
  private final Startup startup;
  private final Reporter reporter;
  private final String current;

  /**
   * For one database.
   *
   * @param current the schema that names without one mean
   */
  Exports(
      EngineContext ctx, Operator operator, Startup startup, Reporter reporter, String current) {
    this.ctx = ctx;
    this.operator = operator;
    this.startup = startup;
    this.reporter = reporter;
    this.current = current;
  }

  /** Those, or all that are finished. */
  Export of(String... ids) throws SQLException {
    return ids.length == 0 ? all() : only(new LinkedHashSet<>(List.of(ids)));
  }

  private Export only(Set<String> ids) throws SQLException {
    List<List<MigrationRow>> found = new ArrayList<>();
    for (String id : ids) {
      List<MigrationRow> rows = operator.rows(id);
      for (MigrationRow row : rows) {
        if (!finished(row)) {
          throw unfinished(row);
        }
      }
      found.add(rows);
    }
    found.sort((one, other) -> Long.compare(one.get(0).ordinal(), other.get(0).ordinal()));
    List<Export.Script> scripts = new ArrayList<>();
    for (List<MigrationRow> rows : found) {
      scripts.add(script(rows));
    }
    return new Export(scripts, Map.of());
  }

  private Export all() throws SQLException {
    startup.tables();
    Map<String, List<MigrationRow>> byId = new LinkedHashMap<>();
    for (MigrationRow row : Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations)) {
      byId.computeIfAbsent(row.id(), id -> new ArrayList<>()).add(row);
    }
    List<Export.Script> scripts = new ArrayList<>();
    Map<String, String> left = new LinkedHashMap<>();
    for (List<MigrationRow> rows : byId.values()) {
      if (rows.stream().allMatch(Exports::finished)) {
        try {
          scripts.add(script(rows));
        } catch (RefusedException e) {
          left.put(rows.get(0).id(), e.getMessage());
        }
      }
    }
    return new Export(scripts, left);
  }

  private static boolean finished(MigrationRow row) {
    return row.finished() && !row.goesDown();
  }

  private RefusedException unfinished(MigrationRow row) throws SQLException {
    String waits =
        reporter.status().migrations().stream()
            .filter(each -> each.id().equals(row.id()) && each.schema().equals(row.schema()))
            .map(MigrationReport::waits)
            .flatMap(List::stream)
            .map(Object::toString)
            .collect(Collectors.joining("; "));
    return refused(
        row,
        "it has not reached "
            + row.lifecycle().name(row.lifecycle().last())
            + " in schema "
            + row.schema()
            + ", which is its end: it is at "
            + row.lifecycle().name(row.state().reached())
            + (row.status() == MigrationStatus.ACTIVE ? "" : ", " + row.status())
            + (waits.isEmpty() ? "" : ", and waits for " + waits),
        "Export it when status() says that it is DONE.");
  }

  /** Of one migration: the same for all of its schemas. */
  private Export.Script script(List<MigrationRow> rows) {
    MigrationRow first = rows.get(0);
    List<String> net = net(first, rows.size() == 1 && !first.schema().equals(current));
    for (MigrationRow other : rows.subList(1, rows.size())) {
      if (!net(other, false).equals(net)) {
        throw refused(
            other,
            "schemas " + first.schema() + " and " + other.schema() + " need different SQL for it",
            "Write a script for each by hand; finishScript and plan() show what was done.");
      }
    }
    Instant finished =
        rows.stream()
            .map(each -> Instant.ofEpochMilli(finishedAt(each)))
            .max(Instant::compareTo)
            .orElseThrow();
    // A declaration that is still there may say its place.
    String place = ctx.declarations().same(first).flatMap(Migration::flyway).orElse(null);
    return new Export.Script(
        first.id(), first.lifecycle().operation(), finished, place, text(rows, finished, net));
  }

  private static long finishedAt(MigrationRow row) {
    Long at = row.finishedAt();
    return at == null ? row.since() : at;
  }

  private List<String> net(MigrationRow row, boolean qualified) {
    Operation<?> operation =
        ctx.operation(row)
            .orElseThrow(
                () ->
                    refused(
                        row, StepRunner.missing(ctx, row), "Ask a build that has the library."));
    return operation.net(new NetTarget(row.id(), row.schema(), qualified), row.facts());
  }

  private static String text(List<MigrationRow> rows, Instant finished, List<String> net) {
    MigrationRow first = rows.get(0);
    StringBuilder text = new StringBuilder();
    text.append("-- ")
        .append(first.id())
        .append(": ")
        .append(first.lifecycle().operation())
        .append(", finished ")
        .append(finished.truncatedTo(ChronoUnit.SECONDS))
        .append('\n')
        .append(
            "-- For databases that are built from scratch. Where the migration was carried out,")
        .append(" all of this is there.\n");
    if (net.isEmpty()) {
      text.append("-- There is nothing to do: it changed nothing that a new database lacks.\n");
    }
    net.forEach(each -> text.append('\n').append(each).append(";\n"));
    return text.toString();
  }

  private static RefusedException refused(MigrationRow row, String problem, String remedy) {
    return new RefusedException(ErrorCode.REFUSED, row.id(), problem, remedy);
  }
}
