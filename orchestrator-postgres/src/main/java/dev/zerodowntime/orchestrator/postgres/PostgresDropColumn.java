package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A column is relaxed, renamed to a tombstone, and after a while dropped. */
final class PostgresDropColumn implements OperationSupport<DropColumn> {

  @Override
  public OperationType<DropColumn> type() {
    return DropColumn.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    DropColumnCheck check = new DropColumnCheck(migration, target, connection);
    if (phase == DropColumn.CONTRACT) {
      check.requireStillUnused();
    }
    return phase == DropColumn.RELAX ? check.facts() : check.partitionsNow(known);
  }

  /**
   * What came to name the column since must not break when it is renamed; and partitions come and
   * go.
   */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  /**
   * Where nothing rejects a row without the column, code that doesn't know it fits from the start.
   */
  @Override
  public List<StageSpan> stages(DropColumn migration, Map<String, Object> facts) {
    List<StageSpan> stages = new ArrayList<>(migration.lifecycle().stages());
    if (!relaxes(facts)) {
      stages.set(
          stages.size() - 1,
          new StageSpan(DropColumn.Code.UNUSED.name(), new Span(0, DropColumn.PURGE)));
    }
    return stages;
  }

  @Override
  public Optional<String> consent(
      DropColumn migration, Map<String, Object> facts, int phase, Direction direction) {
    if (phase == DropColumn.CONTRACT && direction == Direction.UP) {
      return Published.quarantine(facts, migration.table());
    }
    return phase == DropColumn.RELAX && direction == Direction.DOWN
        ? Unrelax.lost(migration, facts)
        : Optional.empty();
  }

  static boolean relaxes(Map<String, Object> facts) {
    return Facts.flag(facts, DropColumnCheck.NOT_NULL)
        || facts.containsKey(DropColumnCheck.DEFAULT)
        || facts.containsKey(DropColumnCheck.DOMAIN)
        || !Facts.maps(facts, DropColumnCheck.CHECKS).isEmpty();
  }

  /** Whether rows written without the column get a value on the way back. */
  static boolean fillsBack(DropColumn migration, Map<String, Object> facts) {
    return migration.fillBackSql().isPresent()
        && (Facts.flag(facts, DropColumnCheck.NOT_NULL)
            || facts.containsKey(DropColumnCheck.DOMAIN)
            || !Facts.maps(facts, DropColumnCheck.CHECKS).isEmpty());
  }

  @Override
  public List<Step> steps(
      DropColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    List<String> tables = Partitions.locked(table, facts);
    String tombstone = Sql.tombstone(migration.id(), target.schema(), migration.column());
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case DropColumn.RELAX ->
          !relaxes(facts)
              ? List.of()
              : up
                  ? List.of(relax(migration, facts, tables))
                  : new Unrelax(migration, target, facts).steps();
      case DropColumn.CONTRACT ->
          List.of(
              up
                  ? rename(
                      "quarantine-column",
                      "renames the column to a tombstone, with its values",
                      tables,
                      migration.column(),
                      tombstone)
                  : rename(
                      "restore-column",
                      "brings the column back from quarantine",
                      tables,
                      tombstone,
                      migration.column()));
      case DropColumn.PURGE -> up ? List.of(purge(facts, tables, tombstone)) : List.of();
      default -> throw new IllegalArgumentException("DropColumn has no phase " + phase);
    };
  }

  /** All of it in one ALTER: one lock, and nobody meets it half relaxed. */
  private static Step relax(DropColumn migration, Map<String, Object> facts, List<String> tables) {
    String table = tables.get(0);
    String column = "ALTER COLUMN " + Sql.quote(migration.column());
    List<String> actions = new ArrayList<>();
    List<String> conditions = new ArrayList<>();
    boolean retyped = facts.containsKey(DropColumnCheck.DOMAIN);
    Defaults defaults = DropColumnCheck.defaults(facts);
    for (Map<String, Object> check : Facts.maps(facts, DropColumnCheck.CHECKS)) {
      String name = Facts.required(check, "name");
      actions.add("DROP CONSTRAINT IF EXISTS " + Sql.quote(name));
      conditions.add(Probes.not(Probes.constraint(table, name)));
    }
    if (facts.containsKey(DropColumnCheck.DEFAULT)) {
      actions.add(column + " " + defaults.none());
      conditions.add(Probes.attribute(table, migration.column(), defaults.isNone()));
    }
    if (retyped) {
      actions.add(column + " TYPE " + Facts.required(facts, DropColumnCheck.BASE_TYPE));
      conditions.add(Probes.plainType(table, migration.column()));
    }
    if (Facts.flag(facts, DropColumnCheck.NOT_NULL)) {
      actions.add(column + " DROP NOT NULL");
      conditions.add(Probes.not(Probes.notNull(table, migration.column())));
    }
    return new DdlStep(
        "relax-column",
        "removes whatever would reject a row that omits the column; touches no row",
        TableLock.each("ACCESS EXCLUSIVE", tables),
        List.of("ALTER TABLE " + table + " " + String.join(", ", actions)),
        Probes.all(conditions.toArray(String[]::new)),
        retyped);
  }

  private static Step rename(
      String name, String summary, List<String> tables, String from, String to) {
    String table = tables.get(0);
    return new DdlStep(
        name,
        summary,
        TableLock.each("ACCESS EXCLUSIVE", tables),
        List.of(
            "ALTER TABLE " + table + " RENAME COLUMN " + Sql.quote(from) + " TO " + Sql.quote(to)),
        Probes.all(Probes.not(Probes.column(table, from)), Probes.column(table, to)),
        true);
  }

  private static Step purge(Map<String, Object> facts, List<String> own, String tombstone) {
    String table = own.get(0);
    List<String> tables = new ArrayList<>(own);
    tables.addAll(Facts.texts(facts, DropColumnCheck.PARTNERS));
    return new DdlStep(
        "drop-column",
        "drops the tombstone, with its indexes and constraints; there is no way back",
        TableLock.each("ACCESS EXCLUSIVE", tables),
        List.of("ALTER TABLE " + table + " DROP COLUMN IF EXISTS " + Sql.quote(tombstone)),
        Probes.all(Probes.not(Probes.column(table, tombstone))),
        true);
  }

  @Override
  public List<String> net(DropColumn migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .alter(migration.table(), "DROP COLUMN " + Plain.name(migration.column())));
  }
}
