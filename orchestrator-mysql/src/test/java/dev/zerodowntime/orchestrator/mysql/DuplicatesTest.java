package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same question as the server's, when it builds a unique index. */
class DuplicatesTest {

  private static boolean are(Connection connection, String table, String key) throws SQLException {
    return Duplicates.are(
        connection,
        "/* orchestrator x */ ALTER TABLE "
            + table
            + " ADD "
            + key
            + ", ALGORITHM=INPLACE, LOCK=NONE");
  }

  @ParameterizedTest
  @EnumSource
  void onlyWhatTheIndexWouldTakeForTheSame(MysqlServer.Flavor flavor) throws SQLException {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "duplicates");
        Connection connection = database.dataSource().getConnection()) {
      database.execute(
          "CREATE TABLE `na``me` (id INT PRIMARY KEY, `a``b` VARCHAR(40), c INT, d VARCHAR(40))"
              + " COLLATE utf8mb4_general_ci",
          "INSERT INTO `na``me` VALUES (1, 'Anna', 1, 'north-east'), (2, 'anna', 2, 'north-west'),"
              + " (3, NULL, 3, 'south'), (4, NULL, 4, 'west')");
      String table = Sql.qualified(database.name(), "na`me");
      assertThat(are(connection, table, "UNIQUE KEY `k` (`a``b`)")).isTrue();
      assertThat(are(connection, table, "UNIQUE KEY `k` (`a``b`,`c`)")).isFalse();
      assertThat(are(connection, table, "UNIQUE KEY `k` (`d`)")).isFalse();
      assertThat(are(connection, table, "UNIQUE KEY `k` (`d`(5))")).isTrue();
      assertThat(are(connection, table, "UNIQUE KEY `k` (`d`(7) DESC, `c`)")).isFalse();
      assertThat(are(connection, table, "PRIMARY KEY (`c`)")).isFalse();
      // What it doesn't understand it takes for what the server said.
      assertThat(are(connection, table, "UNIQUE KEY `k` ((lower(`d`)))")).isTrue();
    }
  }
}
