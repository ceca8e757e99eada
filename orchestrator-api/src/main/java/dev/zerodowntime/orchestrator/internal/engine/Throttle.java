package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Pace;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Placeholder. */
final class Throttle {

  record Verdict(boolean go, double stretch, @Nullable String why) {}

  long waiting(java.sql.Connection connection) {
    return 0;
  }

  Verdict ask(Pace pace, Instant databaseNow) {
    return new Verdict(true, 1, null);
  }
}
