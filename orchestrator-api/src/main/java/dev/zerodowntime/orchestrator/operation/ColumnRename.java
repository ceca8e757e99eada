package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.Migration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What operations have in common that put a column of another name in the place of one. */
public interface ColumnRename {

  /**
   * The table.
   *
   * @return its unquoted name
   */
  String table();

  /**
   * The column's name so far.
   *
   * @return unquoted
   */
  String from();

  /**
   * The column's new name.
   *
   * @return unquoted
   */
  String to();

  /**
   * The fields of the canonical form.
   *
   * @return table, from, to
   */
  default Map<String, Object> renameFields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table());
    fields.put("from", from());
    fields.put("to", to());
    return fields;
  }

  /**
   * Declares a rename. Not thread-safe.
   *
   * @param <B> the builder itself
   * @param <M> what it builds
   */
  abstract class Builder<B extends Builder<B, M>, M extends Migration<?>>
      extends Migration.Builder<B, M> {

    private @Nullable String table;
    private @Nullable String from;
    private @Nullable String to;

    Builder(String id) {
      super(id);
    }

    /**
     * The table whose column is renamed.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public B table(String table) {
      this.table = table;
      return me();
    }

    /**
     * The column's name so far.
     *
     * @param from unquoted
     * @return this
     */
    public B from(String from) {
      this.from = from;
      return me();
    }

    /**
     * The column's new name.
     *
     * @param to unquoted; any Unicode
     * @return this
     */
    public B to(String to) {
      this.to = to;
      return me();
    }

    @SuppressWarnings("unchecked")
    private B me() {
      return (B) this;
    }

    String table() {
      return require("table", table);
    }

    String from() {
      return require("column to rename (from)", from);
    }

    String to() {
      String name = require("new column name (to)", to);
      if (name.equals(from)) {
        throw invalid("from and to are both \"" + name + "\"", "Give a new name.");
      }
      return name;
    }
  }
}
