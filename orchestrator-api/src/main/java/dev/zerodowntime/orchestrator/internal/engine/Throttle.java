package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.BackfillWindow;
import dev.zerodowntime.orchestrator.LoadSignal;
import dev.zerodowntime.orchestrator.Pace;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Asked before each batch whether it may run: only within the window, and while neither replicas
 * nor the author's own signals are over their limits. What can't be read holds batches as well, and
 * is said. One for all workers of a process, whatever they work on; thread-safe.
 *
 * <p>Lag and signals are read at most once a second, by threads of their own: a server that doesn't
 * answer holds batches, but no worker that is to stop. Lag is only read for a pace that limits it.
 */
final class Throttle {

  /** How much longer than usual pauses are at the limit. */
  static final double MOST_STRETCH = 10;

  /** The share of a limit up to which nothing is the matter. */
  private static final double CALM = 0.5;

  private final Sampled<ReplicationLag.Lag> lag;
  private final @Nullable Sampled<List<Signal>> signals;

  /** What the server says of itself, which nothing that runs already is thrown away for. */
  private final List<LoadSignal> servers;

  /**
   * Whether a batch may run.
   *
   * @param reason why not, for people; null if it may
   * @param stretch by how much the pause after it is longer than usual, 1 to 10
   */
  record Verdict(@Nullable String reason, double stretch) {

    /** It may, and nobody is to be spared. */
    static final Verdict GO = new Verdict(null, 1);

    /** Whether it may. */
    boolean go() {
      return reason == null;
    }
  }

  /** What a signal said; its value is no number if it can't be read. */
  private record Signal(LoadSignal signal, double value, @Nullable String failure) {}

  /**
   * Nothing is asked yet.
   *
   * @param primary the application's database
   * @param readers replicas that were named, by name
   * @param dialect the database's
   * @param signals the author's own
   * @param servers what the server says of its load
   * @param nanoTime a clock that only goes forward
   * @param patience how long whoever asks waits for a reading
   */
  Throttle(
      DataSource primary,
      Map<String, DataSource> readers,
      Dialect dialect,
      List<LoadSignal> signals,
      List<LoadSignal> servers,
      LongSupplier nanoTime,
      Duration patience) {
    this.servers = List.copyOf(servers);
    this.lag =
        new Sampled<>(
            "replication lag",
            new ReplicationLag(primary, readers, dialect.load(), nanoTime)::read,
            nanoTime,
            patience);
    List<LoadSignal> all = new ArrayList<>(signals);
    all.addAll(servers);
    this.signals =
        all.isEmpty()
            ? null
            : new Sampled<>(
                "load signals",
                () -> all.stream().map(Throttle::read).toList(),
                nanoTime,
                patience);
  }

  /**
   * Whether a batch may run now.
   *
   * @param pace what it keeps to
   * @param databaseNow the database's time, which windows are about
   * @return all that is in the way, or how much longer the pause is
   */
  Verdict ask(Pace pace, Instant databaseNow) {
    BackfillWindow window = pace.window();
    if (!window.open(databaseNow)) {
      // Nothing else is asked: nobody's server is to be bothered all day for a batch at night.
      return new Verdict(
          "outside its window " + window + "; opens at " + window.nextOpening(databaseNow),
          MOST_STRETCH);
    }
    List<String> reasons = new ArrayList<>();
    double stretch = 1;
    if (pace.maxLag() != null) {
      stretch = lag(pace.maxLag(), reasons);
    }
    List<Signal> values = signals == null ? List.of() : signals.get();
    if (values == null) {
      reasons.add("a load signal can't be read: no answer yet");
    } else {
      for (Signal each : values) {
        stretch = Math.max(stretch, signal(each, reasons));
      }
    }
    return reasons.isEmpty()
        ? new Verdict(null, stretch)
        : new Verdict(String.join("; also: ", reasons), MOST_STRETCH);
  }

  /**
   * What is over its limit for something that runs already: what can't be read is not, since
   * nobody's hours of work are thrown away for a meter that broke.
   *
   * @param maxLag how far replicas may be behind; null: as they like
   * @return the reasons, for people; empty if all is well
   */
  List<String> over(@Nullable Duration maxLag) {
    List<String> reasons = new ArrayList<>();
    ReplicationLag.Lag read = maxLag == null ? null : lag.get();
    if (maxLag != null && read != null && read.unreadable() == null) {
      behind(read, maxLag, reasons);
    }
    List<Signal> values = signals == null ? null : signals.get();
    if (values != null) {
      values.stream()
          .filter(each -> each.failure() == null && !servers.contains(each.signal()))
          .forEach(each -> signal(each, reasons));
    }
    return reasons;
  }

  private double lag(Duration limit, List<String> reasons) {
    ReplicationLag.Lag read = lag.get();
    if (read == null) {
      read = ReplicationLag.Lag.unknown("a server that was asked does not answer", null);
    }
    if (read.unreadable() != null) {
      reasons.add(
          "replication lag can't be read: "
              + read.unreadable()
              + (read.remedy() == null ? "; mend that, or" : "; " + read.remedy() + ", or")
              + " set max_lag_ms to -1");
      return MOST_STRETCH;
    }
    behind(read, limit, reasons);
    return stretch(read.behind().toMillis(), limit.toMillis());
  }

  private static void behind(ReplicationLag.Lag read, Duration limit, List<String> reasons) {
    if (read.replica() != null && read.behind().compareTo(limit) > 0) {
      reasons.add(
          "replica "
              + read.replica()
              + " is "
              + Reasons.duration(read.behind())
              + " behind, limit "
              + Reasons.duration(limit));
    }
  }

  private static double signal(Signal read, List<String> reasons) {
    LoadSignal signal = read.signal();
    if (read.failure() != null) {
      reasons.add("load signal " + signal.name() + " can't be read: " + read.failure());
    } else if (read.value() > signal.limit()) {
      reasons.add(
          "load signal "
              + signal.name()
              + " is "
              + Reasons.number(read.value())
              + " "
              + signal.unit()
              + ", limit "
              + Reasons.number(signal.limit())
              + " "
              + signal.unit());
    }
    return stretch(read.value(), signal.limit());
  }

  /** It is the author's code: whatever it throws is a reading that failed, and ends no worker. */
  private static Signal read(LoadSignal signal) {
    try {
      double value = signal.reading().read();
      return new Signal(signal, value, Double.isNaN(value) ? "it is no number" : null);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Signal(signal, Double.NaN, "interrupted");
    } catch (Exception | LinkageError | AssertionError e) {
      return new Signal(signal, Double.NaN, Reasons.of(e));
    }
  }

  /** 1 up to half the limit, from there on growing evenly to 10 at the limit. */
  static double stretch(double value, double limit) {
    if (Double.isNaN(value) || value > limit) {
      return MOST_STRETCH;
    }
    // A limit of nothing, or less, has no half; nor has one that is never reached.
    if (limit <= 0 || Double.isInfinite(limit) || value <= limit * CALM) {
      return 1;
    }
    return 1 + (MOST_STRETCH - 1) * (value / limit - CALM) / (1 - CALM);
  }
}
