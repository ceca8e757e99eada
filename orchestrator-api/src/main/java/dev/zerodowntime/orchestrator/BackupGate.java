package dev.zerodowntime.orchestrator;

/**
 * Confirms, right before something is physically dropped, that a backup exists from which it could
 * be restored. Called by the driving thread, outside any transaction; may take its time.
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
