package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The engine on the control tables of MySQL and MariaDB, from nothing to a table and back. */
class MysqlEngineTest {

  private static final CreateTable ACCOUNTS =
      CreateTable.of("billing/2026-11-accounts")
          .table("accounts")
          .column("id", "bigint")
          .notNullColumn("na`me", "varchar(40)", "'it''''s'")
          .primaryKey("id")
          .build();

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aTableIsCreated(MysqlServer.Flavor flavor) {
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "engine");
        Orchestrator orchestrator =
            Orchestrator.builder(database.dataSource())
                .application("billing")
                .release("1")
                .environment(Environment.DEVELOPMENT)
                .thisBuild(ACCOUNTS, CreateTable.Code.NEEDS)
                .build()) {
      orchestrator.advance();
      assertThat(database.rows("SELECT status FROM zdo_migration").toString())
          .isEqualTo("[[DONE]]");
      assertThat(database.rows("SELECT COUNT(*) FROM accounts").toString()).isEqualTo("[[0]]");
    }
  }
}
