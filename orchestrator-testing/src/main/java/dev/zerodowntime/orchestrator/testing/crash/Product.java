package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.testing.Spelling;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

/** What the proofs have to know of one database product. Thread-safe. */
public interface Product {

  /** The server, with its version. */
  String title();

  /** How its SQL is spelled. */
  Spelling sql();

  /** What a control table is called. */
  String control(String table);

  /**
   * Kinds of keys that rows are walked along.
   *
   * @return by the definition of the columns and of the key, which is all of {@code k}, an
   *     expression that makes a different one of each {@code i}
   */
  Map<String, String> keys();

  /** The operations to cut; whoever implements this makes sure that none is forgotten. */
  List<Subject<?>> subjects();

  /**
   * Over how many days the default runs take the operations in turn. An odd number, for every
   * eighth day an operation is cut more often.
   */
  default int days() {
    return 1;
  }

  /**
   * The application's tables and their first rows. Among them is {@code users}, with columns {@code
   * id} and {@code note}.
   */
  List<String> tables();

  /**
   * Inserts rows into {@code users}.
   *
   * @param row columns, and expressions in which {@code i} is the row's number
   * @param from the first number
   * @param to the last number
   * @return one statement
   */
  String insert(Subject.Row row, long from, long to);

  /** The code stages of a migration, whose spans may differ between databases. */
  default List<StageSpan> stages(Migration<?> migration) {
    return migration.lifecycle().stages();
  }

  /** Brings the statistics up to date. */
  List<String> analyze();

  /** Sessions without frills, unpooled: there are thousands of them. */
  DataSource dataSource(String database);

  /** The server's number of a session. */
  long session(Connection raw) throws SQLException;

  /** A new hand on the server, for one thread. */
  Server server() throws SQLException;

  /**
   * What keeps a statement waiting half-way where it leaves a remainder if it ends there.
   *
   * @param sql the statement that may be cut
   * @return what another session executes in a transaction; empty if there is no half-way
   */
  Optional<String> holdsUp(String sql);

  /**
   * How an idle session is set, so that what leaks into the pool is found. Asked when nobody uses
   * it any more.
   */
  default List<String> settings(Connection raw) throws SQLException {
    return List.of();
  }

  /**
   * A part of a database as text, without what may differ between two runs that did the same. The
   * control tables are there.
   */
  List<String> dump(Statement statement, Dump.Part part) throws SQLException;
}
