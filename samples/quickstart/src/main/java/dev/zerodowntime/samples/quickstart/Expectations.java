package dev.zerodowntime.samples.quickstart;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What every row should hold: the other half of the proof. A query that doesn't fail but returns
 * the wrong value would be worse than one that fails.
 *
 * <p>Each row is written by one worker only, which notes here what it has committed. So whatever is
 * read can be compared, at any time and by whichever release.
 */
final class Expectations {

  private static final int SHOWN = 5;

  private final long filled;
  private final Map<Long, Customer> written = new ConcurrentHashMap<>();
  private final Map<Long, UUID> publicIds = new ConcurrentHashMap<>();
  private final Set<Long> wrong = ConcurrentHashMap.newKeySet();
  private final List<String> shown = new ArrayList<>();

  /**
   * Starts with the rows that the table was filled with.
   *
   * @param filled how many
   */
  Expectations(long filled) {
    this.filled = filled;
  }

  long filled() {
    return filled;
  }

  Customer expected(long id) {
    return written.getOrDefault(id, Customer.original(id));
  }

  /** Notes what was committed. */
  void committed(Customer customer) {
    written.put(customer.id(), customer);
  }

  /**
   * A public id never changes, whoever chose it: the code that wrote it, the backfill, or the
   * trigger that fills it for code that doesn't know it. So the first one seen is the one expected.
   */
  void sawPublicId(long id, @Nullable UUID seen, String where) {
    if (seen == null) {
      differs(id, "has no public_id", where);
      return;
    }
    UUID first = publicIds.putIfAbsent(id, seen);
    if (first != null && !first.equals(seen)) {
      differs(id, "has public_id " + seen + " instead of " + first, where);
    }
  }

  /** The public id that was seen first, if any was. */
  @Nullable UUID publicId(long id) {
    return publicIds.get(id);
  }

  /** Compares one value of a row. */
  void same(
      long id, String column, @Nullable Object expected, @Nullable Object found, String where) {
    if (expected == null ? found != null : !expected.equals(found)) {
      differs(id, "has " + column + " " + found + " instead of " + expected, where);
    }
  }

  /** Compares what one release's code reads of a row with what should be there. */
  void compare(Customer expected, @Nullable ResultSet row, Code code, String where)
      throws SQLException {
    long id = expected.id();
    if (row == null) {
      differs(id, "is missing", where);
      return;
    }
    same(id, "email", expected.email(), row.getString("email"), where);
    same(id, code.name(), expected.name(), row.getString(code.name()), where);
    same(id, "visits", expected.visits(), row.getInt("visits"), where);
    if (code.readsFax()) {
      same(id, "fax", expected.fax(), row.getString("fax"), where);
    }
    if (code.readsPublicId()) {
      sawPublicId(id, Product.current().get(row, "public_id"), where);
    }
  }

  private void differs(long id, String what, String where) {
    wrong.add(id);
    synchronized (shown) {
      if (shown.size() < SHOWN) {
        shown.add("row " + id + " " + what + ", " + where);
      }
    }
  }

  /** How many rows ever differed, in a read during the run or in the last check. */
  long differing() {
    return wrong.size();
  }

  /** The first few differences, in words. */
  List<String> differences() {
    synchronized (shown) {
      return List.copyOf(shown);
    }
  }

  /**
   * Reads the whole table when all is over.
   *
   * @return how many rows were compared
   */
  long checkAll(DataSource database) throws SQLException {
    Set<Long> missing = new TreeSet<>(written.keySet());
    for (long id = 1; id <= filled; id++) {
      missing.add(id);
    }
    long rows = 0;
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.setFetchSize(5_000);
      try (ResultSet row = statement.executeQuery("SELECT * FROM customers")) {
        Set<String> columns = columns(row);
        String name = columns.contains("full_name") ? "full_name" : "name";
        while (row.next()) {
          rows++;
          long id = row.getLong("id");
          if (!missing.remove(id)) {
            differs(id, "should not be there", "at the end");
            continue;
          }
          Customer expected = expected(id);
          same(id, "email", expected.email(), row.getString("email"), "at the end");
          same(id, name, expected.name(), row.getString(name), "at the end");
          same(id, "visits", expected.visits(), row.getInt("visits"), "at the end");
          if (columns.contains("public_id")) {
            sawPublicId(id, Product.current().get(row, "public_id"), "at the end");
          }
        }
      }
    }
    missing.forEach(id -> differs(id, "is missing", "at the end"));
    return rows + missing.size();
  }

  private static Set<String> columns(ResultSet row) throws SQLException {
    Set<String> names = new TreeSet<>();
    ResultSetMetaData columns = row.getMetaData();
    for (int i = 1; i <= columns.getColumnCount(); i++) {
      names.add(columns.getColumnName(i));
    }
    return names;
  }
}
