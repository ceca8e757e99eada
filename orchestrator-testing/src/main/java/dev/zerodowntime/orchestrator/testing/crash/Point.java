package dev.zerodowntime.orchestrator.testing.crash;

import java.util.regex.Pattern;

/**
 * One statement on its way to the server. Known by its text and by how many of the same text went
 * before it, so that a run that differs by a heartbeat still finds it again.
 *
 * @param sql the statement, without the figures that differ from run to run
 * @param occurrence which of those with this text, from 1
 * @param effect what becomes of it if its session ends right after it
 */
record Point(String sql, int occurrence, Effect effect) {

  /** What a statement leaves behind. */
  enum Effect {
    /** It only reads. */
    NONE,
    /** It changes or locks something in a transaction that is still open. */
    UNDONE,
    /** It is DDL in such a transaction. */
    DDL,
    /** It commits, but says no more than that somebody lives: a heartbeat, the lease. */
    ALIVE,
    /** It commits, by itself or what went before it. */
    LASTING
  }

  private static final Pattern UUID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final Pattern DATABASE = Pattern.compile("crash_[0-9a-z]+_[0-9]+");
  private static final Pattern FIGURES = Pattern.compile("\\d{5,}");
  private static final Pattern PURE =
      Pattern.compile(
          "^(/\\*.*?\\*/\\s*)?(SELECT|SHOW|SET|WITH|jdbc)\\b", Pattern.CASE_INSENSITIVE);
  private static final Pattern EFFECT =
      Pattern.compile(
          "advisory|GET_LOCK|RELEASE_LOCK|RELEASE_ALL_LOCKS|^(/\\*.*?\\*/\\s*)?WITH .*\\b(UPDATE|INSERT|DELETE) ",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern IS_DDL =
      Pattern.compile(
          "^(/\\*.*?\\*/\\s*)?(CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT)\\b",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern LIFE =
      Pattern.compile("^UPDATE \\S+?[.`\"](zdo_)?(lease|member)\\b");

  /** What a statement leaves behind. */
  static Effect effect(String text, boolean inTransaction) {
    if (pure(text)) {
      return Effect.NONE;
    }
    if (!inTransaction) {
      return LIFE.matcher(text).find() ? Effect.ALIVE : Effect.LASTING;
    }
    if (text.startsWith("COMMENT ON")) {
      return Effect.NONE; // Many, all alike, and part of a table that counts.
    }
    boolean ddl = IS_DDL.matcher(text).find();
    return ddl ? Effect.DDL : Effect.UNDONE;
  }

  /** The text that is the same in every run. */
  static String text(String sql) {
    String plain = DATABASE.matcher(UUID.matcher(sql).replaceAll("#")).replaceAll("crash");
    plain = FIGURES.matcher(plain).replaceAll("#");
    return plain.replaceAll("\\s+", " ").trim();
  }

  /** Whether a statement only reads. Where that can't be seen at once, it does not. */
  private static boolean pure(String sql) {
    return PURE.matcher(sql).find() && !EFFECT.matcher(sql).find();
  }

  /**
   * Whether how often it comes depends on the clock: signs of life, notes of how long somebody has
   * been silent, and what is read between them. Such a cut may be impossible in a faster run; that
   * every such text is cut somewhere is checked over all runs.
   */
  boolean byTheClock() {
    return effect == Effect.ALIVE || effect == Effect.NONE || LIFE.matcher(sql).find();
  }

  boolean same(Point other) {
    return occurrence == other.occurrence && sql.equals(other.sql);
  }

  @Override
  public String toString() {
    String shown = sql.length() > 110 ? sql.substring(0, 110) + "…" : sql;
    return occurrence == 1 ? shown : shown + " (no. " + occurrence + ")";
  }
}
