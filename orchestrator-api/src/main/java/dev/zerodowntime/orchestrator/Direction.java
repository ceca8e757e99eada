package dev.zerodowntime.orchestrator;

/** Which way a migration moves. */
public enum Direction {
  /** Towards the last phase. */
  UP,
  /** Back towards {@code NOT_STARTED}. */
  DOWN
}
