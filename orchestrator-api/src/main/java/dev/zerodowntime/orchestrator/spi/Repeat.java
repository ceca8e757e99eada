package dev.zerodowntime.orchestrator.spi;

/** What happens if a row is changed a second time, and how that is kept from happening. */
public sealed interface Repeat {

  /** It is not pending any more after the first time, and a second time would change nothing. */
  record Harmless() implements Repeat {}

  /**
   * Every key range is walked once, and the key of a row never changes. Pending stays true of a row
   * that was changed, so nothing can be verified but that every range was walked.
   */
  record OncePerKey() implements Repeat {}

  /**
   * The keys of changed rows are kept in a ledger, written with the rows, which follows a row whose
   * key changes. Pending looks there.
   *
   * @param table the ledger's quoted, qualified name; its columns are called {@code k0}, {@code
   *     k1}, …, in the order and types of the key
   */
  record OncePerLedger(String table) implements Repeat {}

  /** See {@link Harmless}. */
  Repeat HARMLESS = new Harmless();
}
