package dev.zerodowntime.orchestrator.spi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads and writes what preflight checks note: plain data, kept in the migration's row. */
public final class Facts {

  private Facts() {}

  /**
   * A flag.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return its value; false if missing
   */
  public static boolean flag(Map<String, Object> facts, String name) {
    return Boolean.TRUE.equals(facts.get(name));
  }

  /**
   * A text.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return its value; null if missing
   */
  public static @Nullable String text(Map<String, Object> facts, String name) {
    return (String) facts.get(name);
  }

  /**
   * A text that must be there.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return its value
   * @throws IllegalArgumentException if it is missing
   */
  public static String required(Map<String, Object> facts, String name) {
    String value = text(facts, name);
    if (value == null) {
      throw new IllegalArgumentException("the facts have no " + name);
    }
    return value;
  }

  /**
   * A list of texts.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return its values; empty if missing
   */
  public static List<String> texts(Map<String, Object> facts, String name) {
    List<String> texts = new ArrayList<>();
    if (facts.get(name) instanceof List<?> list) {
      list.forEach(each -> texts.add((String) each));
    }
    return texts;
  }

  /**
   * A list of maps.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return its values; empty if missing
   */
  @SuppressWarnings("unchecked")
  public static List<Map<String, Object>> maps(Map<String, Object> facts, String name) {
    List<Map<String, Object>> maps = new ArrayList<>();
    if (facts.get(name) instanceof List<?> list) {
      list.forEach(each -> maps.add((Map<String, Object>) each));
    }
    return maps;
  }

  /**
   * A map that must be there.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return it
   * @throws IllegalArgumentException if it is missing
   */
  @SuppressWarnings("unchecked")
  public static Map<String, Object> map(Map<String, Object> facts, String name) {
    if (facts.get(name) instanceof Map<?, ?> map) {
      return (Map<String, Object>) map;
    }
    throw new IllegalArgumentException("the facts have no " + name);
  }

  /**
   * The key of a walk, as a fact.
   *
   * @param key its columns
   * @return plain data
   */
  public static List<Object> key(List<Scan.KeyColumn> key) {
    List<Object> columns = new ArrayList<>();
    for (Scan.KeyColumn column : key) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("name", column.name());
      each.put("type", column.type());
      columns.add(each);
    }
    return columns;
  }

  /**
   * The fact called {@code key}.
   *
   * @param facts as captured
   * @return the columns; none if missing
   */
  public static List<Scan.KeyColumn> key(Map<String, Object> facts) {
    return key(facts, "key");
  }

  /**
   * A key as a fact.
   *
   * @param facts as captured
   * @param name the fact's name
   * @return the columns; none if missing
   */
  public static List<Scan.KeyColumn> key(Map<String, Object> facts, String name) {
    List<Scan.KeyColumn> key = new ArrayList<>();
    for (Map<String, Object> column : maps(facts, name)) {
      key.add(new Scan.KeyColumn(required(column, "name"), required(column, "type")));
    }
    return key;
  }
}
