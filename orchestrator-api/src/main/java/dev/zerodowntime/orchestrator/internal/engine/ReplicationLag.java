package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.LoadSql;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Asks how far the slowest replica is behind: of those that the primary knows, and of those that
 * were named to us. It is read by one thread at a time.
 */
final class ReplicationLag {

  private final DataSource primary;
  private final Map<String, DataSource> readers;
  private final LoadSql load;
  private final LagMeter meter;

  ReplicationLag(
      DataSource primary, Map<String, DataSource> readers, LoadSql load, LongSupplier nanoTime) {
    this.primary = primary;
    this.readers = Map.copyOf(readers);
    this.load = load;
    this.meter = new LagMeter(load::compare, nanoTime);
  }

  /**
   * What was found out.
   *
   * @param replica the slowest, or null if there is none
   * @param behind how far it is behind
   * @param unreadable why it can't be known, or null
   * @param remedy what makes it known, or null if nothing but a server that answers
   */
  record Lag(
      @Nullable String replica,
      Duration behind,
      @Nullable String unreadable,
      @Nullable String remedy) {

    static Lag unknown(String why, @Nullable String remedy) {
      return new Lag(null, Duration.ZERO, why, remedy);
    }

    private Lag slower(String name, Duration other) {
      return replica == null || other.compareTo(behind) > 0
          ? new Lag(name, other, null, null)
          : this;
    }
  }

  /** Reads it; never throws. */
  Lag read() {
    LoadSql.Replication replication;
    Lag lag = new Lag(null, Duration.ZERO, null, null);
    try {
      replication = Db.autoCommit(primary, load::replication);
      meter.mark(replication.position());
      for (LoadSql.Standby each : replication.standbys()) {
        lag = lag.slower(each.name(), meter.behind(each.replayed()));
      }
    } catch (SQLException | RuntimeException e) {
      return Lag.unknown("the primary can't be asked: " + Reasons.of(e), null);
    }
    int replicas = 0;
    for (Map.Entry<String, DataSource> each : readers.entrySet()) {
      try {
        Optional<String> replayed = Db.autoCommit(each.getValue(), load::replayed);
        if (replayed.isPresent()) {
          replicas++;
          lag = lag.slower(each.getKey(), meter.behind(replayed.get()));
        }
      } catch (SQLException | RuntimeException e) {
        return Lag.unknown("replica " + each.getKey() + " can't be asked: " + Reasons.of(e), null);
      }
    }
    int unnamed = replication.hidden() - replicas;
    // Which is which can't be told: they are taken for the same as long as there are enough.
    return unnamed <= 0
        ? lag
        : Lag.unknown(
            "this user may not read the position of "
                + (unnamed == 1 ? "a standby" : unnamed + " standbys"),
            replication.remedy() + ", name the replicas with reader(...)");
  }
}
