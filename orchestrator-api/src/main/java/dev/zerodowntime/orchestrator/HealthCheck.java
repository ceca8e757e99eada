package dev.zerodowntime.orchestrator;

import java.util.Optional;

/**
 * Says, for a time after each phase, whether the application is well: error rates, a smoke test, a
 * query that must find something. Three answers in a row that name a problem, and the phase is left
 * again, if there is a way back; the migration is then held until a person resumes it.
 *
 * <p>Called by threads of its own, outside any transaction, once at a time for each migration and
 * once per five {@link Timing#tick()}s at most; must be thread-safe. If it throws, nobody knows:
 * the migration neither goes on nor back until it answers again.
 */
@FunctionalInterface
public interface HealthCheck {

  /**
   * Asks.
   *
   * @param migration the migration
   * @param phase the phase that it has reached
   * @return what is wrong, for people; empty if nothing is
   * @throws Exception if it can't be found out
   */
  Optional<String> problem(String migration, String phase) throws Exception;
}
