package dev.zerodowntime.orchestrator.testing.crash;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * A database as text, without what may differ between two runs that did the same: times, object
 * ids, positions of columns.
 */
public final class Dump {

  /** What a difference means. */
  public enum Part {
    /** Columns, indexes, constraints, triggers, functions, comments, grants. */
    CATALOG,
    /** Every row of the application, with how often it was updated. */
    ROWS,
    /** Locks, transactions and half-built things left behind. */
    LEFT,
    /** What the control tables hold of migrations and of who is counted. */
    CONTROL,
    /** Phases and steps in the order of the log, and how far backfills came. */
    DONE
  }

  /** How a line about a constraint begins that was never validated. */
  public static final String UNVALIDATED = "unvalidated constraint ";

  private final Map<Part, List<String>> parts = new EnumMap<>(Part.class);

  private Dump() {}

  /** Reads a database; the control tables must be there. */
  static Dump of(Product product, DataSource dataSource) throws SQLException {
    Dump dump = new Dump();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      // What is left over first: reading makes no locks that it could take for others'.
      for (Part part : List.of(Part.LEFT, Part.CATALOG, Part.ROWS, Part.CONTROL, Part.DONE)) {
        dump.parts.put(part, product.dump(statement, part));
      }
    }
    return dump;
  }

  List<String> part(Part part) {
    return parts.get(part);
  }

  /** What this one has and the other has not, or the other way round; empty if they are equal. */
  Map<Part, String> differences(Dump expected) {
    Map<Part, String> differences = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      List<String> here = new ArrayList<>(part(part));
      List<String> there = new ArrayList<>(expected.part(part));
      if (!here.equals(there)) {
        expected.part(part).forEach(here::remove);
        part(part).forEach(there::remove);
        differences.put(
            part,
            here.isEmpty() && there.isEmpty()
                ? "another order: " + part(part) + "\n    instead of: " + expected.part(part)
                : "too much: " + here + "\n    missing: " + there);
      }
    }
    return differences;
  }
}
