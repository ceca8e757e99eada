package dev.zerodowntime.benchmarks;

/**
 * Measures one thing. To add a benchmark is to write one of these and to name it in {@link
 * Benchmarks}.
 */
interface Benchmark {

  /** What {@code -Dbenchmark=} calls it. */
  String name();

  /**
   * Measures, and prints figures and goals. A missed goal is a result like any other.
   *
   * @throws Exception if it could not run, or the data was wrong afterwards
   */
  void run(Settings settings, Output out) throws Exception;
}
