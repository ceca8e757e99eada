package dev.zerodowntime.orchestrator.postgres;

import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A column's default: its own, or the one that its domain brings. Without an own default the
 * domain's counts, so "none" has to be said there as an own default of NULL, which PostgreSQL keeps
 * for domains.
 *
 * @param own the column's own default as SQL, unless it is a constant NULL
 * @param type whether the type brings one
 * @param effective what a row gets that omits the column
 */
record Defaults(@Nullable String own, boolean type, @Nullable String effective) {

  /** What rows get that omit the column; absent where that is NULL. */
  static final String EFFECTIVE = "default";

  /** The column's own default. */
  static final String OWN = "ownDefault";

  /** Whether the type brings a default. */
  static final String TYPE = "typeDefault";

  /** As pg_get_expr prints a null, such as {@code NULL::character varying}. */
  private static final Pattern CONSTANT_NULL = Pattern.compile("^NULL::");

  private static final String NULL_THERE =
      "EXISTS (SELECT 1 FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum ="
          + " a.attnum AND pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'NULL::%')";

  /** From what the catalog has, both as SQL. */
  static Defaults of(@Nullable String own, @Nullable String type) {
    String value = valued(own);
    String brought = valued(type);
    return new Defaults(value, brought != null, own == null ? brought : value);
  }

  private static @Nullable String valued(@Nullable String sql) {
    return sql == null || CONSTANT_NULL.matcher(sql).find() ? null : sql;
  }

  /** From facts. */
  static Defaults of(Map<String, Object> facts) {
    boolean type = Facts.flag(facts, TYPE);
    String effective = Facts.text(facts, EFFECTIVE);
    String own = Facts.text(facts, OWN);
    return new Defaults(own == null && !type ? effective : own, type, effective);
  }

  /** Into facts. */
  void note(Map<String, Object> facts) {
    if (effective != null) {
      facts.put(EFFECTIVE, effective);
    }
    if (own != null) {
      facts.put(OWN, own);
    }
    if (type) {
      facts.put(TYPE, true);
    }
  }

  /** What follows ADD COLUMN's type: rows that are there, and new ones, get no value. */
  String added() {
    return type ? " DEFAULT NULL" : "";
  }

  /** The action on a column that leaves rows without a value. */
  String none() {
    return type ? "SET DEFAULT NULL" : "DROP DEFAULT";
  }

  /** The action on a column that gives it the default as it was found. */
  String real() {
    if (own != null) {
      return "SET DEFAULT " + own;
    }
    return effective == null ? none() : "DROP DEFAULT";
  }

  /** Whether rows are left without a value, as a condition on {@code pg_attribute a}. */
  String isNone() {
    return "(" + (type ? "" : "NOT a.atthasdef OR ") + NULL_THERE + ")";
  }

  /** Whether there is an own default that gives a value, as a condition on the same. */
  static String isOwn() {
    return "(a.atthasdef AND NOT " + NULL_THERE + ")";
  }

  /** Whether the default is there as it was found, as a condition on the same. */
  String isReal() {
    if (own != null) {
      return isOwn();
    }
    return effective == null ? isNone() : "NOT a.atthasdef";
  }
}
