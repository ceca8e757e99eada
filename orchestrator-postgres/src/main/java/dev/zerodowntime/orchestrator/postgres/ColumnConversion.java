package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import java.util.ArrayList;
import java.util.List;

/**
 * How the values of two columns of different types become each other. Each expression of the author
 * is the body of a function, so that it means the same wherever it is evaluated, and its result is
 * assigned as a column's value would be: a text that is too long fails, and is not cut off.
 *
 * @param change what the author declared
 * @param schema the control schema, unquoted
 * @param hash names the migration
 * @param facts the old column
 */
record ColumnConversion(ChangeColumnType change, String schema, String hash, ColumnFacts facts) {

  /** Whether the columns have different types. */
  static final String CONVERTS = "converts";

  /** The new column's type, as the server prints it. */
  static final String TYPE = "newType";

  /** The new column's default. */
  static final String DEFAULT = "newDefault";

  /** Where expressions look names up: quoted names of schemas. */
  static final String PATH = "path";

  /** Whether a change of the catalog would be enough. */
  static final String WIDENS = "widens";

  private String upFunction() {
    return Sql.qualified(schema, "change_up_" + hash);
  }

  private String downFunction() {
    return Sql.qualified(schema, "change_down_" + hash);
  }

  private String isUpFunction() {
    return Sql.qualified(schema, "change_is_up_" + hash);
  }

  /** The new column's value for the old one's. */
  String up(String value) {
    return upFunction() + "(" + value + ")";
  }

  /** The old column's value for the new one's. */
  String down(String value) {
    return downFunction() + "(" + value + ")";
  }

  /**
   * Whether two values correspond, as their images do: one of them is what the other converts to.
   * Which one was written isn't known; neither conversion need be the exact reverse of the other.
   */
  String correspond(String old, String fresh) {
    return "CASE WHEN "
        + isUp(old, fresh)
        + " THEN true ELSE pg_catalog.record_image_eq(ROW("
        + old
        + "), ROW("
        + down(fresh)
        + ")) END";
  }

  /** Whether the new value is what the old one converts to; false where that fails. */
  String isUp(String old, String fresh) {
    return isUpFunction() + "(" + old + ", " + fresh + ")";
  }

  /** Makes them. */
  List<String> create() {
    List<String> sql = new ArrayList<>();
    sql.addAll(
        function("up", upFunction(), change.from(), facts.type(), facts.newType(), change.up()));
    sql.addAll(
        function(
            "down", downFunction(), change.to(), facts.newType(), facts.type(), change.down()));
    sql.addAll(isUp());
    return sql;
  }

  private List<String> isUp() {
    String signature = isUpFunction() + "(" + facts.type() + ", " + facts.newType() + ")";
    return List.of(
        "CREATE OR REPLACE FUNCTION "
            + signature
            + " RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER "
            + path()
            + " AS "
            + Sql.literal(
                "BEGIN\n  RETURN pg_catalog.record_image_eq(ROW($2), ROW("
                    + up("$1")
                    + "));\nEXCEPTION WHEN OTHERS THEN\n  RETURN false;\nEND"),
        "REVOKE ALL ON FUNCTION " + signature + " FROM PUBLIC");
  }

  /** Drops them, once nothing calls them. */
  List<String> drop() {
    return List.of(
        "DROP FUNCTION IF EXISTS "
            + isUpFunction()
            + "("
            + facts.type()
            + ", "
            + facts.newType()
            + ")",
        "DROP FUNCTION IF EXISTS " + upFunction() + "(" + facts.type() + ")",
        "DROP FUNCTION IF EXISTS " + downFunction() + "(" + facts.newType() + ")");
  }

  private List<String> function(
      String what, String name, String column, String type, String result, String expression) {
    String body =
        "#variable_conflict use_column\nDECLARE\n  zdo_result "
            + result
            + ";\nBEGIN\n  SELECT ("
            + expression
            + ") INTO zdo_result FROM (SELECT $1 AS "
            + Sql.quote(column)
            + ") AS "
            + Sql.quote(change.table())
            + ";\n"
            + (facts.notNull()
                ? "  IF pg_catalog.num_nulls($1, zdo_result) = 1 AND pg_catalog.num_nulls($1) = 0 THEN\n    RAISE EXCEPTION "
                    + Sql.literal("expression " + what + " yields NULL, and the column is NOT NULL")
                    + ";\n  END IF;\n"
                : "")
            + "  RETURN zdo_result;\nEND";
    return List.of(
        "CREATE OR REPLACE FUNCTION "
            + name
            + "("
            + type
            + ") RETURNS "
            + result
            + " LANGUAGE plpgsql SECURITY DEFINER "
            + path()
            + " AS "
            + Sql.literal(body),
        "REVOKE ALL ON FUNCTION " + name + "(" + type + ") FROM PUBLIC");
  }

  /** The setting of functions that were declared here. */
  String path() {
    List<String> path = new ArrayList<>(facts.texts(PATH));
    path.add("pg_temp");
    return "SET search_path = " + String.join(", ", path);
  }
}
