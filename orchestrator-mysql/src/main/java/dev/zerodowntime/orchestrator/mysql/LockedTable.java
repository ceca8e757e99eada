package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Short DDL on MySQL under {@code LOCK TABLES … WRITE}. By itself an ALTER lets transactions in
 * while it prepares, and only then asks for the lock that excludes them; one of them that has read
 * the table by then and writes it next is a deadlock, and MySQL ends the transaction, not the DDL.
 * LOCK TABLES asks for that lock at once, right after nobody else was seen to have one, and gives
 * up long before the budget is spent, to try again in another moment; the ALTER then has nobody to
 * wait for, and others wait for it.
 *
 * <p>Not for tables with foreign keys, in whose name LOCK TABLES would lock others too.
 */
final class LockedTable {

  private static final Pattern COMMENT = Pattern.compile("^/\\*.*?\\*/ ", Pattern.DOTALL);

  private static final Pattern SHORT_DDL =
      Pattern.compile(
          "^(?:/\\*.*?\\*/ )*(?:ALTER TABLE|CREATE TRIGGER|DROP TRIGGER) ", Pattern.DOTALL);

  /**
   * Of a table and its copy, which are both there and locked. A table and a view that change names
   * are not: through the view the table would be locked twice.
   */
  private static final Pattern SWAP =
      Pattern.compile(
          "^(?:/\\*.*?\\*/ )*RENAME TABLE .*, \\S*`zdo_copy_[0-9a-f]{8}` TO ", Pattern.DOTALL);

  private static final Pattern FOREIGN_KEY = Pattern.compile("\\bFOREIGN KEY\\b");

  /** What part of the budget one attempt waits. */
  private static final int ATTEMPTS = 10;

  private final MysqlVersion version;
  private final DataSource others;
  private final List<String> tables;

  LockedTable(MysqlVersion version, DataSource others, List<String> tables) {
    this.version = version;
    this.others = others;
    this.tables = List.copyOf(tables);
  }

  /** Whether a statement is one that can be executed so. */
  static boolean helps(Connection connection, List<String> tables, String sql) throws SQLException {
    if (FOREIGN_KEY.matcher(sql).find()
        || !(tables.size() == 1 && SHORT_DDL.matcher(sql).find()
            || tables.size() == 2 && SWAP.matcher(sql).find())) {
      return false;
    }
    for (String table : tables) {
      if (hasForeignKeys(connection, table)) {
        return false;
      }
    }
    return true;
  }

  private static boolean hasForeignKeys(Connection connection, String table) throws SQLException {
    Matcher name = MdlHolders.NAME.matcher(table);
    if (!name.matches()) {
      return true;
    }
    try (PreparedStatement ask =
        connection.prepareStatement(
            "SELECT 1 FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND TABLE_NAME"
                + " = ? AND REFERENCED_TABLE_NAME IS NOT NULL UNION ALL SELECT 1 FROM"
                + " information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = ? AND"
                + " REFERENCED_TABLE_NAME = ? LIMIT 1")) {
      for (int i = 0; i < 4; i++) {
        ask.setString(i + 1, MdlHolders.part(name, 1 + i % 2));
      }
      try (ResultSet row = ask.executeQuery()) {
        return row.next();
      }
    }
  }

  /**
   * Executes a statement.
   *
   * @return false if the user may not lock tables: nothing was done
   * @throws SQLException what the statement threw; error 1317 if no moment was found for it
   */
  boolean execute(Statement statement, String sql, Duration budget) throws SQLException {
    try (MdlWatch watch = new MdlWatch(statement, others, version)) {
      if (!lock(watch, statement.getConnection(), sql, budget)) {
        return false;
      }
      try {
        watch.execute(sql, budget, () -> {});
      } finally {
        statement.execute("UNLOCK TABLES");
      }
      return true;
    }
  }

  private boolean lock(MdlWatch watch, Connection connection, String sql, Duration budget)
      throws SQLException {
    Matcher comment = COMMENT.matcher(sql);
    String lock =
        (comment.find() ? comment.group() : "")
            + "LOCK TABLES "
            + String.join(" WRITE, ", tables)
            + " WRITE";
    MdlHolders holders = new MdlHolders(version);
    long deadline = System.nanoTime() + budget.multipliedBy(MdlHolders.PATIENCE).toNanos();
    while (true) {
      try {
        watch.execute(
            lock, budget.dividedBy(ATTEMPTS), () -> holders.awaitNone(connection, tables, budget));
        return true;
      } catch (SQLException e) {
        SqlErrorKind kind = MysqlErrors.classify(e);
        if (kind == SqlErrorKind.PRIVILEGE) {
          return false;
        }
        if (kind != SqlErrorKind.CANCELLED || System.nanoTime() - deadline >= 0) {
          throw e;
        }
      }
    }
  }
}
