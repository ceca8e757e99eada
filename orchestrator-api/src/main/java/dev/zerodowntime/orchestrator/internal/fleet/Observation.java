package dev.zerodowntime.orchestrator.internal.fleet;

/**
 * What drivers have seen of something that should move.
 *
 * @param counter its last known value
 * @param observer who looked last
 * @param stillMillis for how long it was watched standing still
 */
public record Observation(String counter, String observer, long stillMillis) {}
