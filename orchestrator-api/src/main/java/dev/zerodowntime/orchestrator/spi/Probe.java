package dev.zerodowntime.orchestrator.spi;

/**
 * A question to the catalog whether something is there.
 *
 * @param sql a query of one row with one boolean
 */
public record Probe(String sql) {}
