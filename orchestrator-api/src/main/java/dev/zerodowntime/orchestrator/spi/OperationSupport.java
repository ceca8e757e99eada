package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.StageSpan;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One operation's SQL in one dialect. Stateless and thread-safe.
 *
 * @param <M> the operation
 */
public interface OperationSupport<M extends Migration<?>> {

  /**
   * The operation.
   *
   * @return how it is stored
   */
  OperationType<M> type();

  /**
   * Checks, before anything is touched, that the migration can be carried out safely, and notes the
   * catalog facts that its steps are made from. Called when the migration is registered, and again
   * when a phase is entered for which {@link #recaptures} says so. Takes no lock beyond those of a
   * SELECT.
   *
   * @param migration the migration
   * @param target where
   * @param phase the phase that is about to be entered, upwards; 1 at registration
   * @param known the facts as captured before; empty at registration
   * @param connection in a read-write transaction that the caller rolls back
   * @return facts: strings, numbers (as {@code Long}), booleans, lists and maps of these
   * @throws SQLException if the catalog can't be read
   * @throws dev.zerodowntime.orchestrator.RefusedException if it can't be carried out, by name
   * @throws NotYetException if something is in the way that will end by itself
   */
  Map<String, Object> preflight(
      M migration, Target target, int phase, Map<String, Object> known, Connection connection)
      throws SQLException;

  /**
   * The spans, resolved against the facts.
   *
   * @param migration the migration
   * @param facts as captured
   * @return the stages with their spans
   */
  default List<StageSpan> stages(M migration, Map<String, Object> facts) {
    return migration.lifecycle().stages();
  }

  /**
   * Whether to check again and capture the facts anew when a phase is entered upwards: the catalog
   * may have changed since, and people may have added what depends on the object.
   *
   * @param phase the phase being entered
   * @return true for the first phase; operations add others
   */
  default boolean recaptures(int phase) {
    return phase == 1;
  }

  /**
   * Checks, before a phase is left downwards, that nothing has come to be in the way of its steps
   * since, such as objects that people built on what they would take away. The default finds
   * nothing. Takes no lock beyond those of a SELECT.
   *
   * @param migration the migration
   * @param target where
   * @param phase the phase that is about to be left
   * @param facts as captured
   * @param connection in a read-write transaction that the caller rolls back
   * @throws SQLException if the catalog can't be read
   * @throws dev.zerodowntime.orchestrator.RefusedException if it can't be left, by name
   * @throws NotYetException if something is in the way that will end by itself
   */
  default void preflightBack(
      M migration, Target target, int phase, Map<String, Object> facts, Connection connection)
      throws SQLException {}

  /**
   * Whether to check again and capture the facts anew when a step of a movement upwards fails: what
   * the steps are made from may come and go while they run, as partitions do. If the facts differ
   * then, steps are made from them, and run from the first one on; else the migration fails, as it
   * does where this says no.
   *
   * @param phase the phase being entered
   * @return false unless an operation says so
   */
  default boolean recapturesOnFailure(int phase) {
    return false;
  }

  /**
   * The same for either direction. The default never captures anew on the way back.
   *
   * @param phase the upper end of the movement: entered upwards, or left downwards
   * @param direction which way
   * @param facts what was captured: an operation may need to look again only at some tables
   * @return what {@link #recapturesOnFailure(int)} says, upwards
   */
  default boolean recapturesOnFailure(int phase, Direction direction, Map<String, Object> facts) {
    return direction == Direction.UP && recapturesOnFailure(phase);
  }

  /**
   * What a movement can't restore, and a person must therefore consent to.
   *
   * @param migration the migration
   * @param facts as captured
   * @param phase the upper end of the movement
   * @param direction which way
   * @return what is lost, for people; empty where nothing is
   */
  default Optional<String> consent(
      M migration, Map<String, Object> facts, int phase, Direction direction) {
    return Optional.empty();
  }

  /**
   * Work that isn't needed here, for the plan and the report.
   *
   * @param migration the migration
   * @param facts as captured
   * @return what is left out, and why; empty unless an operation says so
   */
  default List<Shortcut> shortcuts(M migration, Map<String, Object> facts) {
    return List.of();
  }

  /**
   * What the author may want to know before deciding for this operation, such as that another one
   * would do as well, and for less; for the plan.
   *
   * @param migration the migration
   * @param facts as captured
   * @return sentences; empty unless an operation says so
   */
  default List<String> advice(M migration, Map<String, Object> facts) {
    return List.of();
  }

  /**
   * The steps of one movement. Must be a pure function of its arguments.
   *
   * @param migration the migration
   * @param target where
   * @param facts as captured
   * @param phase the upper end of the movement: entered upwards, or left downwards
   * @param direction which way
   * @return the steps in order; empty where the phase has nothing to do
   */
  List<Step> steps(
      M migration, Target target, Map<String, Object> facts, int phase, Direction direction);

  /**
   * What the migration comes to, as statements that a person would write for a database that nobody
   * uses yet: from the schema before it to the one after it. Earlier scripts may have filled tables
   * with a few rows, so what fills or changes rows is an UPDATE. Must be a pure function of its
   * arguments.
   *
   * @param migration the migration, which is finished
   * @param target where the statements will run
   * @param facts as captured
   * @return the statements in order, without semicolons; empty where a new database lacks nothing
   * @throws dev.zerodowntime.orchestrator.RefusedException if SQL alone can't say it, by name
   */
  List<String> net(M migration, NetTarget target, Map<String, Object> facts);
}
