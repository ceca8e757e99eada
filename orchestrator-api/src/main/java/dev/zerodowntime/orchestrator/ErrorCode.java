package dev.zerodowntime.orchestrator;

/** A stable, machine-readable name for each kind of {@link OrchestratorException}. */
public enum ErrorCode {
  /** The same migration id was declared twice. */
  DUPLICATE_ID,
  /** A migration, builder or manifest value is missing or out of range. */
  INVALID_DECLARATION,
  /** A phase's name is not one of the operation's. */
  UNKNOWN_PHASE,
  /** A code stage's name is not one of the operation's. */
  UNKNOWN_STAGE,
  /** No migration with this id is known. */
  UNKNOWN_MIGRATION,
  /** A migration that has started was declared differently. */
  DECLARATION_CHANGED,
  /** A release string was used again with other code stages. */
  RELEASE_CHANGED,
  /** Two unfinished migrations change the same column. */
  CONFLICTING_MIGRATIONS,
  /** The operation was refused by its preflight checks. */
  REFUSED,
  /** The requested movement between phases does not exist. */
  ILLEGAL_TRANSITION,
  /** This build needs a phase that could not be reached yet. */
  SCHEMA_NOT_READY,
  /** The schema has left this build behind. */
  RELEASE_TOO_OLD,
  /** An application or pinned member that was not there so far does not fit a migration. */
  APPLICATION_NOT_FIT,
  /** A step failed for a reason that repeating won't mend. */
  MIGRATION_FAILED,
  /** No dialect, or more than one, matches the database. */
  NO_DIALECT,
  /** The server is older than what the dialect supports, or lacks something. */
  UNSUPPORTED_SERVER,
  /** The database does not answer. */
  DATABASE_UNREACHABLE,
  /** The server has no such database. */
  NO_SUCH_DATABASE,
  /** The server refuses the user or the password. */
  LOGIN_REFUSED,
  /** The database is a replica or otherwise read-only. */
  READ_ONLY_DATABASE,
  /** A connection pooler does not keep what the engine needs. */
  UNSUPPORTED_POOLING,
  /** An option of the JDBC driver, or of the session, changes what statements mean. */
  UNSUPPORTED_SETTING,
  /** The database user lacks a privilege. */
  MISSING_PRIVILEGE,
  /** The control tables can't be read or written by this version of the library. */
  CONTROL_TABLES,
  /** A row of the control tables can't be understood. */
  UNREADABLE_ROW,
  /** This build is configured for another environment than the database. */
  WRONG_ENVIRONMENT,
  /** The database is another server than the one the control tables were written on. */
  FOREIGN_DATABASE,
  /** An SQL error that none of the other codes describes. */
  SQL
}
