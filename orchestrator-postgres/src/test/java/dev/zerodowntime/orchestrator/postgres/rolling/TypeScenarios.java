package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.operation.WidenKey;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Accounts;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Code.Form;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Roll-outs of other types. */
final class TypeScenarios {

  private TypeScenarios() {}

  /** Text becomes a number; code upserts on either, where it may. */
  static Scenario<ChangeColumnType.Code> changeColumnType() {
    return new Scenario<>(
        "ChangeColumnType",
        ChangeColumnType.of("rolling/type")
            .table("accounts")
            .from("code")
            .to("code_number")
            .type("bigint")
            .up("code::bigint")
            .down("code_number::text")
            .batchRows(Accounts.BATCH)
            .batchPause(Accounts.PAUSE)
            .retention(Duration.ZERO)
            .build(),
        Scenarios.ACCOUNTS.table(
            "code text NOT NULL", "i", "CREATE UNIQUE INDEX ON accounts (code)"),
        "code",
        List.of(
            List.of(),
            List.of(ChangeColumnType.Code.USES_NEW_COLUMN),
            List.of(ChangeColumnType.Code.USES_NEW_VALUES)),
        stage -> {
          Code base = Code.of(stage).values(TypeScenarios::number);
          Code fresh = base.as(Scenarios.cast("bigint")).reads("code_number").writes("code_number");
          return switch (stage) {
            case USES_OLD_COLUMN -> base.reads("code").writes("code").upserts("code");
            case USES_NEW_COLUMN -> fresh;
            case USES_NEW_VALUES -> fresh.upserts("code_number");
          };
        },
        Account::subject,
        phase -> changed(phase, "code", "code_number::text"),
        0);
  }

  /** Another unit as well; the release in the middle can do either. */
  static Scenario<ChangeColumnType.Code> changeUnit() {
    Form grams =
        new Form("?::bigint", kilos -> kilos + "000", found -> found.replaceFirst("000$", ""));
    return new Scenario<>(
        "ChangeColumnType, unit",
        Accounts.shared(ChangeColumnType.of("rolling/unit"))
            .table("accounts")
            .from("kilos")
            .to("grams")
            .type("bigint")
            .up("kilos::bigint * 1000")
            .down("(grams / 1000)::int")
            .defaultSql("7000")
            .retention(Duration.ZERO)
            .build(),
        Scenarios.ACCOUNTS.table("kilos int NOT NULL DEFAULT 7 CHECK (kilos > 0)", "i"),
        "kilos::text",
        List.of(
            List.of(),
            List.of(ChangeColumnType.Code.USES_OLD_COLUMN, ChangeColumnType.Code.USES_NEW_COLUMN),
            List.of(ChangeColumnType.Code.USES_NEW_COLUMN)),
        stage -> {
          Code base = Code.of(stage).values(TypeScenarios::number).omitting("7");
          return stage == ChangeColumnType.Code.USES_OLD_COLUMN
              ? base.as(Scenarios.cast("int")).reads("kilos").writes("kilos")
              : base.as(grams).reads("grams").writes("grams");
        },
        Account::subject,
        phase -> changed(phase, "kilos::text", "(grams / 1000)::text"),
        0);
  }

  /**
   * No code writes more than the old type holds, for it can't know whether the new one is there.
   */
  static Scenario<WidenColumn.Code> widenColumn() {
    return new Scenario<>(
            "WidenColumn",
            WidenColumn.of("rolling/widen")
                .table("accounts")
                .column("name")
                .type("varchar(200)")
                .build(),
            Scenarios.ACCOUNTS.table(
                "name varchar(60) NOT NULL DEFAULT 'anon' CHECK (name <> '')",
                "'n' || i",
                "CREATE INDEX ON accounts (name)"),
            "name",
            List.of(List.of(), List.of(WidenColumn.Code.EITHER_TYPE)),
            stage -> Code.of(stage).reads("name").writes("name").omitting("anon"),
            Account::subject,
            phase -> List.of("name"),
            0)
        .harming()
        .consenting();
  }

  /** Keys stay below what the old type holds, for the way back to be open. */
  static Scenario<WidenKey.Code> widenKey() {
    List<String> tables =
        new ArrayList<>(Scenarios.ACCOUNTS.table("name text NOT NULL", "'n' || i"));
    tables.set(0, tables.get(0).replace("id bigint", "id int"));
    return new Scenario<>(
            "WidenKey",
            Accounts.shared(WidenKey.of("rolling/widen-key"))
                .table("accounts")
                .column("id")
                .noUpserts()
                .retention(Duration.ZERO)
                .build(),
            tables,
            "name",
            List.of(List.of(), List.of(WidenKey.Code.EITHER_TYPE)),
            stage -> Code.of(stage).reads("name").writes("name"),
            Account::subject,
            phase -> List.of("name"),
            0)
        .harming();
  }

  private static String number(int slice, long number) {
    return Long.toString(10_000_000L + slice * 100_000L + number);
  }

  private static List<String> changed(int phase, String from, String to) {
    if (phase >= ChangeColumnType.CONTRACT) {
      return List.of(to);
    }
    return phase >= ChangeColumnType.BACKFILL ? List.of(from, to) : List.of(from);
  }
}
