package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.operation.Backfill;
import java.io.IOException;
import java.time.Duration;
import org.postgresql.ds.PGSimpleDataSource;

/** A process that works on a backfill, until it is killed or nobody holds its input open. */
public final class Doomed {

  /** The migration. */
  static final String ID = "billing/once-more";

  /** Small, so that much of a process's life is spent between and inside of transactions. */
  private static final int MOST_ROWS = 25;

  private static final Duration PAUSE = Duration.ofMillis(6);

  /** More than live at a time: claims of the dead count until they expire. */
  private static final int WORKERS = 8;

  private Doomed() {}

  /**
   * Serves.
   *
   * @param arguments URL, user, password, how the work is kept from being repeated, own name
   */
  public static void main(String[] arguments) throws IOException {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(arguments[0]);
    source.setUser(arguments[1]);
    source.setPassword(arguments[2].isEmpty() ? null : arguments[2]);
    source.setApplicationName(arguments[4]);
    // Never closed: the process ends.
    CutDataSource pool = new CutDataSource(new Wire(null, source, null));
    try (Orchestrator member =
        Orchestrator.builder(pool)
            .application("billing")
            .release("1")
            .noStarQueries()
            .thisBuild(migration(Backfill.Once.valueOf(arguments[3])), Backfill.Code.UNAWARE)
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
  static Timing quick(Timing timing) {
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
