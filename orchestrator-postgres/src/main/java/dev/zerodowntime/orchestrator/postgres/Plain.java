package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.NetTarget;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Statements as a person writes them: names are quoted where they must be, and carry the schema
 * where it isn't the one that scripts run in.
 *
 * @param target where the statements will run
 */
record Plain(NetTarget target) {

  private static final Pattern BARE = Pattern.compile("[a-z_][a-z0-9_]*");

  /** What can't be a column's or a table's name without quotes, in any supported version. */
  static final Set<String> RESERVED =
      Set.of(
          ("all analyse analyze and any array as asc asymmetric authorization binary both case cast"
                  + " check collate collation column concurrently constraint create cross"
                  + " current_catalog current_date current_role current_schema current_time"
                  + " current_timestamp current_user default deferrable desc distinct do else end"
                  + " except false fetch for foreign freeze from full grant group having ilike in"
                  + " initially inner intersect into is isnull join lateral leading left like limit"
                  + " localtime localtimestamp natural not notnull null offset on only or order"
                  + " outer overlaps placing primary references returning right select session_user"
                  + " similar some symmetric system_user table tablesample then to trailing true"
                  + " union unique user using variadic verbose when where window with")
              .split(" "));

  /** A name, quoted if it must be. */
  static String name(String name) {
    return BARE.matcher(name).matches() && !RESERVED.contains(name) ? name : Sql.quote(name);
  }

  static String names(List<String> names) {
    return names.stream().map(Plain::name).collect(Collectors.joining(", "));
  }

  /** A table, an index or a type of the target schema. */
  String in(String name) {
    return in(target.schema(), name);
  }

  /** The same of another schema, which always has to be said. */
  String in(String schema, String name) {
    return (target.qualified() || !schema.equals(target.schema()) ? name(schema) + "." : "")
        + name(name);
  }

  /** A name that the catalog gave with its schema, both quoted. */
  String of(String qualified) {
    String prefix = Sql.quote(target.schema()) + ".";
    return qualified.startsWith(prefix)
        ? in(qualified.substring(prefix.length() + 1, qualified.length() - 1).replace("\"\"", "\""))
        : qualified;
  }

  String alter(String table, String action) {
    return "ALTER TABLE " + in(table) + " " + action;
  }

  String alterColumn(String table, String column, String action) {
    return alter(table, "ALTER COLUMN " + name(column) + " " + action);
  }

  String renameColumn(String table, String from, String to) {
    return alter(table, "RENAME COLUMN " + name(from) + " TO " + name(to));
  }

  /**
   * A constraint.
   *
   * @param there whether the migration found one of that name: a new database may have it or not
   */
  String addConstraint(String table, boolean there, String name, String definition) {
    return alter(
        table,
        (there ? "DROP CONSTRAINT IF EXISTS " + name(name) + ", " : "")
            + "ADD CONSTRAINT "
            + name(name)
            + " "
            + definition);
  }
}
