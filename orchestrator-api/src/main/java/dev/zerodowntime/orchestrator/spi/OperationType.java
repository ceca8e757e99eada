package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How an operation is stored and read back: a driver that doesn't have a migration's declaration
 * drives it from its row.
 *
 * @param name the operation's stable name
 * @param javaType its class
 * @param restore makes the migration from a row
 * @param <M> the operation
 */
public record OperationType<M extends Migration<?>>(
    String name, Class<M> javaType, Function<Stored, M> restore) {

  /**
   * A migration as a row holds it.
   *
   * @param id the migration's id
   * @param schema the target schema
   * @param after ids of migrations to wait for
   * @param policy its policy
   * @param fields the operation's canonical form
   * @param declared the same migration as this build declares it, for what a row can't hold, such
   *     as a Java function; null if it doesn't declare it, or another form of it
   */
  public record Stored(
      String id,
      String schema,
      List<String> after,
      Policy policy,
      Map<String, Object> fields,
      @Nullable Migration<?> declared) {

    /**
     * A text field.
     *
     * @param name the field's name
     * @return its value
     */
    public String text(String name) {
      String value = optionalText(name);
      if (value == null) {
        throw new IllegalArgumentException("field " + name + " is missing");
      }
      return value;
    }

    /**
     * A text field that may be missing.
     *
     * @param name the field's name
     * @return its value, or null
     */
    public @Nullable String optionalText(String name) {
      return (String) fields.get(name);
    }

    /**
     * A flag.
     *
     * @param name the field's name
     * @return its value; false if missing
     */
    public boolean flag(String name) {
      return Boolean.TRUE.equals(fields.get(name));
    }

    /**
     * A list of texts.
     *
     * @param name the field's name
     * @return its values; empty if missing
     */
    public List<String> texts(String name) {
      List<String> texts = new ArrayList<>();
      if (fields.get(name) instanceof List<?> list) {
        list.forEach(each -> texts.add((String) each));
      }
      return texts;
    }

    /**
     * A list of maps.
     *
     * @param name the field's name
     * @return its values; empty if missing
     */
    @SuppressWarnings("unchecked")
    public List<Map<String, Object>> maps(String name) {
      List<Map<String, Object>> maps = new ArrayList<>();
      if (fields.get(name) instanceof List<?> list) {
        list.forEach(each -> maps.add((Map<String, Object>) each));
      }
      return maps;
    }
  }
}
