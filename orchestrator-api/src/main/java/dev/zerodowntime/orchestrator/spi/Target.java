package dev.zerodowntime.orchestrator.spi;

/**
 * Where a migration happens.
 *
 * @param id the migration's id
 * @param schema the target schema, resolved, unquoted
 * @param controlSchema the schema of the control tables, where helper functions live, unquoted
 */
public record Target(String id, String schema, String controlSchema) {}
