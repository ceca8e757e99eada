package dev.zerodowntime.orchestrator.spi;

/**
 * A database server, as found.
 *
 * @param version its version, for messages
 * @param identity what stays the same over restarts and fail-overs, and differs between servers
 * @param incarnation what changes with every restart, fail-over and restore
 * @param schema the connection's current schema
 * @param directSessions whether a session stays the same from one transaction to the next; false
 *     behind a pooler in transaction mode
 */
public record ServerInfo(
    String version, String identity, String incarnation, String schema, boolean directSessions) {}
