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

  private static final String EXECUTED_COMMENT = "/*!";

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
    if (text.contains(EXECUTED_COMMENT)) {
      // What MySQL runs although it looks like a comment.
      named.addAll(text);
      return named;
    }
    try {
      for (Statement statement : Statement.of(text)) {
        boolean code = runsText(statement);
        statement.tokens().forEach(each -> named.add(each, code));
      }
    } catch (SqlTextException e) {
      // Where comments begin is not known either.
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

  /** Whether strings in it are statements, or bodies of functions. */
  private static boolean runsText(Statement statement) {
    String first = statement.tokens().get(0).text();
    return first.equals("do")
        || first.equals("prepare")
        || first.equals("execute")
        || (first.equals("create")
            && statement.tokens().stream()
                .anyMatch(each -> each.word("function") || each.word("procedure")));
  }

  private void add(Token token, boolean code) {
    switch (token.kind()) {
      case WORD -> words.add(token.text().toLowerCase(Locale.ROOT));
      case QUOTED -> {
        quoted.add(token.text());
        // MySQL finds columns in whatever case.
        words.add(token.text().toLowerCase(Locale.ROOT));
      }
      case TEXT -> {
        if (code || token.text().startsWith("$")) {
          addAll(COMMENT.matcher(token.text()).replaceAll(" "));
        }
      }
      default -> {
        // Names nothing.
      }
    }
  }

  private void addAll(String text) {
    Matcher matcher = WORD.matcher(text);
    while (matcher.find()) {
      quoted.add(matcher.group());
      words.add(matcher.group().toLowerCase(Locale.ROOT));
    }
  }
}
