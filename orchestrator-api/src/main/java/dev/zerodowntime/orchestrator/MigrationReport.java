package dev.zerodowntime.orchestrator;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where one migration is, what it waits for, and what the author does next.
 *
 * @param id the migration's id
 * @param schema the target schema
 * @param operation the operation's name
 * @param lifecycle its phases and spans
 * @param state where it is
 * @param status whether it moves
 * @param stage the code stage at which this build was admitted, or null if it is not counted
 * @param shortcuts work that isn't needed here, and why; empty once it is done
 * @param done what the call that made this report did, oldest first
 * @param waits what keeps it from the next phase; empty when it is done
 * @param next what the author of the migration does next; empty when there is nothing to do
 * @param lastError the last failure, if the migration has failed
 */
public record MigrationReport(
    String id,
    String schema,
    String operation,
    Lifecycle lifecycle,
    State state,
    MigrationStatus status,
    @Nullable String stage,
    List<Shortcut> shortcuts,
    List<String> done,
    List<Wait> waits,
    String next,
    @Nullable String lastError) {

  /** Copies the lists. */
  public MigrationReport {
    shortcuts = List.copyOf(shortcuts);
    done = List.copyOf(done);
    waits = List.copyOf(waits);
  }

  /**
   * The name of the phase reached.
   *
   * @return such as {@code EXPAND}
   */
  public String phase() {
    return lifecycle.name(state.reached());
  }

  /**
   * Whether the last phase is reached.
   *
   * @return true when nothing is left to do
   */
  public boolean finished() {
    return state.atRest() && state.reached() == lifecycle.last();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(id);
    text.append(" (").append(schema).append(") [").append(operation).append("] ").append(phase());
    if (!state.atRest()) {
      text.append(state.direction() == Direction.UP ? ", entering " : ", going back to ")
          .append(lifecycle.name(state.entering()));
    }
    if (status != MigrationStatus.ACTIVE && status != MigrationStatus.DONE) {
      text.append(' ').append(status);
    }
    shortcuts.forEach(each -> text.append("\n    shortcut: ").append(each));
    done.forEach(each -> text.append("\n    did: ").append(each));
    waits.forEach(each -> text.append("\n    waits: ").append(each));
    if (lastError != null) {
      text.append("\n    error: ").append(lastError);
    }
    if (!next.isEmpty()) {
      text.append("\n    next: ").append(next);
    }
    return text.toString();
  }
}
