package dev.zerodowntime.orchestrator.internal.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * One statement.
 *
 * @param text as it was written, without the semicolon
 * @param tokens its tokens, one at least
 */
public record Statement(String text, List<Token> tokens) {

  private static final Set<String> CREATED = Set.of("function", "procedure");

  private static final Set<String> ALGORITHMS = Set.of("instant", "inplace", "nocopy");

  private static final Set<String> DATA =
      Set.of(
          "insert", "update", "delete", "merge", "copy", "select", "with", "values", "table", "do",
          "call", "execute");

  /**
   * Cuts a text into statements.
   *
   * @param text SQL, in which {@code {schema}} stands for a schema
   * @return its statements, as they were written; none if there is nothing but comments
   * @throws SqlTextException if something in it has no end
   */
  public static List<Statement> of(String text) {
    return new Tokenizer(text.replace("{schema}", ObjectName.TARGET)).run();
  }

  /** The statement with {@code {schema}} in it again. */
  @Override
  public String text() {
    return text.replace(ObjectName.TARGET, "{schema}");
  }

  static boolean makesRoutine(List<Token> tokens) {
    if (tokens.size() < 2 || !tokens.get(0).word("create")) {
      return false;
    }
    int kind = tokens.get(1).word("or") ? 3 : 1;
    return kind < tokens.size() && CREATED.contains(tokens.get(kind).text());
  }

  static boolean makesTrigger(List<Token> tokens) {
    return tokens.get(0).word("create")
        && tokens.subList(0, Math.min(8, tokens.size())).stream()
            .anyMatch(each -> each.word("trigger"));
  }

  /**
   * Whether it says how a MySQL has to carry it out, which then refuses rather than to do it
   * another way.
   */
  public boolean saysAlgorithm() {
    int at = find("algorithm");
    return starts("alter", "table")
        && at >= 0
        && at + 2 < tokens.size()
        && tokens.get(at + 1).symbol('=')
        && ALGORITHMS.contains(tokens.get(at + 2).text());
  }

  /** Whether it says that nobody may have to wait, which only a MySQL can be told. */
  public boolean saysNoLock() {
    int at = find("lock");
    return saysAlgorithm()
        && at >= 0
        && at + 2 < tokens.size()
        && tokens.get(at + 1).symbol('=')
        && tokens.get(at + 2).word("none");
  }

  /** Whether it begins with these keywords. */
  public boolean starts(String... words) {
    return at(0, words);
  }

  /** Whether these keywords are at a place. */
  public boolean at(int place, String... words) {
    return at(tokens, place, words);
  }

  static boolean at(List<Token> tokens, int place, String... words) {
    if (place < 0 || place + words.length > tokens.size()) {
      return false;
    }
    for (int i = 0; i < words.length; i++) {
      if (!tokens.get(place + i).word(words[i])) {
        return false;
      }
    }
    return true;
  }

  /** Where keywords come first, outside of parentheses; -1 if nowhere. */
  public int find(String... words) {
    return find(tokens, words);
  }

  /** The same among other tokens, outside of further parentheses. */
  public static int find(List<Token> tokens, String... words) {
    int depth = tokens.isEmpty() ? 0 : tokens.get(0).depth();
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.get(i).depth() == depth && at(tokens, i, words)) {
        return i;
      }
    }
    return -1;
  }

  /** Whether keywords are there, outside of parentheses. */
  public boolean has(String... words) {
    return find(words) >= 0;
  }

  /** Whether keywords are anywhere. */
  public boolean mentions(String... words) {
    for (int i = 0; i < tokens.size(); i++) {
      if (at(i, words)) {
        return true;
      }
    }
    return false;
  }

  /** A place after keywords, if they are there. */
  public int skip(int place, String... words) {
    return at(place, words) ? place + words.length : place;
  }

  /** A name that may have its schema before it, and where it ends; null if there is none. */
  public @org.jspecify.annotations.Nullable Named name(int place) {
    return name(tokens, place);
  }

  /** The same among other tokens. */
  static @org.jspecify.annotations.Nullable Named name(List<Token> tokens, int place) {
    if (place < 0 || place >= tokens.size() || !tokens.get(place).name()) {
      return null;
    }
    Token first = tokens.get(place);
    boolean qualified =
        place + 2 < tokens.size()
            && tokens.get(place + 1).symbol('.')
            && tokens.get(place + 2).name();
    if (!qualified) {
      return new Named(ObjectName.of(first.text()), place + 1);
    }
    String schema = first.text().equals(ObjectName.TARGET) ? null : first.text();
    return new Named(new ObjectName(schema, tokens.get(place + 2).text()), place + 3);
  }

  /**
   * A name and the place after it.
   *
   * @param name the name
   * @param end the place
   */
  public record Named(ObjectName name, int end) {}

  /** Names separated by commas. */
  public List<ObjectName> names(int place) {
    List<ObjectName> names = new ArrayList<>();
    Named each = name(place);
    while (each != null) {
      names.add(each.name());
      each =
          each.end() < tokens.size() && tokens.get(each.end()).symbol(',')
              ? name(each.end() + 1)
              : null;
    }
    return names;
  }

  /** What is between commas outside of parentheses, from a place on. */
  public List<List<Token>> parts(int place) {
    List<List<Token>> parts = new ArrayList<>();
    List<Token> part = new ArrayList<>();
    for (Token token : tokens.subList(place, tokens.size())) {
      if (token.symbol(',') && token.depth() == 0) {
        parts.add(part);
        part = new ArrayList<>();
      } else {
        part.add(token);
      }
    }
    parts.add(part);
    return parts;
  }

  /** Every table after a REFERENCES. */
  public List<ObjectName> references() {
    List<ObjectName> names = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      Named named = tokens.get(i).word("references") ? name(i + 1) : null;
      if (named != null) {
        names.add(named.name());
      }
    }
    return names;
  }

  /** Whether it reads or changes rows, or calls code that may. */
  public boolean data() {
    return tokens.get(0).symbol('(') || DATA.contains(first());
  }

  /** Its first keyword. */
  public String first() {
    return tokens.get(0).kind() == Token.Kind.WORD ? tokens.get(0).text() : "";
  }

  /** For messages: its beginning. */
  public String shown() {
    String line = text().replaceAll("\\s+", " ");
    return line.length() > 120 ? line.substring(0, 117) + "..." : line;
  }
}
