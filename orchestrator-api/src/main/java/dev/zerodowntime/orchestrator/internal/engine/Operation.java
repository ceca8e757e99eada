package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A migration together with its SQL.
 *
 * @param support the dialect's side
 * @param migration the declared side
 * @param <M> the operation
 */
record Operation<M extends Migration<?>>(OperationSupport<M> support, M migration) {

  Map<String, Object> preflight(
      Target target, int phase, Map<String, Object> known, Connection connection)
      throws SQLException {
    return support.preflight(migration, target, phase, known, connection);
  }

  void preflightBack(Target target, int phase, Map<String, Object> facts, Connection connection)
      throws SQLException {
    support.preflightBack(migration, target, phase, facts, connection);
  }

  List<StageSpan> stages(Map<String, Object> facts) {
    return support.stages(migration, facts);
  }

  boolean recaptures(int phase) {
    return support.recaptures(phase);
  }

  boolean recapturesOnFailure(int phase, Direction direction, Map<String, Object> facts) {
    return support.recapturesOnFailure(phase, direction, facts);
  }

  Optional<String> consent(Map<String, Object> facts, int phase, Direction direction) {
    return support.consent(migration, facts, phase, direction);
  }

  List<Shortcut> shortcuts(Map<String, Object> facts) {
    return support.shortcuts(migration, facts);
  }

  List<String> advice(Map<String, Object> facts) {
    return support.advice(migration, facts);
  }

  List<Step> steps(Target target, Map<String, Object> facts, int phase, Direction direction) {
    return support.steps(migration, target, facts, phase, direction);
  }

  List<String> net(NetTarget target, Map<String, Object> facts) {
    return support.net(migration, target, facts);
  }
}
