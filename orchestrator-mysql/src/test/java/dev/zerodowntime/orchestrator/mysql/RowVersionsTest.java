package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** MySQL counts how often columns come and go INSTANT, and refuses one day. */
class RowVersionsTest {

  private static final AddColumn COLUMN =
      AddColumn.of("billing/level").table("na`me-1").column("level", "int").build();

  /** As often as the server lets it. */
  private static int exhaust(Statement statement, boolean there, int most) throws SQLException {
    for (int i = 0; i < most; i++) {
      try {
        statement.execute(
            "ALTER TABLE `na``me-1` "
                + ((i % 2 == 0) == there ? "DROP COLUMN c" : "ADD COLUMN c INT")
                + ", ALGORITHM=INSTANT");
      } catch (SQLException e) {
        assertThat(e.getMessage()).contains("Maximum row versions");
        return i;
      }
    }
    return most;
  }

  private static MigrationReport migration(Orchestrator member) {
    member.advance();
    return member.drive().migration("billing/level").orElseThrow();
  }

  @Test
  void whenTheyAreUsedUpThePlanSaysSoAndARebuildHelps() throws SQLException {
    MysqlServer server = MysqlServer.get(MysqlServer.Flavor.MYSQL);
    try (MysqlDatabase database = MysqlDatabase.create(server, "versions");
        Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      database.execute("CREATE TABLE `na``me-1` (id INT PRIMARY KEY)");
      int used = exhaust(statement, false, 1_000);
      assertThat(used).isEqualTo(MysqlVersion.of(connection).atLeast(9, 1, 0) ? 255 : 64);
      try (Orchestrator member =
          Members.member(database, "1").thisBuild(COLUMN, AddColumn.Code.READS).build()) {
        assertThatThrownBy(member::advance)
            .isInstanceOf(RefusedException.class)
            .hasMessageContaining("INSTANT " + used + " times")
            .hasMessageContaining("ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE");
        database.execute("ALTER TABLE `na``me-1` ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE");
        exhaust(statement, used % 2 == 1, used / 2 + 1);
        assertThat(migration(member).phase()).isEqualTo("DONE");
        assertThat(member.plan().toString())
            .contains("INSTANT " + (used / 2 + 1) + " times since it was last rebuilt, of " + used);
      }
    }
  }
}
