package dev.zerodowntime.orchestrator.internal.flyway;

import java.util.Set;

/**
 * A migration that is under way, and what it changes.
 *
 * @param id its id
 * @param tables every name that its table has on the way, unquoted
 * @param columns where the new shape is there, and only these are still its own; else empty
 * @param where how far it has come, for messages
 */
public record Unfinished(String id, Set<String> tables, Set<String> columns, String where) {}
