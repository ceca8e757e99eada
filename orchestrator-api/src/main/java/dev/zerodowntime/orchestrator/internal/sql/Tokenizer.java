package dev.zerodowntime.orchestrator.internal.sql;

import dev.zerodowntime.orchestrator.internal.sql.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a text into tokens and statements as PostgreSQL does: nested comments, quoted identifiers,
 * strings in all notations, dollar quotes, and functions whose bodies have semicolons of their own;
 * beyond that, MySQL's backticks, and triggers whose bodies are blocks.
 */
final class Tokenizer {

  private final String text;
  private final List<Statement> statements = new ArrayList<>();
  private List<Token> tokens = new ArrayList<>();
  private int at;
  private int depth;

  /** How many {@code BEGIN ATOMIC} and {@code CASE} are open in the body of a function. */
  private int open;

  Tokenizer(String text) {
    this.text = text;
  }

  List<Statement> run() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (isSpace(c)) {
        at++;
      } else if (c == '-' && next('-')) {
        lineComment();
      } else if (c == '/' && next('*')) {
        blockComment();
      } else if (c == '\'') {
        string(at, false);
      } else if (c == '"' || (c == '`' && text.indexOf('`', at + 1) > 0)) {
        quoted(c);
      } else if (c == '$' && dollarQuoted()) {
        continue;
      } else if (isStart(c)) {
        word();
      } else if (isDigit(c)
          || (c == '.' && at + 1 < text.length() && isDigit(text.charAt(at + 1)))) {
        number();
      } else {
        symbol(c);
      }
    }
    if (depth > 0) {
      throw new SqlTextException("a parenthesis is not closed");
    }
    end(text.length());
    return List.copyOf(statements);
  }

  private boolean next(char c) {
    return at + 1 < text.length() && text.charAt(at + 1) == c;
  }

  private void lineComment() {
    while (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '\r') {
      at++;
    }
  }

  private void blockComment() {
    int from = at;
    int nested = 0;
    while (at < text.length()) {
      if (text.startsWith("/*", at)) {
        nested++;
        at += 2;
      } else if (text.startsWith("*/", at)) {
        nested--;
        at += 2;
        if (nested == 0) {
          return;
        }
      } else {
        at++;
      }
    }
    throw unclosed("comment", from);
  }

  /** At the quote. */
  private void string(int from, boolean escapes) {
    int quote = at;
    at++;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\\' && escapes) {
        at += 2;
      } else if (c == '\\' && next('\'')) {
        throw new SqlTextException(
            "a backslash before a quote means one thing or another, as"
                + " standard_conforming_strings says; write E'...' or a dollar quote");
      } else if (c == '\'' && next('\'')) {
        at += 2;
      } else if (c == '\'') {
        at++;
        add(Kind.TEXT, text.substring(from, at), from);
        return;
      } else {
        at++;
      }
    }
    throw unclosed("string", quote);
  }

  /** With double quotes, or with MySQL's backticks. */
  private void quoted(char quote) {
    int from = at;
    StringBuilder name = new StringBuilder();
    at++;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == quote && next(quote)) {
        name.append(quote);
        at += 2;
      } else if (c == quote) {
        at++;
        add(Kind.QUOTED, name.toString(), from);
        return;
      } else {
        name.append(c);
        at++;
      }
    }
    throw unclosed("quoted identifier", from);
  }

  private boolean dollarQuoted() {
    int end = at + 1;
    while (end < text.length()
        && (isStart(text.charAt(end)) || (end > at + 1 && isDigit(text.charAt(end))))) {
      end++;
    }
    if (end >= text.length() || text.charAt(end) != '$') {
      return false;
    }
    String tag = text.substring(at, end + 1);
    int close = text.indexOf(tag, end + 1);
    if (close < 0) {
      throw unclosed("dollar quote " + tag, at);
    }
    int from = at;
    at = close + tag.length();
    add(Kind.TEXT, text.substring(from, at), from);
    return true;
  }

  private void word() {
    int from = at;
    char c = text.charAt(at);
    if (next('\'') && "eEbBxXnN".indexOf(c) >= 0) {
      at++;
      string(from, c == 'e' || c == 'E');
      return;
    }
    if ((c == 'u' || c == 'U') && next('&') && at + 2 < text.length()) {
      char quote = text.charAt(at + 2);
      if (quote == '"' || quote == '\'') {
        throw new SqlTextException("names and strings that begin with U& are not understood here");
      }
    }
    while (at < text.length()
        && (isStart(text.charAt(at)) || isDigit(text.charAt(at)) || text.charAt(at) == '$')) {
      at++;
    }
    String word = lower(text.substring(from, at));
    add(Kind.WORD, word, from);
    if (word.equals("begin") && Statement.makesTrigger(tokens)) {
      // MySQL's: whatever is in it, nothing comes after it.
      open = 1;
    } else if (Statement.makesRoutine(tokens)) {
      boolean atomic =
          word.equals("atomic") && tokens.size() > 1 && tokens.get(tokens.size() - 2).word("begin");
      if (atomic || (open > 0 && word.equals("case"))) {
        open++;
      } else if (open > 0 && word.equals("end")) {
        open--;
      }
    }
  }

  private void number() {
    int from = at;
    while (at < text.length()
        && (isDigit(text.charAt(at)) || isStart(text.charAt(at)) || text.charAt(at) == '.')) {
      at++;
    }
    add(Kind.NUMBER, text.substring(from, at), from);
  }

  private void symbol(char c) {
    if (c == ';' && depth == 0 && open == 0) {
      end(at);
      at++;
      return;
    }
    boolean closes = c == ')' || c == ']';
    if (closes && --depth < 0) {
      throw new SqlTextException("a parenthesis is closed that was not opened");
    }
    at++;
    add(Kind.SYMBOL, String.valueOf(c), at - 1);
    if (c == '(' || c == '[') {
      depth++;
    }
  }

  private void add(Kind kind, String token, int from) {
    tokens.add(new Token(kind, token, from, at, depth));
  }

  private void end(int to) {
    if (!tokens.isEmpty()) {
      statements.add(
          new Statement(text.substring(tokens.get(0).from(), to).strip(), List.copyOf(tokens)));
    }
    tokens = new ArrayList<>();
    open = 0;
  }

  /** As the server does: letters beyond ASCII stay as they are. */
  private static String lower(String word) {
    StringBuilder lower = new StringBuilder(word);
    for (int i = 0; i < lower.length(); i++) {
      char c = lower.charAt(i);
      if (c >= 'A' && c <= 'Z') {
        lower.setCharAt(i, (char) (c + ('a' - 'A')));
      }
    }
    return lower.toString();
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == 0x0B;
  }

  private static boolean isStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static SqlTextException unclosed(String what, int from) {
    return new SqlTextException("a " + what + " that begins at character " + from + " has no end");
  }
}
