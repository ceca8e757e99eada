package dev.zerodowntime.orchestrator.testing.rolling;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Where the time of a roll-out goes. Not thread-safe. */
final class Times {

  private final Map<String, Long> nanos = new LinkedHashMap<>();

  void of(String what, Runnable work) {
    long start = System.nanoTime();
    try {
      work.run();
    } finally {
      nanos.merge(what, System.nanoTime() - start, Long::sum);
    }
  }

  @Override
  public String toString() {
    return nanos.entrySet().stream()
        .map(each -> each.getKey() + " " + TimeUnit.NANOSECONDS.toMillis(each.getValue()) + " ms")
        .collect(Collectors.joining(", "));
  }
}
