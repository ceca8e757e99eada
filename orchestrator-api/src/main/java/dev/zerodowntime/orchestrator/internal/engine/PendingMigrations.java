package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What stands in the way of migrations that this build declares, or that the database knows, and
 * that are not finished: whatever their preflight refuses by name, and what a person has to consent
 * to.
 */
final class PendingMigrations {

  private final EngineContext ctx;
  private final List<MigrationRow> known;
  private final Preflight preflight;
  private final List<Finding> findings = new ArrayList<>();

  PendingMigrations(EngineContext ctx, List<MigrationRow> known) {
    this.ctx = ctx;
    this.known = known;
    this.preflight = new Preflight(ctx);
  }

  /** The tables they change. */
  Set<DoctorSql.Table> tables() {
    Set<DoctorSql.Table> tables = new LinkedHashSet<>();
    for (MigrationRow row : known) {
      if (!row.finished()) {
        tables.add(new DoctorSql.Table(row.schema(), row.table()));
      }
    }
    for (Engine.Declaration each : ctx.declarations().all()) {
      Migration<?> migration = each.migration();
      String schema = each.schema();
      if (migration != null && schema != null && !finished(migration, schema)) {
        tables.add(new DoctorSql.Table(schema, migration.table()));
      }
    }
    return tables;
  }

  private boolean finished(Migration<?> migration, String schema) {
    String key = MigrationRow.key(schema, migration.id());
    return known.stream().anyMatch(each -> each.key().equals(key) && each.finished());
  }

  List<Finding> look() {
    List<String> earlier = new ArrayList<>();
    for (MigrationRow row : known) {
      if (!row.finished() && Preflight.captured(row)) {
        readable("migration " + row.id(), () -> look(row));
        earlier.add(MigrationRow.key(row.schema(), row.table()));
      }
    }
    for (Engine.Declaration each : ctx.declarations().all()) {
      Migration<?> migration = each.migration();
      String schema = each.schema();
      if (migration == null || schema == null) {
        continue;
      }
      String key = MigrationRow.key(schema, migration.id());
      if (known.stream().noneMatch(row -> row.key().equals(key) && Preflight.captured(row))) {
        boolean second =
            follows(migration) || earlier.contains(MigrationRow.key(schema, migration.table()));
        readable("migration " + migration.id(), () -> look(migration, schema, second));
        earlier.add(MigrationRow.key(schema, migration.table()));
      }
    }
    if (findings.isEmpty()) {
      findings.add(Finding.ok("pending migrations", "none"));
    }
    return findings;
  }

  /** A look at one migration. */
  @FunctionalInterface
  private interface Look {
    void look() throws SQLException;
  }

  private void readable(String subject, Look look) {
    try {
      look.look();
    } catch (SQLException e) {
      findings.add(Examination.unreadable(subject, e));
    }
  }

  /** Whether one that it names is not finished. */
  private boolean follows(Migration<?> migration) {
    return migration.after().stream()
        .anyMatch(id -> known.stream().noneMatch(each -> each.id().equals(id) && each.finished()));
  }

  private void look(MigrationRow row) throws SQLException {
    String subject = "migration " + row.id();
    Operation<?> operation = ctx.operation(row).orElse(null);
    if (operation == null) {
      findings.add(
          Finding.warn(
              subject,
              "this library has no " + row.lifecycle().operation() + " for " + ctx.dialect().name(),
              "Another driver has to carry it on."));
      return;
    }
    int next = row.state().upper() + 1;
    Map<String, Object> facts = row.facts();
    if (row.state().atRest() && next <= row.lifecycle().last() && operation.recaptures(next)) {
      try {
        facts = preflight.run(operation, ctx.target(row), next, facts).facts();
      } catch (RefusedException e) {
        refused(subject, e, false);
        return;
      } catch (NotYetException e) {
        later(subject, e);
        return;
      }
    }
    String at = row.lifecycle().name(row.state().upper());
    accepted(subject, "is at " + at, operation, facts, row.lifecycle(), next);
  }

  private void look(Migration<?> migration, String schema, boolean second) throws SQLException {
    String subject = "migration " + migration.id();
    Operation<?> operation = ctx.operation(migration).orElse(null);
    if (operation == null) {
      String name = migration.lifecycle().operation();
      findings.add(
          Finding.problem(
              subject,
              "the " + ctx.dialect().name() + " dialect has no " + name,
              ctx.dialect().instead(name)));
      return;
    }
    CreateTable creator = Planner.creator(ctx, migration, schema, known);
    if (creator != null) {
      findings.add(
          Finding.ok(subject, "is looked at when migration " + creator.id() + " has its table"));
      return;
    }
    try {
      Preflight.Found found =
          preflight.run(operation, new Target(migration.id(), schema, ctx.tables().schema()));
      accepted(subject, "can be carried out", operation, found.facts(), found.lifecycle(), 1);
    } catch (RefusedException e) {
      refused(subject, e, second);
    } catch (NotYetException e) {
      later(subject, e);
    }
  }

  private void later(String subject, NotYetException e) {
    findings.add(Finding.warn(subject, "waits: " + e.what(), "It goes on by itself afterwards."));
  }

  /**
   * @param follows whether another migration comes first, which may bring what this one needs
   */
  private void refused(String subject, RefusedException e, boolean follows) {
    String said = Examination.said(e);
    if (follows) {
      findings.add(
          Finding.unknown(
              subject,
              "is looked at anew when those before it are done; as things are: " + said,
              e.remedy()));
    } else if (e.code() == ErrorCode.MISSING_PRIVILEGE && !ctx.role().drives()) {
      findings.add(
          Finding.unknown(
              subject,
              "can't be looked at without the rights of a process that drives",
              "Ask the doctor of one that does."));
    } else {
      findings.add(Finding.problem(subject, said, e.remedy()));
    }
  }

  private void accepted(
      String subject,
      String what,
      Operation<?> operation,
      Map<String, Object> facts,
      Lifecycle lifecycle,
      int from) {
    boolean consents = false;
    for (int phase = from; phase <= lifecycle.last(); phase++) {
      String name = lifecycle.name(phase);
      String consent = operation.consent(facts, phase, Direction.UP).orElse(null);
      if (consent != null) {
        consents = true;
        findings.add(
            Finding.warn(
                subject,
                name + " waits for a person: " + consent,
                "approve(\"" + operation.migration().id() + "\", \"" + name + "\") consents."));
      }
    }
    if (!consents) {
      findings.add(Finding.ok(subject, what));
    }
  }
}
