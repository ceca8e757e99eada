package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/**
 * How often columns of a table were added or dropped INSTANT since it was last rebuilt. MySQL keeps
 * a version of the rows for each, of which there can be 64, since 9.1 255; after that it refuses
 * (see "Online DDL Operations" in its manual). MariaDB has no such limit.
 */
final class RowVersions {

  private static final String ADVICE = "rowVersions";

  private RowVersions() {}

  /**
   * Requires that there is room, and notes how much.
   *
   * @param facts get what the author may want to know
   * @param needed how many a migration takes, with its way back
   */
  static void require(Catalog catalog, CatalogTable table, int needed, Map<String, Object> facts)
      throws SQLException {
    if (catalog.version().mariadb()) {
      return;
    }
    int most = catalog.version().atLeast(9, 1, 0) ? 255 : 64;
    List<Integer> found;
    try {
      found =
          catalog.list(
              "SELECT TOTAL_ROW_VERSIONS FROM information_schema.INNODB_TABLES WHERE NAME = ?",
              row -> row.getInt(1),
              inFile(table.schema()) + "/" + inFile(table.name()));
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) == SqlErrorKind.PRIVILEGE) {
        // Without PROCESS: the server itself refuses then, when it is too late for a plan.
        return;
      }
      throw e;
    }
    if (found.isEmpty()) {
      return;
    }
    int used = found.get(0);
    if (used + needed > most) {
      throw catalog.refuse(
          "columns of table "
              + table.display()
              + " were added or dropped INSTANT "
              + used
              + " times since it was last rebuilt; the server allows "
              + most
              + ", and this migration with its way back needs "
              + needed,
          "Rebuild the table in a quiet hour, with writes going on: ALTER TABLE "
              + table.display()
              + " ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE");
    }
    if (used >= most / 2) {
      facts.put(
          ADVICE,
          "columns of this table were added or dropped INSTANT "
              + used
              + " times since it was last rebuilt, of "
              + most
              + " that the server allows; ALTER TABLE … ENGINE=InnoDB, ALGORITHM=INPLACE,"
              + " LOCK=NONE starts anew.");
    }
  }

  /** What an author may want to know about it, once half of them are used. */
  static List<String> advice(Map<String, Object> facts) {
    String advice = Facts.text(facts, ADVICE);
    return advice == null ? List.of() : List.of(advice);
  }

  /** Names of files have other characters than letters, digits and _ as their code. */
  private static String inFile(String name) {
    StringBuilder text = new StringBuilder();
    name.codePoints()
        .forEach(
            each -> {
              if (each == '_' || each < 128 && Character.isLetterOrDigit(each)) {
                text.appendCodePoint(each);
              } else {
                text.append(String.format("@%04x", each));
              }
            });
    return text.toString();
  }
}
