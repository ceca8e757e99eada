package dev.zerodowntime.orchestrator;

/**
 * One movement between neighbouring phases.
 *
 * @param from the phase it starts in
 * @param to the phase it leads to
 * @param direction which way
 */
public record Transition(int from, int to, Direction direction) {}
