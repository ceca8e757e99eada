package dev.zerodowntime.orchestrator.testing.rolling;

/** How code groups its queries. */
public enum Load {
  /**
   * Transactions of several queries, and some that are one query each. What the server asks to be
   * tried again is tried again, and counted.
   */
  TRANSACTIONS,

  /** Each query is a transaction, and nothing is ever tried again. */
  SINGLE_QUERIES
}
