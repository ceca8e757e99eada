package dev.zerodowntime.orchestrator.mysql.rolling;

import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import java.util.List;

/**
 * Roll-outs of rules that rows must obey, and of indexes. Old code breaks rules for the length of a
 * transaction, which is a matter of course before there is the rule, and leaves nothing behind that
 * does.
 */
final class ConstraintScenarios {

  private static final List<String> NAME = List.of("name");

  private ConstraintScenarios() {}

  /** What is unique already becomes the key, and stays it where the server can't take it back. */
  static Scenario<AddPrimaryKey.Code> addPrimaryKey() {
    return new Scenario<>(
            "AddPrimaryKey",
            AddPrimaryKey.of("rolling/primary-key")
                .table("accounts")
                .name("accounts_key")
                .columns("id")
                .build(),
            MysqlScenarios.ACCOUNTS.table(
                "name varchar(60) NOT NULL",
                "CONCAT('n', i)",
                "ALTER TABLE accounts DROP PRIMARY KEY, ADD UNIQUE KEY by_id (id)"),
            "name",
            List.of(List.of(), List.of(AddPrimaryKey.Code.CONFORMS)),
            stage -> named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming()
        .consenting();
  }

  private static Code named(Enum<?> stage) {
    return Code.of(stage).reads("name").writes("name");
  }
}
