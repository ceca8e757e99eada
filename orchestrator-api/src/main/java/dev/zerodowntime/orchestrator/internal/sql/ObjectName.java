package dev.zerodowntime.orchestrator.internal.sql;

import org.jspecify.annotations.Nullable;

/**
 * The name of a table or the like, as a statement has it.
 *
 * @param schema its schema; null where the statement leaves it to the search path, or names the
 *     migration's own
 * @param name its name, unquoted
 */
public record ObjectName(@Nullable String schema, String name) {

  /** What {@code {schema}} is read as. */
  static final String TARGET = "zdo_target_schema";

  /**
   * A name in the migration's schema.
   *
   * @param name the name, unquoted
   * @return it
   */
  public static ObjectName of(String name) {
    return new ObjectName(null, name);
  }

  @Override
  public String toString() {
    return schema == null ? name : schema + "." + name;
  }
}
