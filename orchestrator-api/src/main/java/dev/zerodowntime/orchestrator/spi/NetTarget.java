package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;

/**
 * Where exported SQL will run.
 *
 * @param id the migration's id
 * @param schema the target schema, unquoted
 * @param qualified whether names carry the schema: where it isn't the one that scripts run in
 */
public record NetTarget(String id, String schema, boolean qualified) {

  /**
   * That a migration can't be exported.
   *
   * @param problem what stands in the way, by name
   * @param remedy what to do
   * @return to be thrown
   */
  public RefusedException refuse(String problem, String remedy) {
    return new RefusedException(ErrorCode.REFUSED, id, problem, remedy);
  }
}
