package dev.zerodowntime.orchestrator;

/**
 * Confirms, right before something is physically dropped, that a backup exists from which it could
 * be restored. Called outside any transaction, on a thread of its own, once at a time for each
 * migration and not again within a minute of its answer: it may take its time, and must be
 * thread-safe. If it throws, it is asked again later. A confirmation counts for as long as the
 * migration stays where it is.
 */
@FunctionalInterface
public interface BackupGate {

  /**
   * Asks.
   *
   * @param migration the migration whose {@code PURGE} is next
   * @param drops what would be dropped, as SQL
   * @return whether the drop may go ahead
   */
  boolean confirmed(String migration, String drops);
}
