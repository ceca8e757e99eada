package dev.zerodowntime.orchestrator;

/**
 * What a database is for. Kept in its control tables; a build configured for another is refused.
 */
public enum Environment {
  /** All rules hold: soak, warm releases, retention, approvals. The default. */
  PRODUCTION,
  /**
   * No soak, no warm releases, no approvals, short expiry; {@link Orchestrator#advance()} completes
   * inline, and a changed declaration is rolled back and run again.
   */
  DEVELOPMENT
}
