package dev.zerodowntime.orchestrator;

/**
 * Something of the author's that backfills give way to: the depth of a queue, the latency of a
 * service. Every process that works on backfills reads its own, at most once a second; above the
 * limit it starts no batch, and above half of it pauses get longer.
 *
 * @param name what it is called in status and log
 * @param unit what it is measured in, such as {@code ms}
 * @param limit the highest value at which batches run
 * @param reading how it is read; if it throws, or yields no number, no batch runs and the status
 *     says why
 */
public record LoadSignal(String name, String unit, double limit, Reading reading) {

  /** Checks what is given. */
  public LoadSignal {
    if (name.isBlank()) {
      throw new IllegalArgumentException("a load signal needs a name");
    }
    if (Double.isNaN(limit)) {
      throw new IllegalArgumentException("the limit of load signal " + name + " must be a number");
    }
  }

  /** How a signal is read. */
  @FunctionalInterface
  public interface Reading {
    /**
     * Reads it. Called by background threads, one after the other.
     *
     * @return its value now
     * @throws Exception if it can't be read
     */
    double read() throws Exception;
  }
}
