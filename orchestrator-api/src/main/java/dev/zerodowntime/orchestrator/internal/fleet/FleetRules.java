package dev.zerodowntime.orchestrator.internal.fleet;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.Counted.Kind;
import dev.zerodowntime.orchestrator.internal.fleet.Objection.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The rules that keep every counted build compatible with every migration's state.
 *
 * <p>Pure functions of what was read in one transaction. Registration reads under the shared lock
 * of the fleet row, phase entry under the exclusive one; so whatever one of them decides on can't
 * change before it commits. Not final, and its methods not static, only so that the model check can
 * break one rule at a time and show that it is needed.
 */
public class FleetRules {

  /** The rules as they are. */
  public static final FleetRules STANDARD = new FleetRules();

  /** For {@link #STANDARD} and for the model check's broken copies. */
  protected FleetRules() {}

  /**
   * Chooses the stage at which a build is admitted: the highest of those it declares that fits.
   *
   * @param declared the spans of the stages that the build declares, oldest first, not empty
   * @param state where the migration is
   * @return the choice
   */
  public StageChoice choose(List<Span> declared, State state) {
    for (int i = declared.size() - 1; i >= 0; i--) {
      if (fits(declared.get(i), state)) {
        return StageChoice.admitted(i);
      }
    }
    // Nothing fits. A stage that some higher phase would suit asks the schema to move up, which
    // is preferred: it is the way every roll-out goes.
    for (Span span : declared) {
      if (span.high() >= state.upper()) {
        return StageChoice.needsPhase(span.low(), Direction.UP);
      }
    }
    return StageChoice.needsPhase(declared.get(declared.size() - 1).high(), Direction.DOWN);
  }

  /**
   * Whether a build with {@code span} can run while the migration is in {@code state}.
   *
   * @param span the span of the build's stage
   * @param state where the migration is, or the pair that would result
   * @return whether it fits
   */
  public boolean fits(Span span, State state) {
    return span.fits(state);
  }

  /**
   * Who is in the way of a movement, soak time aside.
   *
   * @param fleet everything counted
   * @param pair the state that would result: one phase being entered
   * @return the objections; empty when the fleet is fit
   */
  public List<Objection> objections(Fleet fleet, State pair) {
    List<Objection> objections = new ArrayList<>();
    if (fleet.paused()) {
      objections.add(new Objection(Reason.PAUSED, null));
    }
    if (fleet.held()) {
      objections.add(new Objection(Reason.NEW_INCARNATION, null));
    }
    if (!fleet.applicationKnown()) {
      objections.add(new Objection(Reason.NO_APPLICATION, null));
    }
    for (Counted each : fleet.counted()) {
      boolean inTheWay =
          each.kind() == Kind.WARM ? holdsBack(each.span(), pair) : !fits(each.span(), pair);
      if (inTheWay) {
        objections.add(new Objection(Reason.NOT_FIT, each));
      }
    }
    return objections;
  }

  /**
   * Whether a warm release holds a movement back. It may be rolled back to, and code can't run
   * above its highest phase; downwards it has no say, since the way back is always open to it.
   *
   * @param span the span of the highest stage that any build of the release declared
   * @param pair the state that would result
   * @return whether the movement leads beyond it
   */
  public boolean holdsBack(Span span, State pair) {
    return pair.direction() == Direction.UP && span.high() < pair.upper();
  }

  /**
   * Since when the whole fleet has fitted a movement; evaluated at every look of the driver, and
   * stored.
   *
   * @param stored what the last look stored, if the fleet fitted then
   * @param fleetFits whether live and pinned members fit now
   * @param now the database's time, in milliseconds
   * @param fleetChanged when a member last joined or was struck off, by the database's time: a
   *     fleet that fits now has fitted at least since then
   * @return since when it has fitted, or empty
   */
  public OptionalLong fitSince(
      OptionalLong stored, boolean fleetFits, long now, long fleetChanged) {
    if (!fleetFits) {
      return OptionalLong.empty();
    }
    return stored.isPresent() ? stored : OptionalLong.of(Math.min(now, fleetChanged));
  }

  /**
   * Whether a registration starts the soak time of a movement anew.
   *
   * @param chosen the span at which a member is being admitted
   * @param pair the movement
   * @return whether the member doesn't fit it
   */
  public boolean resetsSoak(Span chosen, State pair) {
    return !fits(chosen, pair);
  }

  /**
   * How much of the soak time is left.
   *
   * @param fitSince since when the fleet has fitted
   * @param now the database's time
   * @param soak the soak time in milliseconds
   * @return the rest in milliseconds; 0 when the phase may be entered
   */
  public long soakLeft(OptionalLong fitSince, long now, long soak) {
    if (soak == 0) {
      return 0;
    }
    return fitSince.isEmpty() ? soak : Math.max(0, soak - (now - fitSince.getAsLong()));
  }

  /**
   * What a driver learns from one look at a counter that should move.
   *
   * <p>Only time that one observer has itself watched counts, so that neither a database outage,
   * nor a clock that jumps, nor a driver that was frozen, nor two drivers that watched the same
   * minute make a living member look gone.
   *
   * @param stored what was stored at the last look
   * @param counter the counter now
   * @param observer who looks: one run of one driver
   * @param sinceOwnLook milliseconds of this observer's own monotonic clock since it last looked
   *     with success, or negative if it has not
   * @param longestGap the longest gap between two looks that still counts as watching
   * @return what to store
   */
  public Observation observe(
      Observation stored, String counter, String observer, long sinceOwnLook, long longestGap) {
    if (!stored.counter().equals(counter)) {
      return new Observation(counter, observer, 0);
    }
    boolean watched =
        stored.observer().equals(observer) && sinceOwnLook >= 0 && sinceOwnLook <= longestGap;
    return new Observation(counter, observer, stored.stillMillis() + (watched ? sinceOwnLook : 0));
  }

  /**
   * Whether a member is gone.
   *
   * @param observation what drivers have seen of its heartbeat
   * @param sessionLeft whether a session of it is still open on the server
   * @param expiry the expiry in milliseconds
   * @return whether it may be struck off
   */
  public boolean gone(Observation observation, boolean sessionLeft, long expiry) {
    return !sessionLeft && observation.stillMillis() >= expiry;
  }

  /**
   * Whether a new server incarnation still holds back phase entries.
   *
   * @param observation what drivers have seen of the incarnation
   * @param expiry the expiry in milliseconds
   * @return whether its members may not all have reported back yet
   */
  public boolean held(Observation observation, long expiry) {
    return observation.stillMillis() < expiry;
  }

  /**
   * Whether a draining member is still counted.
   *
   * @param sinceClose milliseconds since it was closed, by the database's time
   * @param drain the drain time in milliseconds
   * @return whether its last transactions may still run
   */
  public boolean draining(long sinceClose, long drain) {
    return sinceClose < drain;
  }

  /**
   * Whether a release without live members may still be rolled back to.
   *
   * @param sinceLastMember milliseconds since its last member
   * @param horizon the rollback horizon in milliseconds
   * @param superseded whether a release of the same application that was deployed later has been
   *     live for the soak time
   * @return whether it is warm
   */
  public boolean warm(long sinceLastMember, long horizon, boolean superseded) {
    return horizon > 0 && (!superseded || sinceLastMember < horizon);
  }
}
