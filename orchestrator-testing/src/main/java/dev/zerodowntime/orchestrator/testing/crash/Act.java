package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import java.time.Duration;
import java.util.List;

/**
 * The life of one process: it starts, somebody tells it something, it drives to a phase, it closes.
 *
 * @param name for messages
 * @param release its release
 * @param stage the stage of its code, or null if it declares nothing
 * @param verb what somebody tells it, again if it dies
 * @param end position of the phase it ends in
 * @param before what the application writes before it starts
 * @param horizon how long releases stay warm in its eyes: one that comes back is held for by that
 * @param repeated whether another act makes all its movements too
 */
record Act(
    String name,
    String release,
    String stage,
    Verb verb,
    int end,
    List<String> before,
    Duration horizon,
    boolean repeated) {

  /** Generous; a settled recovery needs two or three. */
  private static final int MOST_DRIVES = 60;

  private static final Duration PATIENCE = Duration.ofMillis(60);

  /** What somebody tells an orchestrator. */
  interface Verb {
    Verb NOTHING = orchestrator -> {};

    void say(Orchestrator orchestrator);
  }

  /** It did not get to its phase. */
  static final class StuckException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StuckException(String message) {
      super(message);
    }
  }

  /** Lives it. Driving again only waits for gates; the first call does what can be done at once. */
  void live(Orchestrator orchestrator, String migration) {
    orchestrator.advance();
    verb.say(orchestrator);
    AdvanceReport report = orchestrator.drive();
    for (int i = 1; !arrived(report, migration); i++) {
      if (i == MOST_DRIVES) {
        throw new StuckException("after " + i + " calls of drive():\n" + report);
      }
      report = orchestrator.drive(PATIENCE);
    }
    orchestrator.close();
  }

  private boolean arrived(AdvanceReport report, String migration) {
    if (stage == null) {
      return true;
    }
    MigrationReport found = report.migration(migration).orElseThrow();
    if (found.status() == MigrationStatus.FAILED) {
      throw new StuckException("failed:\n" + report);
    }
    return found.state().atRest() && found.state().reached() == end;
  }
}
