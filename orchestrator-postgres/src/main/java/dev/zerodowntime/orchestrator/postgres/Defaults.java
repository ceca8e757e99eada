package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Facts;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A column's default: its own, or the one that its domain brings, now or one day. Without an own
 * default the domain's counts, so "none" has to be said there as an own default of NULL, which
 * PostgreSQL keeps for domains.
 *
 * @param own the column's own default as SQL; a constant NULL counts for domains only
 * @param ofDomain whether the column's type is a domain
 * @param effective what a row gets that omits the column; null where that is NULL
 */
record Defaults(@Nullable String own, boolean ofDomain, @Nullable String effective) {

  /** What rows get that omit the column; absent where that is NULL. */
  static final String EFFECTIVE = "default";

  /** The column's own default. */
  static final String OWN = "ownDefault";

  /** Whether the type is a domain. */
  static final String OF_DOMAIN = "ofDomain";

  /** As pg_get_expr prints a null, such as {@code NULL::character varying}. */
  private static final String CONSTANT_NULL = "NULL::";

  private static final String NULL_THERE =
      "EXISTS (SELECT 1 FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum ="
          + " a.attnum AND pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '"
          + CONSTANT_NULL
          + "%')";

  /** From what the catalog has, as SQL. */
  static Defaults of(@Nullable String own, @Nullable String domains, boolean ofDomain) {
    String effective = own != null ? own : domains;
    return new Defaults(
        own != null && isNull(own) && !ofDomain ? null : own,
        ofDomain,
        effective == null || isNull(effective) ? null : effective);
  }

  /** From facts. */
  static Defaults of(Map<String, Object> facts) {
    boolean ofDomain = Facts.flag(facts, OF_DOMAIN);
    String effective = Facts.text(facts, EFFECTIVE);
    return new Defaults(ofDomain ? Facts.text(facts, OWN) : effective, ofDomain, effective);
  }

  private static boolean isNull(String sql) {
    return sql.startsWith(CONSTANT_NULL);
  }

  /** Into facts. */
  void note(Map<String, Object> facts) {
    if (effective != null) {
      facts.put(EFFECTIVE, effective);
    }
    if (ofDomain) {
      facts.put(OF_DOMAIN, true);
      if (own != null) {
        facts.put(OWN, own);
      }
    }
  }

  /** What follows ADD COLUMN's type: rows that are there, and new ones, get no value. */
  String added() {
    return ofDomain ? " DEFAULT NULL" : "";
  }

  /** The action on a column that leaves rows without a value. */
  String none() {
    return ofDomain ? "SET DEFAULT NULL" : "DROP DEFAULT";
  }

  /** The action on a column that gives it the default as it was found. */
  String real() {
    return own == null ? "DROP DEFAULT" : "SET DEFAULT " + own;
  }

  /** Whether rows are left without a value, as a condition on {@code pg_attribute a}. */
  String isNone() {
    return ofDomain ? NULL_THERE : "(NOT a.atthasdef OR " + NULL_THERE + ")";
  }

  /** Whether there is an own default that gives a value, as a condition on the same. */
  static String isOwn() {
    return "(a.atthasdef AND NOT " + NULL_THERE + ")";
  }

  /** Whether the default is there as it was found, as a condition on the same. */
  String isReal() {
    return own == null ? "NOT a.atthasdef" : isNull(own) ? NULL_THERE : isOwn();
  }
}
