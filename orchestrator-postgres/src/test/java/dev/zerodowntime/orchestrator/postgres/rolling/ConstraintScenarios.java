package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import java.util.List;

/**
 * Roll-outs of rules that rows must obey. Old code breaks them for the length of a transaction,
 * which is a matter of course before there is the rule, and leaves nothing behind that does.
 */
final class ConstraintScenarios {

  private static final List<String> NAME = List.of("name");

  private ConstraintScenarios() {}

  /** The same, of a table that has no key so far. */
  static Scenario<AddPrimaryKey.Code> addPrimaryKey() {
    return new Scenario<>(
        "AddPrimaryKey",
        AddPrimaryKey.of("rolling/primary-key")
            .table("accounts")
            .name("accounts_key")
            .columns("name")
            .build(),
        Scenarios.ACCOUNTS.table(
            "name text NOT NULL",
            "'n' || i",
            "ALTER TABLE accounts DROP CONSTRAINT accounts_pkey",
            "CREATE INDEX ON accounts (id)"),
        "name",
        List.of(List.of(), List.of(AddPrimaryKey.Code.CONFORMS), List.of(AddPrimaryKey.Code.NEEDS)),
        stage ->
            switch (stage) {
              case MAY_VIOLATE -> named(stage).drafts(Account::subject);
              case CONFORMS -> named(stage);
              case NEEDS -> named(stage).upserts("name");
            },
        Account::subject,
        phase -> NAME,
        0);
  }

  private static Code named(Enum<?> stage) {
    return Code.of(stage).reads("name").writes("name");
  }
}
