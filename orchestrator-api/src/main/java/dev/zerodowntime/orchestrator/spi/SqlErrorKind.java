package dev.zerodowntime.orchestrator.spi;

/** What an SQL error means for the step that met it. */
public enum SqlErrorKind {
  /** A lock was not had in time; nothing happened. Try again later. */
  LOCK_TIMEOUT,
  /** The statement ran into its own time limit or was cancelled; nothing happened. Try again. */
  CANCELLED,
  /** A deadlock or serialization failure; nothing happened. Try again. */
  DEADLOCK,
  /** The connection is gone and nobody knows whether the statement happened. Probe first. */
  CONNECTION_LOST,
  /** The database user may not do it. */
  PRIVILEGE,
  /** A table or schema that was asked for does not exist. */
  UNDEFINED_TABLE,
  /** The database refuses writes. */
  READ_ONLY,
  /**
   * The data is in the way: a constraint, a cast, a division by zero, an exception of a trigger.
   */
  DATA,
  /** Anything else: repeating won't mend it. */
  OTHER
}
