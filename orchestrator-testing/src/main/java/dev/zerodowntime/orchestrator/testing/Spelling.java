package dev.zerodowntime.orchestrator.testing;

/** How a database product spells what all of them can. */
public interface Spelling {

  /** A type for short texts, which keys may be made of. */
  String text();

  /** The type of a key that numbers itself. */
  String numbered();

  /** Expressions as one text. */
  String concat(String... parts);

  /**
   * A table of whole numbers with one column, {@code i}, for a FROM clause; at most a thousand of
   * them.
   */
  String numbers(long from, long to);

  /** How much a name may have, in the server's unit. */
  int longestName();

  /** An identifier, whatever is in it. */
  String quoted(String name);

  /** A text, whatever is in it. */
  String literal(String text);

  /**
   * What follows an INSERT that is to change the row that has the same key already.
   *
   * @param key the column that no two rows have the same value in
   * @param column the one that takes the value that was to be inserted
   */
  String orUpdate(String key, String column);

  /** An INSERT of a key that may be there already. */
  String insertOnce(String table, String key, String value);
}
