package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** Roll-outs of single columns, and of what they are given. */
public final class Columns {

  private static final List<String> NAME = List.of("name");

  private final Accounts accounts;

  public Columns(Accounts accounts) {
    this.accounts = accounts;
  }

  public Scenario<AddColumn.Code> addColumn() {
    return new Scenario<>(
        "AddColumn",
        Accounts.shared(AddColumn.of("rolling/add"))
            .table("accounts")
            .column("region", accounts.sql().text())
            .notNull()
            .fillWithSql("upper(country)")
            .build(),
        accounts.table("", ""),
        "NULL",
        List.of(List.of(), List.of(AddColumn.Code.WRITES), List.of(AddColumn.Code.READS)),
        stage ->
            switch (stage) {
              case UNAWARE -> accounts.old(Code.of(stage));
              case WRITES ->
                  accounts.fresh(
                      Code.of(stage).reads("region").writes("region").omitting(null).tolerant());
              case READS -> accounts.fresh(Code.of(stage).reads("region").writes("region"));
            },
        account -> account.country().toUpperCase(Locale.ROOT),
        phase -> phase >= AddColumn.BACKFILL ? List.of("region") : List.of(),
        0);
  }

  /** Code gives every row that it writes a value; the others get theirs meanwhile. */
  public Scenario<Backfill.Code> backfill() {
    return new Scenario<>(
            "Backfill",
            Accounts.shared(Backfill.of("rolling/fill"))
                .table("accounts")
                .set("region", "upper(country)")
                .where("region IS NULL")
                .build(),
            accounts.table(accounts.text("region", ""), "NULL"),
            "region",
            List.of(List.of(), List.of(Backfill.Code.NEEDS)),
            stage ->
                switch (stage) {
                  case UNAWARE -> Code.of(stage).writes("region");
                  case NEEDS -> Code.of(stage).reads("region").writes("region");
                },
            account -> account.country().toUpperCase(Locale.ROOT),
            phase -> phase >= Backfill.BACKFILL ? List.of("region") : List.of(),
            0)
        .harming();
  }

  public Scenario<DropColumn.Code> dropColumn() {
    return new Scenario<>(
        "DropColumn",
        DropColumn.of("rolling/drop")
            .table("accounts")
            .column("legacy")
            .fillBackWithSql(accounts.sql().concat("'filled-'", "id"))
            .batchRows(Accounts.BATCH)
            .batchPause(Accounts.PAUSE)
            .retention(Duration.ZERO)
            .build(),
        accounts.table(
            accounts.text("legacy", " NOT NULL" + accounts.notEmpty("legacy")),
            accounts.numbered("l")),
        "legacy",
        List.of(List.of(), List.of(DropColumn.Code.NOT_READING), List.of(DropColumn.Code.UNUSED)),
        stage ->
            switch (stage) {
              case USES -> accounts.old(Code.of(stage).reads("legacy").writes("legacy"));
              case NOT_READING -> Code.of(stage).writes("legacy");
              case UNUSED -> Code.of(stage);
            },
        account -> "filled-" + account.id(),
        phase -> phase == 0 ? List.of("legacy") : List.of(),
        0);
  }

  public Scenario<SetDefault.Code> setDefault() {
    return new Scenario<>(
            "SetDefault",
            SetDefault.of("rolling/default")
                .table("accounts")
                .column("name")
                .defaultSql("'nobody'")
                .build(),
            accounts.table(
                accounts.text("name", " NOT NULL DEFAULT 'anon'"), accounts.numbered("n")),
            "name",
            List.of(List.of(), List.of(SetDefault.Code.NEEDS)),
            stage ->
                stage == SetDefault.Code.NEEDS ? named(stage).omitting("nobody") : named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming(Harm.OF_NEW_CODE);
  }

  public Scenario<DropDefault.Code> dropDefault() {
    return new Scenario<>(
            "DropDefault",
            DropDefault.of("rolling/no-default").table("accounts").column("name").build(),
            accounts.table(
                accounts.text("name", " NOT NULL DEFAULT 'anon'"), accounts.numbered("n")),
            "name",
            List.of(List.of(), List.of(DropDefault.Code.UNUSED)),
            stage -> stage == DropDefault.Code.USES ? named(stage).omitting("anon") : named(stage),
            Account::subject,
            phase -> NAME,
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  /**
   * Only a row without a name could harm old code, and code that may still meet the old rule writes
   * none.
   */
  public Scenario<DropNotNull.Code> dropNotNull() {
    return new Scenario<>(
            "DropNotNull",
            DropNotNull.of("rolling/nullable").table("accounts").column("name").build(),
            accounts.table(accounts.text("name", " NOT NULL"), accounts.numbered("n")),
            "name",
            List.of(List.of(), List.of(DropNotNull.Code.UNUSED)),
            stage -> stage == DropNotNull.Code.USES ? named(stage) : named(stage).tolerant(),
            Account::subject,
            phase -> NAME,
            0)
        .harming();
  }

  /** Made of what every release writes. */
  public Scenario<AddGeneratedColumn.Code> addGeneratedColumn() {
    return new Scenario<>(
            "AddGeneratedColumn",
            AddGeneratedColumn.of("rolling/generated")
                .table("accounts")
                .column("region", accounts.sql().text())
                .expression("upper(country)")
                .build(),
            accounts.table("", ""),
            "NULL",
            List.of(List.of(), List.of(AddGeneratedColumn.Code.NEEDS)),
            stage ->
                stage == AddGeneratedColumn.Code.NEEDS
                    ? accounts.fresh(Code.of(stage).reads("region"))
                    : accounts.old(Code.of(stage)),
            account -> account.country().toUpperCase(Locale.ROOT),
            phase -> phase == AddGeneratedColumn.DONE ? List.of("region") : List.of(),
            0)
        .harming(Harm.OF_NEW_CODE);
  }

  private static Code named(Enum<?> stage) {
    return Code.of(stage).reads("name").writes("name");
  }
}
