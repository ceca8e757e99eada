package dev.zerodowntime.orchestrator.mysql.testing;

import dev.zerodowntime.orchestrator.testing.Spelling;

/** The spelling of MySQL and MariaDB. */
public final class MysqlSpelling implements Spelling {

  @Override
  public String text() {
    return "varchar(60)";
  }

  @Override
  public String numbered() {
    return "bigint AUTO_INCREMENT";
  }

  @Override
  public String concat(String... parts) {
    return "CONCAT(" + String.join(", ", parts) + ")";
  }

  @Override
  public String numbers(long from, long to) {
    return "(WITH RECURSIVE n (i) AS (SELECT "
        + from
        + " UNION ALL SELECT i + 1 FROM n WHERE i < "
        + to
        + ") SELECT i FROM n) numbers";
  }

  @Override
  public int longestName() {
    return 64;
  }

  @Override
  public String quoted(String name) {
    return '`' + name.replace("`", "``") + '`';
  }

  @Override
  public String literal(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
  }

  @Override
  public String orUpdate(String key, String column) {
    return " ON DUPLICATE KEY UPDATE " + column + " = VALUES(" + column + ")";
  }

  @Override
  public String insertOnce(String table, String key, String value) {
    return "INSERT IGNORE INTO " + table + " (" + key + ") VALUES (" + value + ")";
  }
}
