package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.internal.control.Events.Event;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Approval;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Member;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Release;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.internal.fleet.Observation;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the fleet and lets migrations enter phases. Both happen under the exclusive lock of the
 * fleet row and the lease's token, so nobody registers between the decision and its commit. Used by
 * one thread at a time.
 */
final class Gatekeeper {

  private static final Logger LOG = LoggerFactory.getLogger(Gatekeeper.class);

  /** For how long a cold release is known: its string means the same stages until then. */
  private static final Duration KEPT = Duration.ofDays(30);

  private final EngineContext ctx;
  private final Gates gates;
  private final HealthWatch health;

  /** One run of one driver: what another has watched doesn't add to what this one has. */
  private final String observer = UUID.randomUUID().toString();

  private final Map<String, Long> lastLooks = new HashMap<>();

  Gatekeeper(EngineContext ctx, Gates gates, HealthWatch health) {
    this.ctx = ctx;
    this.health = health;
    this.gates = gates;
  }

  /** What a look found: everything, and what each migration waits for. */
  record Look(Snapshot snapshot, Map<String, List<Wait>> waits) {

    /** Migrations whose next phase may be entered, in declaration order. */
    List<MigrationRow> ready() {
      List<MigrationRow> ready = new ArrayList<>();
      for (MigrationRow row : snapshot.migrations()) {
        List<Wait> found = waits.get(row.key());
        if (found != null && found.isEmpty()) {
          ready.add(row);
        }
      }
      return ready;
    }
  }

  /** Forgets when it last looked: what lies between was not watched. */
  void blinked() {
    lastLooks.clear();
  }

  /** Observes heartbeats, strikes off who is gone, and evaluates every gate. */
  Look look(Lease lease) throws SQLException {
    try {
      return ctx.transaction(
          connection -> {
            ctx.reader().lockFleetExclusive(connection);
            lease.require(connection);
            Snapshot snapshot = Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
            snapshot = observe(connection, snapshot);
            Map<String, List<Wait>> waits = new LinkedHashMap<>();
            for (MigrationRow row : snapshot.migrations()) {
              if (row.state().atRest()) {
                // Most are done, in the long run: these cost nothing.
                boolean done =
                    row.finished() && row.target() == null && !health.watches(row, snapshot.now());
                waits.put(
                    row.key(),
                    done
                        ? List.of(Wait.of(Wait.Kind.HELD, "done"))
                        : evaluate(connection, snapshot, row));
              }
            }
            return new Look(snapshot, waits);
          });
    } catch (SQLException | RuntimeException e) {
      blinked();
      throw e;
    }
  }

  private Snapshot observe(Connection connection, Snapshot snapshot) throws SQLException {
    long longestGap =
        3 * Math.max(ctx.timing().tick().toMillis(), ctx.timing().heartbeat().toMillis() / 3);
    Observation known =
        new Observation(
            snapshot.control().incarnation(),
            snapshot.control().incarnationObserver(),
            snapshot.control().incarnationStill());
    if (snapshot.held() || !known.counter().equals(snapshot.control().serverIncarnation())) {
      Observation seen =
          ctx.rules()
              .observe(
                  known,
                  snapshot.control().serverIncarnation(),
                  observer,
                  sinceLook("#incarnation"),
                  longestGap);
      if (!seen.counter().equals(known.counter())) {
        LOG.warn("the database server is a new incarnation: {}", seen.counter());
        ctx.events().append(connection, null, Event.of("INCARNATION", null, seen.counter()));
      }
      ctx.fleet().incarnation(connection, seen);
      snapshot = Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
    }
    List<Member> gone = new ArrayList<>();
    for (Member member : snapshot.members()) {
      Observation seen =
          ctx.rules()
              .observe(
                  new Observation(
                      Long.toString(member.observed()), member.observer(), member.still()),
                  Long.toString(member.heartbeat()),
                  observer,
                  sinceLook(member.id()),
                  longestGap);
      if (snapshot.gone(member, seen) && ctx.fleet().strikeOff(connection, member)) {
        gone.add(member);
        lastLooks.remove(member.id());
        ctx.events()
            .append(
                connection,
                null,
                Event.of(
                    "MEMBER_GONE",
                    null,
                    member.application()
                        + " "
                        + member.release()
                        + " "
                        + member.id()
                        + (member.closed() != null
                            ? ", drained"
                            : ", silent for " + seen.stillMillis() + " ms")));
      } else if (member.closed() == null
          && quiet(snapshot, member)
          && !(seen.counter().equals(Long.toString(member.observed()))
              && seen.observer().equals(member.observer())
              && seen.stillMillis() == member.still())) {
        ctx.fleet().observed(connection, member, seen);
      }
    }
    prove(connection, snapshot);
    for (Release old : snapshot.forgettable(KEPT.toMillis())) {
      ctx.fleet().removeRelease(connection, old.application(), old.release());
    }
    // The release rows have just got the time of their last member.
    return gone.isEmpty()
        ? snapshot
        : Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
  }

  /**
   * Whether a heartbeat is overdue. Only then is what is seen written down: a row per member and
   * look would be a lot in a large fleet. The clock only decides when to begin counting.
   */
  private boolean quiet(Snapshot snapshot, Member member) {
    return Math.abs(snapshot.now() - member.heartbeatAt())
        > 2 * ctx.timing().heartbeat().toMillis();
  }

  private long sinceLook(String what) {
    long now = System.nanoTime();
    Long last = lastLooks.put(what, now);
    return last == null ? -1 : (now - last) / 1_000_000;
  }

  /** A release that has been live for the soak time supersedes those deployed before it. */
  private void prove(Connection connection, Snapshot snapshot) throws SQLException {
    for (Release release : snapshot.releases()) {
      boolean proven =
          !release.proven()
              && snapshot.members().stream()
                  .anyMatch(
                      each ->
                          each.application().equals(release.application())
                              && each.release().equals(release.release())
                              && each.closed() == null
                              && each.heartbeatAt() - each.registered()
                                  >= ctx.timing().soak().toMillis());
      if (proven) {
        ctx.fleet().proven(connection, release.application(), release.release());
      }
    }
  }

  private List<Wait> evaluate(Connection connection, Snapshot snapshot, MigrationRow row)
      throws SQLException {
    Integer target = row.target();
    if (target != null
        && MigrationRow.REOPEN.equals(row.targetReason())
        && !Registrar.inTheWay(ctx, snapshot, row, target).isEmpty()) {
      // Granted when it was asked; since then somebody has joined whom the way back would break.
      ctx.migrations().target(connection, row, null, null, null);
      return List.of(Wait.of(Wait.Kind.FLEET, "a request to reopen was overtaken"));
    }
    if (row.reopened() && row.state().atRest() && gates.reopenedFor(row, snapshot.now()) <= 0) {
      ctx.migrations().reopened(connection, row);
      ctx.events()
          .append(connection, row, Event.of("REOPEN", null, row.targetBy() + " didn't come back"));
    }
    Gates.Evaluation evaluation = gates.evaluate(snapshot, row);
    if (!evaluation.fitUp().equals(row.fitUp()) || !evaluation.fitDown().equals(row.fitDown())) {
      ctx.migrations().fit(connection, row, evaluation.fitUp(), evaluation.fitDown());
    }
    return evaluation.waits();
  }

  /**
   * Enters the next phase, if that is still allowed: writes the pair before the first statement
   * runs.
   *
   * @return the migration, entering; empty if something came up
   */
  Optional<MigrationRow> enter(MigrationRow candidate, Lease lease, Prepared prepared)
      throws SQLException {
    return ctx.transaction(
        connection -> {
          ctx.reader().lockFleetExclusive(connection);
          lease.require(connection);
          Snapshot snapshot = Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
          MigrationRow row = snapshot.migration(candidate.key()).orElse(null);
          if (row == null
              || !row.state().equals(candidate.state())
              || !row.operation().equals(candidate.operation())) {
            return Optional.empty();
          }
          if (prepared.lifecycle() != null && prepared.facts() != null) {
            // First: a consent is to the SQL that follows from what the catalog says now.
            ctx.migrations().facts(connection, row, prepared.lifecycle(), prepared.facts());
            snapshot = Snapshot.read(connection, ctx.reader(), ctx.timing(), ctx.rules());
            row = snapshot.migration(candidate.key()).orElseThrow();
          }
          if (!evaluate(connection, snapshot, row).isEmpty()) {
            return Optional.empty();
          }
          Direction direction = row.goesDown() ? Direction.DOWN : Direction.UP;
          State pair = row.state().entering(direction);
          row.lifecycle().transition(pair.reached(), pair.entering());
          for (Approval each : gates.spent(snapshot, row, pair)) {
            ctx.fleet().spend(connection, each);
          }
          for (Step step : prepared.steps()) {
            ctx.backfills().discard(connection, row, step.name());
          }
          ctx.migrations().state(connection, row, pair);
          if (row.finished()) {
            // Reopened: it moves again.
            ctx.migrations().status(connection, row, MigrationStatus.ACTIVE, null);
          }
          ctx.events()
              .append(
                  connection,
                  row,
                  new Event(
                      "PHASE",
                      row.lifecycle().name(pair.entering()),
                      null,
                      null,
                      null,
                      null,
                      "ENTERING",
                      direction.name(),
                      lease.token()));
          return ctx.reader().migration(connection, row.id(), row.schema());
        });
  }

  /**
   * Sends a migration back out of the phase after which the application isn't well, and holds it
   * there; without a way back it fails where it is.
   *
   * @return whether that was still up to the health check
   */
  boolean unwell(MigrationRow candidate, Lease lease, String problem) throws SQLException {
    return ctx.transaction(
        connection -> {
          ctx.reader().lockFleetExclusive(connection);
          lease.require(connection);
          MigrationRow row =
              ctx.reader()
                  .migration(connection, candidate.id(), candidate.schema())
                  .orElse(candidate);
          long now = ctx.reader().control(connection).now();
          if (!row.state().equals(candidate.state())
              || row.since() != candidate.since()
              || !health.watches(row, now)) {
            return false;
          }
          int reached = row.state().reached();
          String phase = row.lifecycle().name(reached);
          String why = "the health check after " + phase + ": " + problem;
          boolean open = row.lifecycle().reachable(reached, reached - 1);
          if (open) {
            ctx.migrations().target(connection, row, reached - 1, MigrationRow.ROLLBACK, why);
            ctx.migrations().status(connection, row, MigrationStatus.ACTIVE, null);
          } else {
            ctx.migrations()
                .status(
                    connection,
                    row,
                    MigrationStatus.FAILED,
                    "stopped by " + why + "; there is no way back from " + phase);
          }
          ctx.events()
              .append(
                  connection,
                  row,
                  new Event(
                      "HEALTH",
                      phase,
                      null,
                      null,
                      null,
                      null,
                      open ? "ROLLED_BACK" : "FAILED",
                      problem,
                      lease.token()));
          return true;
        });
  }

  /** Turns a movement round, which nobody's fit depends on. */
  Optional<MigrationRow> reverse(MigrationRow moving, Lease lease) throws SQLException {
    return ctx.transaction(
        connection -> {
          ctx.reader().lockFleetExclusive(connection);
          lease.require(connection);
          State state = moving.state().reversed();
          moving.lifecycle().transition(state.reached(), state.entering());
          ctx.migrations().state(connection, moving, state);
          for (String step : ctx.backfills().steps(connection, moving)) {
            // Whoever works on one now would go on with what is being undone.
            ctx.backfills().discard(connection, moving, step);
          }
          ctx.events()
              .append(
                  connection,
                  moving,
                  Event.of("PHASE", moving.lifecycle().name(state.entering()), "turned round"));
          return ctx.reader().migration(connection, moving.id(), moving.schema());
        });
  }

  /** What was found out before the fleet was locked. */
  record Prepared(
      List<Step> steps,
      @org.jspecify.annotations.Nullable Lifecycle lifecycle,
      @org.jspecify.annotations.Nullable Map<String, Object> facts) {}
}
