package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlDropNotNullTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "nullable");
    database.execute(
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(40)"
            + " CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL COMMENT 'NOT NULL, it''s',"
            + " at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE"
            + " CURRENT_TIMESTAMP(3), hid INT NOT NULL DEFAULT 7 INVISIBLE, n INT, KEY k"
            + " (`na``me`), gen INT AS (hid + 1) VIRTUAL)",
        "INSERT INTO `t``s` (`na``me`) VALUES ('Ärger'), ('b ')");
    return database;
  }

  private static MysqlSteps<DropNotNull> steps(MysqlDatabase database, String column) {
    return new MysqlSteps<>(
        database, MysqlDropNotNull::new, DropNotNull.of("a/1").table("t`s").column(column).build());
  }

  @ParameterizedTest
  @EnumSource
  void aColumnBecomesNullableAndBackWithAllItHas(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      for (String column : List.of("na`me", "at", "hid")) {
        MysqlSteps<DropNotNull> steps = steps(database, column).preflight();
        String before = steps.definition("t`s");
        List<List<String>> rows = database.rows("SELECT *, hid FROM `t``s` ORDER BY id");
        assertThat(steps.up(1)).containsExactly("drop-not-null");
        database.execute(
            "UPDATE `t``s` SET " + Sql.quote(column) + " = NULL WHERE id = 2",
            "UPDATE `t``s` SET " + Sql.quote(column) + " = '1' WHERE id = 2 AND FALSE");
        // With a NULL in it, the server refuses the way back, and changes nothing.
        String relaxed = steps.definition("t`s");
        assertThatThrownBy(() -> steps.down(1)).isInstanceOf(IllegalStateException.class);
        assertThat(steps.definition("t`s")).isEqualTo(relaxed);
        database.execute(
            "DELETE FROM `t``s` WHERE id = 2",
            "INSERT INTO `t``s` (id, `na``me`, at) VALUES (2, 'b ', '" + rows.get(1).get(2) + "')");
        assertThat(steps.down(1)).containsExactly("restore-not-null");
        assertThat(steps.definition("t`s")).isEqualTo(before);
        assertThat(database.rows("SELECT *, hid FROM `t``s` ORDER BY id")).isEqualTo(rows);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeIsRefused(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      for (List<String> each :
          List.of(
              List.of("id", "AUTO_INCREMENT"),
              List.of("n", "nullable already"),
              List.of("gone", "has no column \"gone\""))) {
        assertThatThrownBy(() -> steps(database, each.get(0)).preflight())
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining(each.get(1));
      }
      MysqlSteps<DropNotNull> steps = steps(database, "na`me").preflight();
      steps.up(1);
      database.execute("ALTER TABLE `t``s` MODIFY `na``me` VARCHAR(50) COMMENT 'wider'");
      assertThatThrownBy(() -> steps.down(1))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("'wider'");
      database.execute("ALTER TABLE `t``s` ADD FULLTEXT KEY words (`na``me`)");
      assertThatThrownBy(() -> steps(database, "at").preflight())
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("FULLTEXT");
    }
  }
}
