package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackupGate;
import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the backup gate, which is somebody else's code: on a thread of its own, so that one that
 * takes its time, or hangs, or fails, holds up nothing but the purge it was asked about.
 *
 * <p>Asked by the driving thread; what was answered may be read by any.
 */
final class BackupWatch {

  private static final Logger LOG = LoggerFactory.getLogger(BackupWatch.class);

  /** In ticks, how long a migration's gate is left alone after an answer: a minute. */
  private static final int REST_TICKS = 60;

  private final EngineContext ctx;
  private final Duration rest;
  private final Map<String, Question> questions = new ConcurrentHashMap<>();

  /** Migrations whose gate has failed since it last answered: that was logged. */
  private final Set<String> failing = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  BackupWatch(EngineContext ctx) {
    this(ctx, ctx.timing().tick().multipliedBy(REST_TICKS));
  }

  /**
   * Takes how long a gate is left alone.
   *
   * @param ctx the engine
   * @param rest the least time between an answer and the next question about the same migration
   */
  BackupWatch(EngineContext ctx, Duration rest) {
    this.ctx = ctx;
    this.rest = rest;
  }

  /** What a gate said, or why it said nothing. */
  private record Answer(boolean confirmed, @Nullable String failure, long at) {}

  /** A question about one stay of a migration in the phase before its purge. */
  private static final class Question {
    private final long stay;
    private final long asked = System.nanoTime();
    private final CountDownLatch answered = new CountDownLatch(1);
    private volatile @Nullable Answer answer;
    private volatile @Nullable Thread thread;

    Question(MigrationRow row) {
      this.stay = row.since();
    }
  }

  /**
   * Asks about every migration that waits for nothing else, and waits a tick at most for the
   * answers: most gates are quick.
   *
   * @return whether a purge has been confirmed that was not when the migrations were looked at
   */
  boolean ask(Gatekeeper.Look look) {
    BackupGate gate = ctx.backupGate();
    if (gate == null) {
      return false;
    }
    List<MigrationRow> waiting = new ArrayList<>();
    List<Question> fresh = new ArrayList<>();
    for (MigrationRow row : look.snapshot().migrations()) {
      List<Wait> waits = look.waits().getOrDefault(row.key(), List.of());
      if (waits.size() == 1 && waits.get(0).kind() == Wait.Kind.BACKUP) {
        waiting.add(row);
        if (mayAsk(row)) {
          Question question = new Question(row);
          questions.put(row.key(), question);
          fresh.add(question);
          start(gate, row, question);
        }
      }
    }
    await(fresh);
    return waiting.stream().anyMatch(this::confirmed);
  }

  /** Whether an answer is still to come: not from a gate that has hung for longer than its rest. */
  boolean asking() {
    return questions.values().stream()
        .anyMatch(each -> each.answer == null && System.nanoTime() - each.asked < rest.toNanos());
  }

  /** Whether the gate has confirmed the purge of a migration since it is where it is. */
  boolean confirmed(MigrationRow row) {
    Question question = questions.get(row.key());
    Answer answer = question == null ? null : question.answer;
    return question != null && answer != null && answer.confirmed() && question.stay == row.since();
  }

  /**
   * What is known of the gate, for people.
   *
   * @param row a migration that waits for it
   * @param call what a person may call instead
   */
  String state(MigrationRow row, String call) {
    String must = "the backup gate must confirm a backup";
    Question question = questions.get(row.key());
    if (question == null) {
      return must + ", or a person call " + call;
    }
    Answer answer = question.answer;
    if (answer == null) {
      return must + ", and has not answered yet; or a person may call " + call;
    }
    return answer.failure() == null
        ? must + ", or a person call " + call
        : "the backup gate failed: "
            + answer.failure()
            + "; it will be asked again, or a person may call "
            + call;
  }

  /** Interrupts gates that have not answered. */
  void close() {
    closed = true;
    for (Question each : questions.values()) {
      Thread thread = each.thread;
      if (each.answer == null && thread != null) {
        thread.interrupt();
      }
    }
  }

  private boolean mayAsk(MigrationRow row) {
    Question before = questions.get(row.key());
    if (before == null) {
      return true;
    }
    Answer answer = before.answer;
    return answer != null && System.nanoTime() - answer.at() >= rest.toNanos();
  }

  private void start(BackupGate gate, MigrationRow row, Question question) {
    String drops = drops(row);
    Thread thread =
        new Thread(
            () -> {
              question.answer = answer(gate, row, drops);
              question.answered.countDown();
            },
            "orchestrator-backup-gate " + row.id());
    thread.setDaemon(true);
    question.thread = thread;
    thread.start();
  }

  /** What would be dropped, or done before that, as SQL. */
  private String drops(MigrationRow row) {
    return ctx.operation(row)
        .map(
            each ->
                each
                    .steps(ctx.target(row), row.facts(), row.state().reached() + 1, Direction.UP)
                    .stream()
                    .flatMap(step -> step.sql().stream())
                    .reduce("", (a, b) -> a + b + ";\n"))
        .orElse("");
  }

  private Answer answer(BackupGate gate, MigrationRow row, String drops) {
    try {
      boolean confirmed = gate.confirmed(row.id(), drops);
      failing.remove(row.key());
      return new Answer(confirmed, null, System.nanoTime());
    } catch (Throwable e) {
      // Errors too: a class that the gate lacks must not look like a gate that never answers.
      if (!closed && failing.add(row.key())) {
        LOG.error("the backup gate failed for {}; it will be asked again", row.id(), e);
      } else {
        LOG.debug("the backup gate failed for {}", row.id(), e);
      }
      return new Answer(false, e.toString(), System.nanoTime());
    }
  }

  private void await(List<Question> fresh) {
    long deadline = System.nanoTime() + ctx.timing().tick().toNanos();
    try {
      for (Question each : fresh) {
        if (!each.answered.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
