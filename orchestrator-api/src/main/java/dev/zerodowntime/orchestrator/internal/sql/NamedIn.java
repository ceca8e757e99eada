package dev.zerodowntime.orchestrator.internal.sql;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names in a script: identifiers, and every word in the bodies of functions, where statements
 * may be put together from strings. Comments don't count, nor do other strings.
 */
public final class NamedIn {

  private static final Pattern WORD = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_$]*");

  private static final Pattern COMMENT = Pattern.compile("--[^\\n]*|(?s:/\\*.*?\\*/)");

  /** As they would be without quotes: in lower case. */
  private final Set<String> words = new HashSet<>();

  /** As they are. */
  private final Set<String> quoted = new HashSet<>();

  private NamedIn() {}

  /**
   * Reads a script. One that can't be taken apart is searched word by word.
   *
   * @param text the script
   * @return its names
   */
  public static NamedIn of(String text) {
    NamedIn named = new NamedIn();
    try {
      for (Statement statement : Statement.of(text)) {
        statement.tokens().forEach(named::add);
      }
    } catch (SqlTextException e) {
      named.addAll(text);
    }
    return named;
  }

  /**
   * Whether a table or the like is named, with or without quotes.
   *
   * @param name its name, unquoted
   * @return whether it is; without quotes, in whatever case
   */
  public boolean names(String name) {
    return quoted.contains(name) || words.contains(name.toLowerCase(Locale.ROOT));
  }

  private void add(Token token) {
    switch (token.kind()) {
      case WORD -> words.add(token.text().toLowerCase(Locale.ROOT));
      case QUOTED -> quoted.add(token.text());
      case TEXT -> {
        if (token.text().startsWith("$")) {
          addAll(token.text());
        }
      }
      default -> {
        // Names nothing.
      }
    }
  }

  private void addAll(String text) {
    Matcher matcher = WORD.matcher(COMMENT.matcher(text).replaceAll(" "));
    while (matcher.find()) {
      quoted.add(matcher.group());
      words.add(matcher.group().toLowerCase(Locale.ROOT));
    }
  }
}
