package dev.zerodowntime.orchestrator.internal.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes JSON as maps, lists, strings, longs, doubles and booleans.
 *
 * <p>Written here because the documents are small and ours, and a library that is embedded
 * everywhere should not bring a JSON library of one particular version along.
 */
public final class Json {

  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /**
   * Writes a value.
   *
   * @param value a map with string keys, a list, a string, a number, a boolean or null
   * @return its JSON text
   */
  public static String write(@Nullable Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  /**
   * Reads any value.
   *
   * @param text JSON
   * @return the value; null for {@code null}
   * @throws IllegalArgumentException if it is not JSON
   */
  public static @Nullable Object read(String text) {
    Json json = new Json(text);
    json.space();
    Object value = json.value();
    json.space();
    if (json.at < text.length()) {
      throw json.error("something follows the value");
    }
    return value;
  }

  /**
   * Reads an object.
   *
   * @param text JSON
   * @return its fields, in order
   * @throws IllegalArgumentException if it is not a JSON object
   */
  @SuppressWarnings("unchecked")
  public static Map<String, Object> readObject(String text) {
    if (read(text) instanceof Map<?, ?> map) {
      return (Map<String, Object>) map;
    }
    throw new IllegalArgumentException("not a JSON object: " + shorten(text));
  }

  /**
   * Reads a list of strings.
   *
   * @param text JSON
   * @return the strings
   * @throws IllegalArgumentException if it is not a JSON list of strings
   */
  public static List<String> readStrings(String text) {
    List<String> strings = new ArrayList<>();
    if (read(text) instanceof List<?> list) {
      for (Object each : list) {
        if (!(each instanceof String string)) {
          throw new IllegalArgumentException("not a list of strings: " + shorten(text));
        }
        strings.add(string);
      }
      return strings;
    }
    throw new IllegalArgumentException("not a JSON list: " + shorten(text));
  }

  private static void write(@Nullable Object value, StringBuilder out) {
    if (value instanceof Map<?, ?> map) {
      out.append('{');
      String separator = "";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(separator);
        writeString(String.valueOf(entry.getKey()), out);
        out.append(':');
        write(entry.getValue(), out);
        separator = ",";
      }
      out.append('}');
    } else if (value instanceof Iterable<?> list) {
      out.append('[');
      String separator = "";
      for (Object each : list) {
        out.append(separator);
        write(each, out);
        separator = ",";
      }
      out.append(']');
    } else if (value == null || value instanceof Boolean || value instanceof Number) {
      out.append(value);
    } else {
      writeString(value.toString(), out);
    }
  }

  private static void writeString(String string, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  private @Nullable Object value() {
    if (at >= text.length()) {
      throw error("it ends too early");
    }
    return switch (text.charAt(at)) {
      case '{' -> object();
      case '[' -> list();
      case '"' -> string();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Map<String, Object> object() {
    Map<String, Object> map = new LinkedHashMap<>();
    at++;
    space();
    if (take('}')) {
      return map;
    }
    do {
      space();
      String key = string();
      space();
      expect(':');
      space();
      Object value = value();
      if (value != null) {
        map.put(key, value);
      }
      space();
    } while (take(','));
    expect('}');
    return map;
  }

  private List<Object> list() {
    List<Object> list = new ArrayList<>();
    at++;
    space();
    if (take(']')) {
      return list;
    }
    do {
      space();
      Object value = value();
      if (value == null) {
        throw error("null in a list");
      }
      list.add(value);
      space();
    } while (take(','));
    expect(']');
    return list;
  }

  private String string() {
    expect('"');
    StringBuilder out = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == '"') {
        return out.toString();
      }
      if (c != '\\') {
        out.append(c);
        continue;
      }
      if (at >= text.length()) {
        break;
      }
      char escaped = text.charAt(at++);
      switch (escaped) {
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'u' -> {
          if (at + 4 > text.length()) {
            throw error("it ends too early");
          }
          out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
          at += 4;
        }
        default -> out.append(escaped);
      }
    }
    throw error("a string does not end");
  }

  private Object number() {
    int start = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    String number = text.substring(start, at);
    try {
      if (number.chars().allMatch(c -> c == '-' || Character.isDigit(c))) {
        return Long.valueOf(number);
      }
      return Double.valueOf(number);
    } catch (NumberFormatException e) {
      throw error("a value was expected");
    }
  }

  private @Nullable Object word(String word, @Nullable Object value) {
    if (!text.startsWith(word, at)) {
      throw error("a value was expected");
    }
    at += word.length();
    return value;
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private boolean take(char c) {
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private void expect(char c) {
    if (!take(c)) {
      throw error("'" + c + "' was expected");
    }
  }

  private IllegalArgumentException error(String problem) {
    return new IllegalArgumentException(
        "not JSON, " + problem + " at character " + at + ": " + shorten(text));
  }

  private static String shorten(String text) {
    return text.length() <= 200 ? text : text.substring(0, 200) + "…";
  }
}
