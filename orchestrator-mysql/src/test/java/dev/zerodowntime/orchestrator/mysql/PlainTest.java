package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PlainTest {

  /** The server is asked by statements that name a column like that. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void everyWordThatTheServerReservesIsQuoted(MysqlServer.Flavor flavor) throws SQLException {
    List<String> words = new ArrayList<>();
    List<String> forgotten = new ArrayList<>();
    try (Connection connection = MysqlServer.get(flavor).dataSource("mysql").getConnection();
        Statement statement = connection.createStatement()) {
      try (ResultSet row = statement.executeQuery("SELECT WORD FROM information_schema.KEYWORDS")) {
        while (row.next()) {
          words.add(row.getString(1));
        }
      }
      for (String word : words) {
        String name = Plain.name(word);
        try {
          statement.executeQuery("SELECT t." + name + " FROM (SELECT 1 AS " + name + ") t").close();
        } catch (SQLException e) {
          forgotten.add(word);
        }
      }
    }
    assertThat(words).hasSizeGreaterThan(400);
    assertThat(forgotten).isEmpty();
  }

  @Test
  void otherNamesAreQuotedWhereTheyMustBe() {
    assertThat(Plain.names(List.of("users", "Users", "User_1", "KEY", "a b", "1st", "a`b")))
        .isEqualTo("users, Users, User_1, `KEY`, `a b`, `1st`, `a``b`");
  }

  @Test
  void aDatabaseIsSaidWhereItIsAnother() {
    assertThat(new Plain(new NetTarget("billing/x", "app", false)).in("users")).isEqualTo("users");
    assertThat(new Plain(new NetTarget("billing/x", "app", true)).in("users"))
        .isEqualTo("app.users");
  }
}
