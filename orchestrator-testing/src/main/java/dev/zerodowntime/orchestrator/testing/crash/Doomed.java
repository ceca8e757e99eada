package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.io.IOException;
import java.time.Duration;
import javax.sql.DataSource;

/** A process that works on a backfill, until it is killed or nobody holds its input open. */
public final class Doomed {

  /** The migration. */
  public static final String ID = "billing/once-more";

  /** Small, so that much of a process's life is spent between and inside of transactions. */
  private static final int MOST_ROWS = 25;

  private static final Duration PAUSE = Duration.ofMillis(6);

  /** More than live at a time: claims of the dead count until they expire. */
  private static final int WORKERS = 8;

  private Doomed() {}

  /**
   * Serves.
   *
   * @param source the database
   * @param once how the work is kept from being repeated
   */
  public static void serve(DataSource source, Backfill.Once once) throws IOException {
    // Never closed: the process ends.
    CutDataSource pool = new CutDataSource(new Wire(null, null, source, null));
    try (Orchestrator member =
        Orchestrator.builder(pool)
            .application("billing")
            .release("1")
            .noStarQueries()
            .thisBuild(migration(once), Backfill.Code.UNAWARE)
            .timing(Doomed::quick)
            .build()) {
      member.advance();
      while (System.in.read() >= 0) {
        // Nobody writes; the end of it is what is waited for.
      }
    }
  }

  /** What is not harmless to repeat. */
  static Backfill migration(Backfill.Once once) {
    Backfill.Builder builder =
        Backfill.of(ID)
            .table("items")
            .set("n", "n + 1")
            .allowTriggers("count_batch")
            .pace(pace -> pace.fullSpeed().rows(1, MOST_ROWS).pause(PAUSE).workers(WORKERS));
    return once == Backfill.Once.PER_KEY
        ? builder.oncePerKey().build()
        : builder.oncePerLedger().build();
  }

  /** The rules of production with short durations: the dead are soon taken for dead. */
  public static Timing quick(Timing timing) {
    return timing
        .heartbeat(Duration.ofMillis(300), Duration.ofSeconds(2))
        .soak(Duration.ZERO)
        .horizon(Duration.ZERO)
        .drain(Duration.ZERO)
        .startupBudget(Duration.ofSeconds(20))
        .lease(Duration.ofMillis(800))
        .retryPause(Duration.ofMillis(20))
        .tick(Duration.ofMillis(50));
  }
}
