package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** The table steps aside for a view that shows the column under both names, and comes back. */
final class PostgresRenameColumnByView implements OperationSupport<RenameColumnByView> {

  @Override
  public OperationType<RenameColumnByView> type() {
    return RenameColumnByView.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameColumnByView migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    RenameColumnByViewCheck check = new RenameColumnByViewCheck(migration, target, connection);
    if (phase == RenameColumnByView.CONTRACT) {
      check.requireBack();
    } else {
      check.requireSwappable();
    }
    // The steps read the catalog under their lock: nothing that could be out of date by then.
    return known;
  }

  /** Somebody may have built on the view, which goes then. */
  @Override
  public void preflightBack(
      RenameColumnByView migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (phase == RenameColumnByView.EXPAND) {
      new RenameColumnByViewCheck(migration, target, connection).requireDroppable();
    }
  }

  /** Somebody may have built on the view, or come to name the column. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= RenameColumnByView.CONTRACT;
  }

  @Override
  public List<Step> steps(
      RenameColumnByView migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    TwoNameView view = new TwoNameView(migration, target);
    boolean up = direction == Direction.UP;
    return List.of(
        switch (phase) {
          case RenameColumnByView.EXPAND -> up ? expand(view) : shrink(view);
          case RenameColumnByView.CONTRACT -> up ? contract(view) : restore(view);
          default -> throw new IllegalArgumentException("RenameColumnByView has no phase " + phase);
        });
  }

  private static Step expand(TwoNameView view) {
    return new DdlStep(
        "show-both-names",
        "the table steps aside for a view with the column under both names; touches no row",
        lock(view.table()),
        List.of(view.table()),
        List.of(view.hide(), view.create()),
        view.shown(),
        true);
  }

  private static Step shrink(TwoNameView view) {
    return new DdlStep(
        "restore-table",
        "the table takes the view's place again; touches no row",
        lock(view.table() + ", " + view.hidden()),
        List.of(view.table(), view.hidden()),
        List.of(view.drop(), view.unhide()),
        view.gone(view.from(), view.to()),
        true);
  }

  private static Step contract(TwoNameView view) {
    return new DdlStep(
        "rename-column",
        "the table takes the view's place again, with the column's new name; touches no row",
        lock(view.table() + ", " + view.hidden()),
        List.of(view.table(), view.hidden()),
        List.of(view.drop(), view.unhide(), view.rename(view.from(), view.to())),
        view.gone(view.to(), view.from()),
        true);
  }

  private static Step restore(TwoNameView view) {
    return new DdlStep(
        "show-both-names-again",
        "the column gets its old name back, and the table steps aside for the view again",
        lock(view.table()),
        List.of(view.table()),
        List.of(view.rename(view.to(), view.from()), view.hide(), view.create()),
        view.shown(),
        true);
  }

  private static String lock(String tables) {
    return "ACCESS EXCLUSIVE on " + tables + ", within the lock budget";
  }

  @Override
  public List<String> net(
      RenameColumnByView migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target).renameColumn(migration.table(), migration.from(), migration.to()));
  }
}
