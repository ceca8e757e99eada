package dev.zerodowntime.orchestrator.internal.sql;

/**
 * A piece of SQL that means something.
 *
 * @param kind what it is
 * @param text a word in lower case, a quoted identifier without its quotes, or the piece itself
 * @param from where it begins in the text
 * @param to where it ends
 * @param depth in how many parentheses and brackets it is; they themselves are outside
 */
public record Token(Kind kind, String text, int from, int to, int depth) {

  /** What a token is. */
  public enum Kind {
    /** A keyword, or an identifier without quotes. */
    WORD,
    /** An identifier in quotes. */
    QUOTED,
    /** A string, in whatever notation. */
    TEXT,
    /** A number. */
    NUMBER,
    /** One character of an operator, a parenthesis, a comma. */
    SYMBOL
  }

  /** Whether it is this keyword; a quoted identifier never is. */
  public boolean word(String word) {
    return kind == Kind.WORD && text.equals(word);
  }

  /** Whether it is this character. */
  public boolean symbol(char character) {
    return kind == Kind.SYMBOL && text.charAt(0) == character;
  }

  /** Whether it can be the name of something. */
  public boolean name() {
    return kind == Kind.WORD || kind == Kind.QUOTED;
  }
}
