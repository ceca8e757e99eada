package dev.zerodowntime.orchestrator.internal.control;

import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.State;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A migration as the control tables hold it. Times are milliseconds of the database's clock.
 *
 * @param id the migration's id
 * @param schema the target schema
 * @param ordinal its place in declaration order
 * @param table the table it changes
 * @param columns the columns it changes
 * @param operation the operation's canonical form
 * @param lifecycle phases, stages and spans
 * @param policy the policy
 * @param after ids of migrations it waits for
 * @param facts the catalog facts its steps are made from
 * @param state where it is
 * @param status whether it moves
 * @param target the phase it is to go down to, if any
 * @param targetReason why
 * @param targetBy who wanted that
 * @param step name of the step to run next within the phase being entered
 * @param attempt how often that was tried
 * @param lastError why it failed, if it did
 * @param waiting what its current step waits for, if anything
 * @param fitUp since when the fleet fits the next phase
 * @param fitDown since when the fleet fits the phase before
 * @param since when the phase was reached
 * @param finishedAt when the last phase was reached
 */
public record MigrationRow(
    String id,
    String schema,
    long ordinal,
    String table,
    Set<String> columns,
    Map<String, Object> operation,
    Lifecycle lifecycle,
    Policy policy,
    List<String> after,
    Map<String, Object> facts,
    State state,
    MigrationStatus status,
    @Nullable Integer target,
    @Nullable String targetReason,
    @Nullable String targetBy,
    @Nullable String step,
    int attempt,
    @Nullable String lastError,
    @Nullable String waiting,
    OptionalLong fitUp,
    OptionalLong fitDown,
    long since,
    @Nullable Long finishedAt) {

  /** Why a migration is to go down. */
  public static final String ROLLBACK = "ROLLBACK";

  /** Why a migration is to go down, until the release that asked for it is there. */
  public static final String REOPEN = "REOPEN";

  /** Migrations are known by their id and their target schema. */
  public String key() {
    return key(schema, id);
  }

  /** See {@link #key()}. */
  public static String key(String schema, String id) {
    return schema + "|" + id;
  }

  /**
   * A stage by its name. One that the row doesn't know any more, since its declaration changed
   * before it started, is the oldest.
   */
  public StageSpan stage(String name) {
    return lifecycle.stages().stream()
        .filter(each -> each.stage().equals(name))
        .findFirst()
        .orElse(lifecycle.oldest());
  }

  /** Whether the last phase is reached. */
  public boolean finished() {
    return status == MigrationStatus.DONE;
  }

  /** Whether it is to go down from where it is. */
  public boolean goesDown() {
    return target != null && target < state.upper();
  }

  /**
   * Whether it was taken back to where it is for a release that asked, and that has not joined yet:
   * it stays for a while, so that the release finds what it asked for.
   */
  public boolean reopened() {
    return target != null && REOPEN.equals(targetReason) && target >= state.upper();
  }

  /** Whether a person holds it where it is. */
  public boolean heldByPerson() {
    return target != null && ROLLBACK.equals(targetReason) && target >= state.upper();
  }
}
