package dev.zerodowntime.orchestrator;

/** Whether a migration moves. */
public enum MigrationStatus {
  /** It moves as far as its gates allow. */
  ACTIVE,
  /** A person has paused it. */
  PAUSED,
  /** A step failed for a reason that repeating won't mend. */
  FAILED,
  /** A person has given it up: sync and data stay, and it is still counted. */
  ABANDONED,
  /** The last phase is reached. */
  DONE
}
