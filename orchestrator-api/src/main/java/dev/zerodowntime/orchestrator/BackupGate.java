package dev.zerodowntime.orchestrator;

/**
 * Confirms, right before something is physically dropped, that a backup exists from which it could
 * be restored; also before phases for which {@link Migration.Builder#backupBefore} asks. Called
 * outside any transaction, on a thread of its own, once at a time for each migration and not again
 * within a minute of its answer: it may take its time, and must be thread-safe. If it throws, it is
 * asked again later. A confirmation counts for as long as the migration stays where it is.
 */
@FunctionalInterface
public interface BackupGate {

  /**
   * Asks.
   *
   * @param migration the migration whose {@code PURGE}, or other phase, is next
   * @param drops what that phase runs, as SQL
   * @return whether it may go ahead
   */
  boolean confirmed(String migration, String drops);
}
