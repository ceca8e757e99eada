package dev.zerodowntime.orchestrator;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * One migration's backfills and verifications, in people's hands while they run. What is changed
 * here takes effect with the next batch of every worker in every process; the same can be done with
 * SQL on the table {@code backfill} of the control schema. Thread-safe.
 *
 * <p>Each call is about every backfill of the migration that has begun and not ended, in all target
 * schemas. Where none has begun, it throws a {@link DeclarationException}: until then the pace is
 * that of the declaration.
 */
public interface BackfillControl {

  /** Starts no more batches; the migration itself is not paused. */
  void pause();

  /** Ends {@link #pause}. */
  void resume();

  /**
   * Changes the pace, from what it is now, whoever set it. It is an event in the log.
   *
   * @param change given the present pace
   */
  void tune(UnaryOperator<Pace> change);

  /** Goes back to the pace of the declaration. */
  void reset();

  /**
   * How far they have come.
   *
   * @return those of every target schema, also what has ended; empty where none has begun
   */
  List<BackfillProgress> progress();
}
