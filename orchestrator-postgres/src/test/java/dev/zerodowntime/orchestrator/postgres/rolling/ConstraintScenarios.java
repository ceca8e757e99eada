package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.rolling.Scenario.Harm;
import java.util.List;

/**
 * Roll-outs of rules that rows must obey. Old code breaks them for the length of a transaction,
 * which is a matter of course before there is the rule, and leaves nothing behind that does.
 */
final class ConstraintScenarios {

  private static final List<String> NAME = List.of("name");

  private ConstraintScenarios() {}

  /** Old code inserts a row, and finds out afterwards what it is called. */
  static Scenario<SetNotNull.Code> setNotNull() {
    return new Scenario<>(
            "SetNotNull",
            SetNotNull.of("rolling/not-null").table("accounts").column("name").build(),
            Scenarios.table("name text", "'n' || i"),
            "name",
            List.of(List.of(), List.of(SetNotNull.Code.CONFORMS)),
            stage ->
                stage == SetNotNull.Code.MAY_VIOLATE
                    ? named(stage).drafts(other -> null).tolerant()
                    : named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  static Scenario<AddCheck.Code> addCheck() {
    return new Scenario<>(
            "AddCheck",
            AddCheck.of("rolling/check")
                .table("accounts")
                .name("has_name")
                .expression("name <> ''")
                .build(),
            Scenarios.table("name text NOT NULL", "'n' || i"),
            "name",
            List.of(List.of(), List.of(AddCheck.Code.CONFORMS)),
            stage ->
                stage == AddCheck.Code.MAY_VIOLATE
                    ? named(stage).drafts(other -> "")
                    : named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  /** Old code copies a row first and then gives the copy a name; the newest upserts. */
  static Scenario<AddUnique.Code> addUnique() {
    return new Scenario<>(
        "AddUnique",
        AddUnique.of("rolling/unique")
            .table("accounts")
            .name("accounts_name")
            .columns("name")
            .build(),
        Scenarios.table("name text NOT NULL", "'n' || i"),
        "name",
        List.of(List.of(), List.of(AddUnique.Code.CONFORMS), List.of(AddUnique.Code.NEEDS)),
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

  /** The same, of a table that has no key so far. */
  static Scenario<AddPrimaryKey.Code> addPrimaryKey() {
    return new Scenario<>(
        "AddPrimaryKey",
        AddPrimaryKey.of("rolling/primary-key")
            .table("accounts")
            .name("accounts_key")
            .columns("name")
            .build(),
        Scenarios.table(
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

  /** Old code writes what refers to a row before it writes that row. */
  static Scenario<AddForeignKey.Code> addForeignKey() {
    String plan = "INSERT INTO plans (code) VALUES (:value) ON CONFLICT DO NOTHING";
    return new Scenario<>(
            "AddForeignKey",
            AddForeignKey.of("rolling/foreign-key")
                .table("accounts")
                .name("accounts_plan")
                .columns("plan")
                .references("plans", "code")
                .build(),
            Scenarios.table(
                "plan text NOT NULL",
                "'p' || i",
                "CREATE INDEX ON accounts (plan)",
                "CREATE TABLE plans (code text PRIMARY KEY)",
                "INSERT INTO plans SELECT DISTINCT plan FROM accounts"),
            "plan",
            List.of(List.of(), List.of(AddForeignKey.Code.CONFORMS)),
            stage -> {
              Code code = Code.of(stage).reads("plan").writes("plan");
              return stage == AddForeignKey.Code.MAY_VIOLATE ? code.after(plan) : code.before(plan);
            },
            Account::subject,
            phase -> List.of("plan"),
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  /** Old code upserts on the constraint's columns. */
  static Scenario<DropConstraint.Code> dropConstraint() {
    return new Scenario<>(
            "DropConstraint",
            DropConstraint.of("rolling/drop-unique")
                .table("accounts")
                .name("one_of_a_name")
                .build(),
            Scenarios.table(
                "name text NOT NULL",
                "'n' || i",
                "ALTER TABLE accounts ADD CONSTRAINT one_of_a_name UNIQUE (name)"),
            "name",
            List.of(List.of(), List.of(DropConstraint.Code.UNUSED)),
            stage ->
                stage == DropConstraint.Code.USES ? named(stage).upserts("name") : named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  /** Old code upserts on the index. */
  static Scenario<DropIndex.Code> dropIndex() {
    return new Scenario<>(
            "DropIndex",
            DropIndex.of("rolling/drop-index").table("accounts").name("one_of_a_name").build(),
            uniqueName(),
            "name",
            List.of(List.of(), List.of(DropIndex.Code.UNUSED)),
            stage -> stage == DropIndex.Code.USES ? named(stage).upserts("name") : named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  static Scenario<Reindex.Code> reindex() {
    return new Scenario<>(
            "Reindex",
            Reindex.of("rolling/reindex").table("accounts").name("one_of_a_name").build(),
            uniqueName(),
            "name",
            List.of(List.of(), List.of(Reindex.Code.UNAWARE)),
            stage -> named(stage).upserts("name"),
            Account::subject,
            phase -> NAME,
            0)
        .harming();
  }

  /** Upserts name the column, and so find the index under either name. */
  static Scenario<RenameIndex.Code> renameIndex() {
    return new Scenario<>(
            "RenameIndex",
            RenameIndex.of("rolling/rename-index")
                .table("accounts")
                .from("one_of_a_name")
                .to("accounts_by_name")
                .build(),
            uniqueName(),
            "name",
            List.of(List.of(), List.of(RenameIndex.Code.UNAWARE)),
            stage -> named(stage).upserts("name"),
            Account::subject,
            phase -> NAME,
            0)
        .harming();
  }

  private static List<String> uniqueName() {
    return Scenarios.table(
        "name text NOT NULL", "'n' || i", "CREATE UNIQUE INDEX one_of_a_name ON accounts (name)");
  }

  /**
   * Only a row without a name could harm old code, and code that may still meet the old rule writes
   * none.
   */
  static Scenario<DropNotNull.Code> dropNotNull() {
    return new Scenario<>(
            "DropNotNull",
            DropNotNull.of("rolling/nullable").table("accounts").column("name").build(),
            Scenarios.table("name text NOT NULL", "'n' || i"),
            "name",
            List.of(List.of(), List.of(DropNotNull.Code.UNUSED)),
            stage -> stage == DropNotNull.Code.USES ? named(stage) : named(stage).tolerant(),
            Account::subject,
            phase -> NAME,
            0)
        .harming();
  }

  private static Code named(Enum<?> stage) {
    return Code.of(stage).reads("name").writes("name");
  }
}
