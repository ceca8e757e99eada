package dev.zerodowntime.samples.rollingdeploy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What came of a run.
 *
 * @param requests sent
 * @param failed of these
 * @param users written
 * @param differ users that are lost, or hold other values than were written
 * @param served the releases that have served, in their order
 * @param eitherEntities the entities with which release 3 has served
 */
record Verdict(
    long requests,
    long failed,
    int users,
    int differ,
    List<Integer> served,
    Set<String> eitherEntities) {

  private static final List<Integer> ALL = List.of(1, 2, 3, 4, 3, 4, 5);
  private static final Set<String> BOTH_ENTITIES = Set.of("UserByName", "UserByFullName");

  /** With fewer the run has proved nothing. */
  private static final long ENOUGH_REQUESTS = 1_000;

  /** Why this proves nothing, or the contrary; empty if it holds. */
  List<String> objections() {
    List<String> objections = new ArrayList<>();
    if (failed > 0) {
      objections.add(failed + " requests have failed");
    }
    if (differ > 0) {
      objections.add(differ + " users are lost, or hold other values than were written");
    }
    if (requests < ENOUGH_REQUESTS || users == 0) {
      objections.add("too little was tried");
    }
    if (!served.equals(ALL)) {
      objections.add("releases " + served + " have served instead of " + ALL);
    }
    if (!eitherEntities.equals(BOTH_ENTITIES)) {
      objections.add("release 3 has not served both sides of the rename: " + eitherEntities);
    }
    return objections;
  }

  String line(long slowestMillis) {
    return "proof: requests=%d failed=%d slowest_ms=%d users=%d differ=%d releases=%s"
        .formatted(
            requests,
            failed,
            slowestMillis,
            users,
            differ,
            served.stream().map(String::valueOf).collect(Collectors.joining(",")));
  }
}
