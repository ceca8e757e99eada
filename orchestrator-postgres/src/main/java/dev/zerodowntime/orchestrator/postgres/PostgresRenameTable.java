package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/**
 * A table gets a new name, and a view the old one for a while.
 *
 * <p>The view has the table's columns, with their types, in their order: what is prepared on the
 * server by either name goes on returning the same rows, {@code SELECT *} included.
 */
final class PostgresRenameTable implements OperationSupport<RenameTable> {

  @Override
  public OperationType<RenameTable> type() {
    return RenameTable.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameTable migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    RenameTableCheck check = new RenameTableCheck(migration, target, connection);
    if (phase == RenameTable.CONTRACT) {
      check.requireForgotten();
    } else {
      check.requireRenamable();
    }
    // The steps read the catalog under their lock: nothing that could be out of date by then.
    return known;
  }

  /** Somebody may have built on the view, or still name the table in a function. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= RenameTable.CONTRACT;
  }

  @Override
  public List<Step> steps(
      RenameTable migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    Names names = new Names(migration, target);
    boolean up = direction == Direction.UP;
    return List.of(
        switch (phase) {
          case RenameTable.EXPAND -> up ? expand(names) : shrink(names);
          case RenameTable.CONTRACT -> up ? contract(names) : restore(names);
          default -> throw new IllegalArgumentException("RenameTable has no phase " + phase);
        });
  }

  /** Both names, quoted and qualified, and what is made with them. */
  private record Names(String migration, String from, String to, String bareFrom, String bareTo) {

    Names(RenameTable migration, Target target) {
      this(
          migration.id(),
          Sql.qualified(target.schema(), migration.table()),
          Sql.qualified(target.schema(), migration.to()),
          Sql.quote(migration.table()),
          Sql.quote(migration.to()));
    }

    String createView() {
      return StandInView.create(
          from,
          to,
          null,
          null,
          StandInView.renamed(migration),
          "zdo_" + Sql.hash8(migration, from));
    }

    String dropView() {
      return "DROP VIEW " + from;
    }

    Probe shown() {
      return Probes.all(StandInView.shown(from, to).toArray(String[]::new));
    }
  }

  private static Step expand(Names names) {
    return new DdlStep(
        "rename-table",
        "the table gets its new name, and a view of it the old one; touches no row",
        lock(names.from()),
        List.of(names.from()),
        List.of("ALTER TABLE " + names.from() + " RENAME TO " + names.bareTo(), names.createView()),
        names.shown(),
        false);
  }

  private static Step shrink(Names names) {
    return new DdlStep(
        "restore-name",
        "the table takes the view's place again; touches no row",
        lock(names.from() + ", " + names.to()),
        List.of(names.from(), names.to()),
        List.of(names.dropView(), "ALTER TABLE " + names.to() + " RENAME TO " + names.bareFrom()),
        Probes.all(StandInView.kind(names.from(), "r"), Sql.regclass(names.to()) + " IS NULL"),
        false);
  }

  private static Step contract(Names names) {
    return new DdlStep(
        "drop-view",
        "drops the view: the old name is gone",
        lock(names.from()),
        List.of(names.from()),
        List.of(names.dropView()),
        Probes.all(
            StandInView.kind(names.to(), "r"), Probes.not(StandInView.kind(names.from(), "v"))),
        false);
  }

  private static Step restore(Names names) {
    return new DdlStep(
        "show-old-name",
        "a view of the table takes the old name again; touches no row",
        "ACCESS SHARE on " + names.to() + ": blocks nobody",
        List.of(names.to()),
        List.of(names.createView()),
        names.shown(),
        false);
  }

  private static String lock(String tables) {
    return "ACCESS EXCLUSIVE on " + tables + ", within the lock budget";
  }

  @Override
  public List<String> net(RenameTable migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).alter(migration.table(), "RENAME TO " + Plain.name(migration.to())));
  }
}
