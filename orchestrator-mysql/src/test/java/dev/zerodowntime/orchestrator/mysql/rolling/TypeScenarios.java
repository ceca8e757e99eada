package dev.zerodowntime.orchestrator.mysql.rolling;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Accounts;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.time.Duration;
import java.util.List;

/** Roll-outs of other types. The new column is invisible until CONTRACT. */
final class TypeScenarios {

  private TypeScenarios() {}

  /**
   * Text becomes a number; code upserts on either, where it may. Old code breaks from CONTRACT on,
   * where the new column has to be given. On MySQL it doesn't come to that while it upserts: of
   * CONTRACT's rebuild in place, each upsert that found its row is an inserted row that was taken
   * back, which MySQL finds to be a duplicate (1062), again and again. So MariaDB alone shows it.
   */
  static Scenario<ChangeColumnType.Code> changeColumnType(MysqlServer.Flavor flavor) {
    return new Scenario<>(
            "ChangeColumnType",
            ChangeColumnType.of("rolling/type")
                .table("accounts")
                .from("code")
                .to("code_number")
                .type("bigint")
                .up("CAST(code AS SIGNED)")
                .down("CAST(code_number AS CHAR)")
                .batchRows(Accounts.BATCH)
                .batchPause(Accounts.PAUSE)
                .retention(Duration.ZERO)
                .build(),
            MysqlScenarios.ACCOUNTS.table(
                "code varchar(60) NOT NULL",
                "i",
                "CREATE UNIQUE INDEX one_of_a_code ON accounts (code)"),
            "code",
            List.of(
                List.of(),
                List.of(ChangeColumnType.Code.USES_NEW_COLUMN),
                List.of(ChangeColumnType.Code.USES_NEW_VALUES)),
            stage -> {
              Code base = Code.of(stage).values(TypeScenarios::number);
              Code fresh = base.reads("code_number").writes("code_number").named();
              return switch (stage) {
                case USES_OLD_COLUMN -> base.reads("code").writes("code").upserts("code");
                case USES_NEW_COLUMN -> fresh;
                case USES_NEW_VALUES -> fresh.upserts("code_number");
              };
            },
            Account::subject,
            TypeScenarios::changed,
            0)
        .harming(
            flavor == MysqlServer.Flavor.MARIADB ? Harm.values() : new Harm[] {Harm.OF_NEW_CODE});
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
                .type("varchar(63)")
                .build(),
            MysqlScenarios.ACCOUNTS.table(
                "name varchar(60) NOT NULL DEFAULT 'anon'",
                "CONCAT('n', i)",
                "CREATE INDEX by_name ON accounts (name)"),
            "name",
            List.of(List.of(), List.of(WidenColumn.Code.EITHER_TYPE)),
            stage -> Code.of(stage).reads("name").writes("name").omitting("anon"),
            Account::subject,
            phase -> List.of("name"),
            0)
        .harming()
        .consenting();
  }

  private static String number(int slice, long number) {
    return Long.toString(10_000_000L + slice * 100_000L + number);
  }

  private static List<String> changed(int phase) {
    if (phase >= ChangeColumnType.CONTRACT) {
      return List.of("code_number");
    }
    return phase >= ChangeColumnType.BACKFILL ? List.of("code", "code_number") : List.of("code");
  }
}
