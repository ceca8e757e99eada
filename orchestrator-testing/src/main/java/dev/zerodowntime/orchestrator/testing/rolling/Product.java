package dev.zerodowntime.orchestrator.testing.rolling;

import java.sql.SQLException;

/** What roll-outs have to know of one database product. Thread-safe. */
public interface Product {

  /** A fresh, empty database whose name shows what it is for. */
  Database create(String hint);

  /**
   * What makes an INSERT change the row that has the same value already. Assignments follow, and
   * the generated key is that row's.
   *
   * @param table the table
   * @param column the column that no two rows have the same value in
   */
  String orUpdate(String table, String column);

  /** In one of those assignments, the value that was to be inserted. */
  String offered(String column);

  /** Whether an INSERT gives back its rows, and a DELETE does; else no more than generated keys. */
  boolean returnsRows();

  /**
   * Whether the server means a transaction to be tried again, in a case that this product's
   * documentation tells its users of. Everything else is a failure.
   */
  default boolean again(SQLException e) {
    return false;
  }
}
