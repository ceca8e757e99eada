package dev.zerodowntime.benchmarks;

import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * Runs the benchmark that {@code -Dbenchmark=NAME} asks for. Its exit status says whether it could
 * be carried out, not whether goals were met.
 */
public final class Benchmarks {

  private static final List<Benchmark> ALL = List.of(new BackfillBenchmark());

  private Benchmarks() {}

  /**
   * Runs it.
   *
   * @param args none
   */
  public static void main(String[] args) {
    System.exit(run(System.getProperties(), System.out));
  }

  /** The exit status: 0, or 1 where it could not run, 2 where nobody knows what to run. */
  static int run(Properties properties, PrintStream stream) {
    String name = properties.getProperty("benchmark", "").trim();
    Optional<Benchmark> found = ALL.stream().filter(each -> each.name().equals(name)).findFirst();
    if (found.isEmpty()) {
      stream.println(
          (name.isEmpty() ? "No benchmark is named." : "There is no benchmark " + name + ".")
              + " Say -Dbenchmark=NAME with one of: "
              + String.join(", ", ALL.stream().map(Benchmark::name).toList()));
      return 2;
    }
    try {
      found.get().run(Settings.of(properties), new Output(stream));
      return 0;
    } catch (Exception | OutOfMemoryError e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      stream.println("The benchmark could not be carried out:");
      e.printStackTrace(stream);
      return 1;
    }
  }
}
