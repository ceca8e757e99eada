package dev.zerodowntime.orchestrator;

/** Is told how backfills get on that this process works on. */
@FunctionalInterface
public interface BackfillListener {

  /**
   * Something has moved. Called by background threads, one call at a time and at most once a second
   * for each backfill, and once more at its end. What it throws is logged, and changes nothing.
   *
   * @param progress how far it has come
   */
  void progress(BackfillProgress progress);
}
