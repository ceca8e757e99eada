package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.State;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.internal.fleet.Observation;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/** The fleet rules that have to do with time, each broken in turn, by what is wrong with them. */
final class TimeMutants {

  private TimeMutants() {}

  static void add(Mutants mutants) {
    soak(mutants);
    observations(mutants);
    gone(mutants);
    mutants.add(Scenarios.RESTORED, "held: never", held(expiry -> 0L));
    mutants.add(Scenarios.RESTORED, "held: for half the expiry", held(expiry -> expiry / 2));
    mutants.add(Scenarios.PEOPLE, "held: for ever", held(expiry -> Long.MAX_VALUE));
    mutants.add(Scenarios.PEOPLE, "draining: never", draining(false));
    mutants.add(Scenarios.SMALL, "draining: for ever", draining(true));
    warm(mutants);
  }

  private static void soak(Mutants mutants) {
    mutants.add(
        Scenarios.FROZEN,
        "fitSince: changes of the fleet are ignored",
        new FleetRules() {
          @Override
          public OptionalLong fitSince(
              OptionalLong stored, boolean fleetFits, long now, long fleetChanged) {
            return super.fitSince(stored, fleetFits, now, 0);
          }
        });
    mutants.add(
        Scenarios.FROZEN,
        "resetsSoak: never",
        new FleetRules() {
          @Override
          public boolean resetsSoak(Span chosen, State pair) {
            return false;
          }
        });
    mutants.add(Scenarios.FROZEN, "soakLeft: nothing", soakLeft(left -> 0L));
    mutants.add(
        Scenarios.PEOPLE, "soakLeft: always something", soakLeft(left -> Math.max(1, left)));
  }

  private static FleetRules soakLeft(UnaryOperator<Long> change) {
    return new FleetRules() {
      @Override
      public long soakLeft(OptionalLong fitSince, long now, long soak) {
        return change.apply(super.soakLeft(fitSince, now, soak));
      }
    };
  }

  private static void observations(Mutants mutants) {
    mutants.add(
        Scenarios.OUTAGE,
        "observe: another observer's time is added",
        new FleetRules() {
          @Override
          public Observation observe(
              Observation stored, String counter, String observer, long since, long longestGap) {
            Observation own = new Observation(stored.counter(), observer, stored.stillMillis());
            return super.observe(own, counter, observer, since, longestGap);
          }
        });
    mutants.add(
        Scenarios.OUTAGE,
        "observe: a gap counts as watching",
        new FleetRules() {
          @Override
          public Observation observe(
              Observation stored, String counter, String observer, long since, long longestGap) {
            return super.observe(stored, counter, observer, since, Long.MAX_VALUE);
          }
        });
    mutants.add(
        Scenarios.OUTAGE,
        "observe: a counter that moved doesn't start the count anew",
        new FleetRules() {
          @Override
          public Observation observe(
              Observation stored, String counter, String observer, long since, long longestGap) {
            Observation same = new Observation(counter, stored.observer(), stored.stillMillis());
            return super.observe(same, counter, observer, since, longestGap);
          }
        });
  }

  private static void gone(Mutants mutants) {
    mutants.add(Scenarios.OUTAGE, "gone: without any expiry", gone(expiry -> 0L));
    mutants.add(Scenarios.OUTAGE, "gone: after half the expiry", gone(expiry -> expiry / 2));
    mutants.add(Scenarios.RESTORED, "gone: never", gone(expiry -> Long.MAX_VALUE));
    mutants.add(
        Scenarios.SESSIONS,
        "gone: although a session is open",
        new FleetRules() {
          @Override
          public boolean gone(Observation observation, boolean sessionLeft, long expiry) {
            return super.gone(observation, false, expiry);
          }
        });
  }

  private static FleetRules gone(UnaryOperator<Long> change) {
    return new FleetRules() {
      @Override
      public boolean gone(Observation observation, boolean sessionLeft, long expiry) {
        return super.gone(observation, sessionLeft, change.apply(expiry));
      }
    };
  }

  private static FleetRules held(UnaryOperator<Long> change) {
    return new FleetRules() {
      @Override
      public boolean held(Observation observation, long expiry) {
        return super.held(observation, change.apply(expiry));
      }
    };
  }

  private static FleetRules draining(boolean counted) {
    return new FleetRules() {
      @Override
      public boolean draining(long sinceClose, long drain) {
        return counted;
      }
    };
  }

  private static void warm(Mutants mutants) {
    mutants.add(
        Scenarios.SMALL,
        "warm: never",
        new FleetRules() {
          @Override
          public boolean warm(long sinceLastMember, long horizon, boolean superseded) {
            return false;
          }
        });
    mutants.add(
        Scenarios.SMALL,
        "warm: not within the horizon",
        new FleetRules() {
          @Override
          public boolean warm(long sinceLastMember, long horizon, boolean superseded) {
            return !superseded;
          }
        });
    mutants.add(
        Scenarios.SMALL,
        "warm: only within the horizon",
        new FleetRules() {
          @Override
          public boolean warm(long sinceLastMember, long horizon, boolean superseded) {
            return super.warm(sinceLastMember, horizon, true);
          }
        });
    mutants.add(
        Scenarios.SMALL,
        "warm: for ever",
        new FleetRules() {
          @Override
          public boolean warm(long sinceLastMember, long horizon, boolean superseded) {
            return true;
          }
        });
  }
}
