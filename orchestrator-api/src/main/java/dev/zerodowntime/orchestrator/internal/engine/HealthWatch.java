package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.HealthCheck;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Asks the health check for a time after each phase: somebody else's code, on threads of its own.
 * What was watched counts for one stay of a migration in a phase, and for this driver alone:
 * another begins anew. Used by the driving thread; what it knows may be read by any.
 */
final class HealthWatch {

  /** In ticks, how long a migration's check is left alone after an answer. */
  private static final int REST_TICKS = 5;

  /** One bad answer may be a hiccup. */
  private static final int PROBLEMS = 3;

  private final EngineContext ctx;
  private final Map<String, Stay> stays = new ConcurrentHashMap<>();

  HealthWatch(EngineContext ctx) {
    this.ctx = ctx;
  }

  /** A question that is answered, or is not yet, by a thread of its own. */
  private record Question(FutureTask<Optional<String>> task, Thread thread) {}

  /** A migration's stay in a phase. */
  private static final class Stay {
    private final long since;
    private final long began = System.nanoTime();
    private long answered = began;
    private int problems;
    private volatile @Nullable Question question;
    private volatile @Nullable String said;

    /** Watched for long enough, or acted upon. */
    private volatile boolean over;

    Stay(long since) {
      this.since = since;
    }
  }

  /**
   * Whether a migration at rest is one whose health is watched, as far as its row tells.
   *
   * @param row the migration
   * @param now the database's time
   */
  boolean watches(MigrationRow row, long now) {
    boolean asked =
        ctx.environment() == Environment.PRODUCTION
            && row.policy().healthyFor().toMillis() > 0
            && row.state().atRest()
            && row.state().reached() > 0
            && row.state().direction() == Direction.UP
            && row.target() == null
            && (row.status() == MigrationStatus.ACTIVE || row.finished());
    // What is done isn't watched anew for ever, by every driver that comes.
    return asked
        && (!row.finished() || now - row.since() < row.policy().healthyFor().toMillis())
        && !over(row);
  }

  private boolean over(MigrationRow row) {
    Stay stay = stays.get(row.key());
    return stay != null && stay.since == row.since() && stay.over;
  }

  /** What is known, for people. */
  Wait wait(MigrationRow row) {
    String phase = row.lifecycle().name(row.state().reached());
    Duration time = row.policy().healthyFor();
    if (ctx.healthCheck() == null) {
      return Wait.of(
          Wait.Kind.HEALTH,
          "health is watched for "
              + Reasons.duration(time)
              + " after "
              + phase
              + "; a driver with healthCheck(...) must do that");
    }
    Stay stay = stays.get(row.key());
    String said = stay == null || stay.since != row.since() ? null : stay.said;
    return new Wait(
        Wait.Kind.HEALTH,
        "health is watched after " + phase + (said == null ? "" : "; " + said),
        null,
        stay == null ? time : time.minusNanos(System.nanoTime() - stay.began));
  }

  /**
   * Asks about every migration that is watched, and waits a tick at most for the answers.
   *
   * @param look all there is
   * @return those whose check has found problems, with what it said last
   */
  Map<MigrationRow, String> ask(Gatekeeper.Look look) {
    HealthCheck check = ctx.healthCheck();
    Map<MigrationRow, String> sick = new java.util.LinkedHashMap<>();
    if (check == null) {
      return sick;
    }
    List<MigrationRow> watched = new ArrayList<>();
    for (MigrationRow row : look.snapshot().migrations()) {
      if (watches(row, look.snapshot().now())) {
        watched.add(row);
        stays.compute(
            row.key(),
            (key, stay) ->
                stay == null || stay.since != row.since() ? new Stay(row.since()) : stay);
        begin(check, row);
      }
    }
    long deadline = System.nanoTime() + ctx.timing().tick().toNanos();
    for (MigrationRow row : watched) {
      String problem = answer(row, deadline);
      if (problem != null) {
        sick.put(row, problem);
      }
    }
    return sick;
  }

  private void begin(HealthCheck check, MigrationRow row) {
    Stay stay = java.util.Objects.requireNonNull(stays.get(row.key()));
    long rest = REST_TICKS * ctx.timing().tick().toNanos();
    boolean first = stay.answered == stay.began;
    if (stay.question != null || !first && System.nanoTime() - stay.answered < rest) {
      return;
    }
    String phase = row.lifecycle().name(row.state().reached());
    FutureTask<Optional<String>> task = new FutureTask<>(() -> check.problem(row.id(), phase));
    Thread thread = new Thread(task, "orchestrator-health-check " + row.id());
    thread.setDaemon(true);
    stay.question = new Question(task, thread);
    thread.start();
  }

  /** What is wrong, if that is certain by now. */
  private @Nullable String answer(MigrationRow row, long deadline) {
    Stay stay = java.util.Objects.requireNonNull(stays.get(row.key()));
    Question question = stay.question;
    if (question == null) {
      return null;
    }
    try {
      Optional<String> problem =
          question.task().get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      answered(stay, row, problem.orElse(null));
      return stay.problems >= PROBLEMS ? stay.said : null;
    } catch (TimeoutException e) {
      return null;
    } catch (ExecutionException e) {
      // Nobody knows: neither well nor ill.
      stay.question = null;
      stay.answered = System.nanoTime();
      Throwable cause = e.getCause();
      stay.said = "the health check failed: " + Reasons.of(cause == null ? e : cause);
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  private static void answered(Stay stay, MigrationRow row, @Nullable String problem) {
    long now = System.nanoTime();
    stay.question = null;
    stay.answered = now;
    stay.said = problem;
    stay.problems = problem == null ? 0 : stay.problems + 1;
    if (problem == null && now - stay.began >= row.policy().healthyFor().toNanos()) {
      stay.over = true;
    }
  }

  /** It was acted upon; what a person does afterwards is not questioned. */
  void settled(MigrationRow row) {
    Stay stay = stays.get(row.key());
    if (stay != null) {
      stay.over = true;
    }
  }

  /** Interrupts checks that have not answered. */
  void close() {
    for (Stay each : stays.values()) {
      Question question = each.question;
      if (question != null) {
        question.thread().interrupt();
      }
    }
  }
}
