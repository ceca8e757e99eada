package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.RowFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a backfill does to a row that is pending. */
public sealed interface RowChange {

  /**
   * Assigns expressions.
   *
   * @param set the assignments, as SQL over the row's columns and those of {@code join}
   * @param join other tables to compute from, or null
   */
  record Assign(String set, @Nullable Join join) implements RowChange {
    /**
     * Assigns expressions over the row alone.
     *
     * @param set the assignments, as SQL
     */
    public Assign(String set) {
      this(set, null);
    }
  }

  /**
   * Other tables to compute from.
   *
   * @param from tables with aliases, as in a FROM clause
   * @param on the condition that ties their rows to the row; of several rows that match, any
   */
  record Join(String from, String on) {}

  /**
   * Computes values in Java: rows are read and locked, and written back in one statement.
   *
   * @param reads quoted names of the columns that the function reads
   * @param writes the columns that it sets
   * @param function the function; null in a process that doesn't have it, which can't do this
   */
  record Compute(List<String> reads, List<Column> writes, @Nullable RowFunction function)
      implements RowChange {
    /** Copies the lists. */
    public Compute {
      reads = List.copyOf(reads);
      writes = List.copyOf(writes);
    }
  }

  /**
   * A column.
   *
   * @param name quoted name
   * @param type its type in SQL, for casts from text
   */
  record Column(String name, String type) {}

  /**
   * Puts a row of another table into place, or the newer image of it.
   *
   * @param into quoted, qualified name of the other table
   * @param columns quoted names of its columns
   * @param values the values, as SQL over the row's columns, in the same order
   * @param key those of the columns that a unique index of the other table is on
   */
  record Copy(String into, List<String> columns, List<String> values, List<String> key)
      implements RowChange {
    /** Copies the lists. */
    public Copy {
      columns = List.copyOf(columns);
      values = List.copyOf(values);
      key = List.copyOf(key);
    }
  }
}
