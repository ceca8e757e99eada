package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Pinned;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Begins and ends pins, each within the caller's transaction. A name nobody knows is refused: it is
 * a slip of the pen, and whoever made it would believe to have done something.
 */
final class Pins {

  private final EngineContext ctx;

  Pins(EngineContext ctx) {
    this.ctx = ctx;
  }

  /** Pins code that can't register, at the oldest stage of everything. */
  void pin(Connection connection, String application, String label) throws SQLException {
    requireText("application", application);
    requireText("label", label);
    // No phase is entered between the look at the fleet's states and the pin.
    ctx.reader().lockFleetShared(connection);
    Snapshot snapshot = Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
    if (snapshot.pinned().stream().anyMatch(each -> is(each, application, label))) {
      return;
    }
    for (MigrationRow row : snapshot.migrations()) {
      StageSpan stage =
          row.finished()
              ? null
              : snapshot.stage(row, application, Map.of(), Set.of(), null).orElse(null);
      if (stage != null && !ctx.rules().fits(stage.span(), row.state())) {
        throw unfit(application, label, row, stage);
      }
    }
    ctx.fleet().pin(connection, application, label, Map.of(), false);
    // A pin at the oldest stage fits nothing that comes next: the soak starts anew.
    for (MigrationRow row : snapshot.migrations()) {
      ctx.migrations().fit(connection, row, OptionalLong.empty(), OptionalLong.empty());
    }
  }

  /** Ends pins of that name. */
  void unpin(Connection connection, String application, String label) throws SQLException {
    List<Pinned> pinned = ctx.reader().pinned(connection);
    if (pinned.stream().noneMatch(each -> is(each, application, label))) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Nobody is pinned as \"" + label + "\" of " + application,
          pinned.isEmpty()
              ? "Nobody is pinned at all."
              : "Name one of those that are: "
                  + String.join(
                      ", ",
                      pinned.stream()
                          .map(each -> "\"" + each.label() + "\" of " + each.application())
                          .toList())
                  + ".");
    }
    ctx.fleet().unpin(connection, application, label);
  }

  /**
   * Ends the pin of the builds before the library.
   *
   * @return whether there was one: some call this at every start, which must not begin the soak
   *     anew
   */
  boolean adopted(Connection connection, String application) throws SQLException {
    List<Pinned> pinned = ctx.reader().pinned(connection);
    if (pinned.stream().anyMatch(each -> is(each, application, ControlTables.BUILDS_BEFORE_US))) {
      ctx.fleet().unpin(connection, application, ControlTables.BUILDS_BEFORE_US);
      return true;
    }
    Set<String> known = new TreeSet<>(List.of(ctx.application()));
    ctx.reader().applications(connection).forEach(each -> known.add(each.name()));
    pinned.forEach(each -> known.add(each.application()));
    for (Release each : ctx.reader().releases(connection)) {
      known.add(each.application());
    }
    if (!known.contains(application)) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "No application " + application + " is known in this database",
          "Name one of those that are: " + String.join(", ", known) + ".");
    }
    return false;
  }

  private static boolean is(Pinned pin, String application, String label) {
    return pin.application().equals(application) && pin.label().equals(label);
  }

  private static void requireText(String what, String value) {
    if (value == null || value.isBlank()) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "A pin has no " + what,
          "Give pin(...) the application that it belongs to, and a label to end it by.");
    }
  }

  private static DeclarationException unfit(
      String application, String label, MigrationRow row, StageSpan stage) {
    Lifecycle lifecycle = row.lifecycle();
    int phase = row.state().upper();
    int suits = stage.span().high();
    return new DeclarationException(
        ErrorCode.APPLICATION_NOT_FIT,
        "\""
            + label
            + "\" of "
            + application
            + " would be counted at "
            + stage
            + " of migration "
            + row.id()
            + ", which is at "
            + lifecycle.name(phase)
            + ": such code can't run against it",
        lifecycle.reachable(phase, suits)
            ? "Take it back first: rollback(\""
                + row.id()
                + "\", \""
                + lifecycle.name(suits)
                + "\"); then pin it."
            : lifecycle.name(phase)
                + " can't be undone: this code must be brought to "
                + lifecycle.newest().stage()
                + " first, and then needs no pin.");
  }
}
