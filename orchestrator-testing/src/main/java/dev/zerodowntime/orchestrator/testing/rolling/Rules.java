package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.util.List;

/**
 * Roll-outs of rules that rows must obey, and of indexes. Old code breaks rules for the length of a
 * transaction, which is a matter of course before there is the rule, and leaves nothing behind that
 * does.
 */
public final class Rules {

  private static final List<String> NAME = List.of("name");

  private final Accounts accounts;

  public Rules(Accounts accounts) {
    this.accounts = accounts;
  }

  /** Old code inserts a row, and finds out afterwards what it is called. */
  public Scenario<SetNotNull.Code> setNotNull() {
    return new Scenario<>(
            "SetNotNull",
            SetNotNull.of("rolling/not-null").table("accounts").column("name").build(),
            accounts.table(accounts.text("name", ""), accounts.numbered("n")),
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

  public Scenario<AddCheck.Code> addCheck() {
    return new Scenario<>(
            "AddCheck",
            AddCheck.of("rolling/check")
                .table("accounts")
                .name("has_name")
                .expression("name <> ''")
                .build(),
            accounts.table(accounts.text("name", " NOT NULL"), accounts.numbered("n")),
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
  public Scenario<AddUnique.Code> addUnique() {
    return new Scenario<>(
        "AddUnique",
        AddUnique.of("rolling/unique")
            .table("accounts")
            .name("accounts_name")
            .columns("name")
            .build(),
        accounts.lookedUp(accounts.text("name", " NOT NULL")),
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

  /** Old code writes what refers to a row before it writes that row. */
  public Scenario<AddForeignKey.Code> addForeignKey() {
    String plan = accounts.sql().insertOnce("plans", "code", ":value");
    return new Scenario<>(
            "AddForeignKey",
            AddForeignKey.of("rolling/foreign-key")
                .table("accounts")
                .name("accounts_plan")
                .columns("plan")
                .references("plans", "code")
                .build(),
            accounts.table(
                accounts.text("plan", " NOT NULL"),
                accounts.numbered("p"),
                "CREATE INDEX by_plan ON accounts (plan)",
                "CREATE TABLE plans (" + accounts.text("code", " PRIMARY KEY)"),
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
  public Scenario<DropConstraint.Code> dropConstraint() {
    return new Scenario<>(
            "DropConstraint",
            DropConstraint.of("rolling/drop-unique")
                .table("accounts")
                .name("one_of_a_name")
                .build(),
            accounts.lookedUp(
                accounts.text("name", " NOT NULL"),
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

  public Scenario<CreateIndex.Code> createIndex() {
    return new Scenario<>(
            "CreateIndex",
            CreateIndex.of("rolling/index")
                .table("accounts")
                .name("accounts_by_name")
                .columns("country", "name")
                .build(),
            accounts.table(accounts.named(), accounts.numbered("n")),
            "name",
            List.of(List.of(), List.of(CreateIndex.Code.NEEDS)),
            stage -> Code.of(stage).reads("name").writes("name").omitting("anon"),
            Account::subject,
            phase -> List.of("name"),
            0)
        .harming();
  }

  /** Old code upserts on the index. */
  public Scenario<DropIndex.Code> dropIndex() {
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

  public Scenario<Reindex.Code> reindex() {
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

  /** Upserts name no index, and so find it under either name. */
  public Scenario<RenameIndex.Code> renameIndex() {
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

  private List<String> uniqueName() {
    return accounts.lookedUp(
        accounts.text("name", " NOT NULL"), "CREATE UNIQUE INDEX one_of_a_name ON accounts (name)");
  }

  private static Code named(Enum<?> stage) {
    return Code.of(stage).reads("name").writes("name");
  }
}
