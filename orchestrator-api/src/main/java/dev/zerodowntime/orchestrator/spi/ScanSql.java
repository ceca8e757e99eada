package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of backfills and verifications. Key values are selected as text, and bound as {@link
 * #range} and {@link #key} say, cast by the statement.
 *
 * <p>A range is open at its start and closed at its end: {@code after < key <= upTo}. Statements
 * with {@code bounded} false have no lower end and no parameters for it.
 */
public interface ScanSql {

  /**
   * Selects the greatest key: no row if the table is empty.
   *
   * @param scan the walk
   * @return SQL without parameters
   */
  String lastKey(Scan scan);

  /**
   * Selects the key that ends the next chunk, and after its columns the number of keys in the
   * chunk: no row if nothing is left. Reads only the index.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: as {@link #range} says, number of rows
   */
  String chunkEnd(Scan scan, boolean bounded);

  /**
   * Selects the key that so many keys come before: no row if there are not as many. Cheaper than
   * {@link #chunkEnd}. Reads only the index.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: as {@link #range} says, number of keys before
   */
  String keyAt(Scan scan, boolean bounded);

  /**
   * Changes the pending rows of a range that nobody else has locked.
   *
   * @param step the backfill
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: as {@link #range} says
   */
  String update(BackfillStep step, boolean bounded);

  /**
   * Changes the pending rows of a range, all of them: cheaper than {@link #update}, and executed
   * where next to nothing is waited for, so that it fails where somebody else has locked one.
   *
   * @param step the backfill, which is not computed in Java
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: as {@link #range} says
   */
  String updateAll(BackfillStep step, boolean bounded);

  /**
   * Reads and locks pending rows of a range for {@link RowChange.Compute}: those that nobody else
   * has locked, or all of them for {@link Repeat.OncePerKey}, in the order of their keys. Selects
   * the key's columns, then those that the function reads, then those that it sets, all of them as
   * text.
   *
   * @param step the backfill
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: as {@link #range} says
   */
  String read(BackfillStep step, boolean bounded);

  /**
   * The same as {@link #read} for one row, waiting for its lock.
   *
   * @param step the backfill
   * @return SQL; parameters: as {@link #key} says
   */
  String readOne(BackfillStep step);

  /**
   * Writes back what was computed, in one statement.
   *
   * @param connection the connection whose transaction has read and locked the rows
   * @param tag a comment to begin the statement with
   * @param step the backfill
   * @param rows the rows
   * @return how many were written
   * @throws SQLException if one can't be written
   */
  int write(Connection connection, String tag, BackfillStep step, List<Computed> rows)
      throws SQLException;

  /**
   * A row with the values that were computed for it.
   *
   * @param key its key
   * @param values the values of the columns that are set, in their order
   */
  record Computed(List<String> key, List<@Nullable String> values) {}

  /**
   * Tells rows that the current transaction has written from others.
   *
   * @param scan the walk
   * @return an SQL predicate over a row
   */
  String writtenHere(Scan scan);

  /**
   * Changes one row if it is pending, waiting for its lock.
   *
   * @param step the backfill, which is not computed in Java
   * @return SQL; parameters: as {@link #key} says
   */
  String updateOne(BackfillStep step);

  /**
   * Selects keys of pending rows in a range.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @param extra an additional predicate, or empty
   * @return SQL; parameters: as {@link #range} says, number of rows
   */
  String pending(Scan scan, boolean bounded, String extra);

  /**
   * Counts pending rows in a range.
   *
   * @param scan the walk
   * @param bounded whether the range has a lower end
   * @return SQL; parameters: as {@link #range} says
   */
  String countPending(Scan scan, boolean bounded);

  /**
   * Estimates the number of rows without reading the table.
   *
   * @param connection a connection in a transaction
   * @param scan the walk
   * @return the number, negative if unknown
   * @throws SQLException if the server can't be asked
   */
  long estimate(Connection connection, Scan scan) throws SQLException;

  /**
   * Limits the next statements of a batch's transaction, whatever limits the session has otherwise,
   * as exactly as the server can, and lets its commit not wait for disks where that is possible:
   * rows and progress commit together, so that what a crash of the server might take is taken as a
   * whole, and done again. What outlives the transaction is put back by {@link ControlSql#end()}.
   *
   * @param connection a connection in the batch's transaction
   * @param runMillis how long each may run, 0 for no limit
   * @param lockMillis how long each may wait for a lock, 0 for no limit
   * @throws SQLException if that fails
   */
  void limit(Connection connection, long runMillis, long lockMillis) throws SQLException;

  /**
   * Whether {@link #limit} has the server end a statement that changes rows and runs for too long.
   * Where not, the engine cancels it.
   *
   * @return true unless the server has no such limit
   */
  default boolean limitsRuns() {
    return true;
  }

  /**
   * The parameters of a range.
   *
   * @param scan the walk
   * @param after the key it begins after; null if it has no lower end
   * @param upTo its last key
   * @return what is bound, in this order; the keys' texts, one after the other, unless an
   *     implementation says otherwise
   */
  default List<Object> range(Scan scan, @Nullable List<String> after, List<String> upTo) {
    List<Object> parameters = new ArrayList<>();
    if (after != null) {
      parameters.addAll(after);
    }
    parameters.addAll(upTo);
    return parameters;
  }

  /**
   * The parameters of one row.
   *
   * @param scan the walk
   * @param key its key
   * @return what is bound, in this order; the key's texts unless an implementation says otherwise
   */
  default List<Object> key(Scan scan, List<String> key) {
    return new ArrayList<>(key);
  }
}
