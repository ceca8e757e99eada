package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Makes this build's declarations known to the database, and refuses those that contradict it. */
final class Declarer {

  private final EngineContext ctx;
  private final Preflight preflight;
  private final List<MigrationRow> changed = new ArrayList<>();

  /** Of this application. */
  private List<Release> releases = List.of();

  Declarer(EngineContext ctx) {
    this.ctx = ctx;
    this.preflight = new Preflight(ctx);
  }

  /**
   * Registers what is new.
   *
   * @return migrations that have started and were declared differently since: in DEVELOPMENT they
   *     are to be rolled back, then declared again
   */
  List<MigrationRow> declare() throws SQLException {
    return declare(each -> true);
  }

  /** The same for some of them: what the others are about may not be there yet. */
  List<MigrationRow> declare(Predicate<Engine.Declaration> which) throws SQLException {
    changed.clear();
    List<MigrationRow> known = Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations);
    releases =
        Db.autoCommit(ctx.dataSource(), ctx.reader()::releases).stream()
            .filter(each -> each.application().equals(ctx.application()))
            .toList();
    for (Engine.Declaration declared : ctx.declarations().all()) {
      if (!which.test(declared)) {
        continue;
      }
      Migration<?> migration = declared.migration();
      if (migration == null) {
        boolean exists = known.stream().anyMatch(each -> each.id().equals(declared.id()));
        if (!exists && ctx.environment() == Environment.PRODUCTION) {
          throw new DeclarationException(
              ErrorCode.UNKNOWN_MIGRATION,
              "This build refers to migration "
                  + declared.id()
                  + ", which no build has declared yet",
              "Deploy the application that owns it first, or correct the id.");
        }
        continue;
      }
      String schema = Objects.requireNonNull(declared.schema());
      Optional<MigrationRow> row =
          known.stream()
              .filter(each -> each.key().equals(MigrationRow.key(schema, migration.id())))
              .findFirst();
      if (row.isEmpty()) {
        insert(migration, schema, known);
      } else {
        compare(migration, row.get(), known);
      }
      known = Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations);
    }
    return List.copyOf(changed);
  }

  private void insert(Migration<?> migration, String schema, List<MigrationRow> known)
      throws SQLException {
    requireNoConflict(migration, schema, known);
    Preflight.Found found = preflight(migration, schema, known);
    ctx.transaction(
        connection -> {
          // Two builds may declare at once; the second sees what the first inserted.
          ctx.reader().lockFleetExclusive(connection);
          requireNoConflict(migration, schema, ctx.reader().migrations(connection));
          int inserted =
              ctx.migrations()
                  .insert(connection, migration, schema, found.lifecycle(), found.facts());
          if (inserted == 1) {
            event(connection, schema, migration.id(), "DECLARED", migration.canonical().toString());
          }
          return true;
        });
  }

  private void event(Connection connection, String schema, String id, String kind, String detail)
      throws SQLException {
    ctx.events()
        .append(
            connection,
            ctx.reader().migration(connection, id, schema).orElse(null),
            Event.of(kind, null, detail));
  }

  private Preflight.Found preflight(Migration<?> migration, String schema, List<MigrationRow> known)
      throws SQLException {
    Operation<?> operation =
        ctx.operation(migration)
            .orElseThrow(
                () ->
                    new RefusedException(
                        ErrorCode.REFUSED,
                        migration.id(),
                        "the "
                            + ctx.dialect().name()
                            + " dialect has no "
                            + migration.lifecycle().operation(),
                        ctx.dialect().instead(migration.lifecycle().operation())));
    boolean later =
        !migration.after().isEmpty()
            || known.stream()
                .anyMatch(
                    each ->
                        each.schema().equals(schema)
                            && each.table().equals(migration.table())
                            && each.state().lower() == 0
                            && !each.finished());
    if (later || ctx.role() == Role.MEMBER) {
      // What it is checked against isn't there yet, or is none of this process's business: the
      // driver checks before the first phase is entered.
      return new Preflight.Found(migration.lifecycle(), Map.of());
    }
    try {
      return preflight.run(operation, new Target(migration.id(), schema, ctx.tables().schema()));
    } catch (NotYetException e) {
      // The driver waits for it; a build need not.
      return new Preflight.Found(migration.lifecycle(), Map.of());
    }
  }

  private void compare(Migration<?> migration, MigrationRow row, List<MigrationRow> known)
      throws SQLException {
    boolean sameOperation = row.operation().equals(migration.canonical());
    if (!sameOperation || !row.after().equals(migration.after())) {
      boolean started = !row.state().atRest() || row.state().reached() > 0;
      if (started) {
        if (sameOperation) {
          return;
        }
        if (ctx.environment() == Environment.DEVELOPMENT
            && row.lifecycle().reachable(row.state().upper(), 0)) {
          changed.add(row);
          return;
        }
        throw new DeclarationException(
            ErrorCode.DECLARATION_CHANGED,
            "Migration "
                + row.id()
                + " has reached "
                + row.lifecycle().name(row.state().reached())
                + " and can't be changed any more; it differs in "
                + difference(row.operation(), migration.canonical()),
            "Restore the declaration, and declare the change as a migration with an id of its own"
                + (row.lifecycle().reachable(row.state().upper(), 0)
                    ? "; or rollback(\"" + row.id() + "\") to NOT_STARTED first."
                    : "."));
      }
      if (overtaken(row.id())) {
        return;
      }
      requireNoConflict(migration, row.schema(), known);
      Preflight.Found found = preflight(migration, row.schema(), known.subList(0, 0));
      ctx.transaction(
          connection -> {
            ctx.reader().lockFleetExclusive(connection);
            ctx.migrations()
                .redeclare(connection, row, migration, found.lifecycle(), found.facts());
            event(
                connection,
                row.schema(),
                row.id(),
                "REDECLARED",
                difference(row.operation(), migration.canonical()));
            return true;
          });
    }
    if (!row.policy().equals(migration.policy()) && !overtaken(row.id())) {
      ctx.transaction(
          connection -> {
            ctx.migrations().policy(connection, row, migration.policy());
            event(
                connection,
                row.schema(),
                row.id(),
                "POLICY",
                row.policy() + " -> " + migration.policy());
            return true;
          });
    }
  }

  private static void requireNoConflict(
      Migration<?> migration, String schema, List<MigrationRow> known) {
    Conflicts.requireNone(migration.id(), schema, migration.table(), migration.columns(), known);
  }

  /**
   * Whether a later release of this application has declared a migration: what it says of it is not
   * undone by a process of an earlier release that restarts.
   */
  private boolean overtaken(String id) {
    Release mine =
        releases.stream()
            .filter(each -> each.release().equals(ctx.release()))
            .findFirst()
            .orElse(null);
    return ctx.environment() == Environment.PRODUCTION
        && mine != null
        && releases.stream()
            .anyMatch(
                each -> each.deploySeq() > mine.deploySeq() && each.declared().containsKey(id));
  }

  private static String difference(Map<String, Object> before, Map<String, Object> now) {
    TreeSet<String> keys = new TreeSet<>(before.keySet());
    keys.addAll(now.keySet());
    List<String> differences = new ArrayList<>();
    for (String key : keys) {
      if (!Objects.equals(before.get(key), now.get(key))) {
        differences.add(
            key
                + ": the database has "
                + before.getOrDefault(key, "nothing")
                + ", this build declares "
                + now.getOrDefault(key, "nothing"));
      }
    }
    return String.join("; ", differences);
  }
}
