package dev.zerodowntime.benchmarks;

import java.sql.SQLException;

/** The table: some 100 bytes a row, keyed by id, with a name that gets another name. */
final class Users {

  static final String TABLE = "users";

  static final String OLD = "name";

  static final String NEW = "full_name";

  private Users() {}

  static void fill(Database database, long rows) throws SQLException {
    database.execute(
        "CREATE TABLE users (id bigint NOT NULL, name text NOT NULL, filler text NOT NULL)",
        "INSERT INTO users SELECT n, 'name of ' || n, rpad(md5(n::text), 60, '.')"
            + " FROM generate_series(1, "
            + rows
            + ") AS n",
        "ALTER TABLE users ADD PRIMARY KEY (id)",
        "VACUUM (FREEZE, ANALYZE) users",
        "CHECKPOINT");
  }

  static long filled(Database database) throws SQLException {
    return database.number("SELECT count(full_name) FROM users");
  }

  /** Every row must hold under the new name what it holds under the old one. */
  static void requireCopied(Database database) throws SQLException {
    require(database, "full_name IS DISTINCT FROM name");
  }

  /** The same of a backfill that was not let finish: no row may hold anything else. */
  static void requireNothingElse(Database database) throws SQLException {
    require(database, "full_name <> name");
  }

  private static void require(Database database, String wrong) throws SQLException {
    long rows = database.number("SELECT count(*) FROM users WHERE " + wrong);
    if (rows > 0) {
      throw new IllegalStateException(rows + " rows are wrong: " + wrong);
    }
  }
}
