package dev.zerodowntime.orchestrator.mysql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads and changes the definition of a column as the server writes it: words, quoted texts and
 * parentheses, of which the server never leaves one out.
 */
final class ColumnText {

  private ColumnText() {}

  /** Its words; what is in parentheses is part of the word before, or one of its own. */
  static List<String> words(String definition) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    int depth = 0;
    for (int i = 0; i < definition.length(); i++) {
      char c = definition.charAt(i);
      if (c == '\'' || c == '`' || c == '"') {
        int from = i;
        i++;
        while (definition.charAt(i) != c) {
          i += definition.charAt(i) == '\\' && c != '`' ? 2 : 1;
        }
        word.append(definition, from, i + 1);
      } else if (c == ' ' && depth == 0) {
        add(words, word);
      } else {
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        word.append(c);
      }
    }
    add(words, word);
    return words;
  }

  private static void add(List<String> words, StringBuilder word) {
    if (!word.isEmpty()) {
      words.add(word.toString());
      word.setLength(0);
    }
  }

  /** Whether a column's value is computed by the server. */
  static boolean generated(String definition) {
    return words(definition).stream()
        .map(each -> each.toUpperCase(Locale.ROOT))
        .anyMatch(each -> each.equals("GENERATED") || each.equals("VIRTUAL"));
  }

  /** Whether a text has a name in it, in quotes or not. */
  static boolean mentions(String text, String name) {
    return Pattern.compile(
            "(?<![\\p{L}\\p{N}_$])" + Pattern.quote(name) + "(?![\\p{L}\\p{N}_$])",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE)
        .matcher(text.replace("``", "`"))
        .find();
  }

  /**
   * The default.
   *
   * @return SQL that SET DEFAULT takes; null where there is none, or it is NULL
   */
  static @Nullable String defaultOf(String definition) {
    List<String> words = words(definition);
    int at = words.indexOf("DEFAULT");
    if (at < 0 || words.get(at + 1).equals("NULL")) {
      return null;
    }
    return words.get(at + 1);
  }

  /** The type, with all that belongs to it: signedness, character set. */
  static String typeOf(String definition) {
    List<String> words = words(definition);
    return String.join(" ", words.subList(0, afterType(words, words.indexOf("DEFAULT"))))
        .replaceFirst(" (NOT )?NULL$", "");
  }

  /** The comment, quoted, with its keyword; empty where there is none. */
  static String commentOf(String definition) {
    List<String> words = words(definition);
    int at = words.indexOf("COMMENT");
    return at < 0 ? "" : " COMMENT " + words.get(at + 1);
  }

  /** The same column without the check that MariaDB keeps with it. */
  static String withoutCheck(String definition) {
    List<String> words = words(definition);
    int at = words.lastIndexOf("CHECK");
    return at < 0 ? definition : String.join(" ", words.subList(0, at));
  }

  /** What that check demands; null where there is none. */
  static @Nullable CheckText checkOf(String definition) {
    List<String> words = words(definition);
    int at = words.lastIndexOf("CHECK");
    if (at < 0 || at + 1 >= words.size()) {
      return null;
    }
    String text = String.join(" ", words.subList(at + 1, words.size()));
    return new CheckText(text.substring(1, text.length() - 1));
  }

  /** The same column with another default, or without. */
  static String withDefault(String definition, @Nullable String sql) {
    List<String> words = words(definition);
    int at = words.indexOf("DEFAULT");
    if (at >= 0) {
      words.remove(at + 1);
      words.remove(at);
    } else {
      at = afterType(words, -1);
      while (at < words.size() && (words.get(at).equals("NOT") || words.get(at).equals("NULL"))) {
        at++;
      }
    }
    if (sql != null) {
      words.add(at, "DEFAULT " + sql);
    }
    return String.join(" ", words);
  }

  /** The same column, NOT NULL or not. Where it had no default but NULL, it gets none. */
  static String withNotNull(String definition, boolean notNull) {
    List<String> words = words(definition);
    int not = words.indexOf("NOT");
    if (not >= 0 && words.get(not + 1).equals("NULL")) {
      words.remove(not + 1);
      words.remove(not);
    } else {
      int at = words.indexOf("NULL");
      if (at > 0 && !words.get(at - 1).equals("DEFAULT")) {
        words.remove(at);
      }
    }
    int place = words.indexOf("DEFAULT");
    if (notNull && place >= 0 && words.get(place + 1).equals("NULL")) {
      words.remove(place + 1);
      words.remove(place);
      place = -1;
    }
    words.add(afterType(words, place), notNull ? "NOT NULL" : "NULL");
    return String.join(" ", words);
  }

  /** Before the first word that is no part of the type. */
  private static int afterType(List<String> words, int defaultAt) {
    for (int i = 1; i < words.size(); i++) {
      if (i == defaultAt
          || List.of("AUTO_INCREMENT", "COMMENT", "ON", "INVISIBLE", "/*!80023", "CHECK")
              .contains(words.get(i))) {
        return i;
      }
    }
    return words.size();
  }
}
