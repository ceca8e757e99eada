package dev.zerodowntime.samples.quickstart;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Wait;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Shows in which phase each migration is and what it waits for: one line whenever that changes.
 * Anybody may look, from any process; what it prints comes from {@link Orchestrator#status()}.
 */
final class Board implements AutoCloseable {

  private static final int POLL_MILLIS = 200;
  private static final long PROGRESS_NANOS = 2_000_000_000L;

  private final Orchestrator onlooker;
  private final Console console;
  private final Map<String, String> shown = new HashMap<>();
  private final Map<String, Long> shownAt = new HashMap<>();
  private final Thread thread = new Thread(this::run, "board");
  private volatile boolean closed;

  Board(Orchestrator onlooker, Console console) {
    this.onlooker = onlooker;
    this.console = console;
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      while (!closed) {
        look();
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /** Reads the status, shows what has changed, and returns all of it. */
  synchronized List<MigrationReport> look() {
    List<MigrationReport> reports = onlooker.status().migrations();
    reports.forEach(this::show);
    return reports;
  }

  private void show(MigrationReport report) {
    if (report.waits().isEmpty() && !report.finished()) {
      return; // About to go on: the next look has more to tell.
    }
    String phases = phases(report);
    String waits = report.waits().stream().map(Board::text).collect(Collectors.joining("; "));
    long now = System.nanoTime();
    boolean news = !news(report, phases).equals(shown.put(report.id(), news(report, phases)));
    boolean running = !report.state().atRest();
    boolean progress = running && now - shownAt.getOrDefault(report.id(), now) > PROGRESS_NANOS;
    if (news || progress) {
      shownAt.put(report.id(), now);
      console.say("%-20s %-22s %s", report.id(), phases, waits);
    }
  }

  /** What makes a line worth printing; one pod more or less, or some more rows, does not. */
  private static String news(MigrationReport report, String phases) {
    if (!report.state().atRest() || report.waits().isEmpty()) {
      return phases;
    }
    return phases + text(report.waits().get(0)).replaceAll("\\d+ members?|\\(draining\\) ", "");
  }

  private static String phases(MigrationReport report) {
    if (report.state().atRest()) {
      return report.phase() + (report.finished() ? ", finished" : "");
    }
    return report.phase()
        + (report.state().direction() == Direction.UP ? " -> " : " => ")
        + report.lifecycle().name(report.state().entering());
  }

  private static String text(Wait wait) {
    return wait.kind() + ": " + wait.what();
  }

  @Override
  public void close() {
    closed = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
