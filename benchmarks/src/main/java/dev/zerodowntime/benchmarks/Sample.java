package dev.zerodowntime.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/** Figures of several runs of the same; the median counts, for machines have their moments. */
final class Sample {

  private final List<Double> values = new ArrayList<>();

  void add(double value) {
    values.add(value);
  }

  OptionalDouble median() {
    if (values.isEmpty()) {
      return OptionalDouble.empty();
    }
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    int middle = sorted.size() / 2;
    return OptionalDouble.of(
        sorted.size() % 2 == 1
            ? sorted.get(middle)
            : (sorted.get(middle - 1) + sorted.get(middle)) / 2);
  }
}
