package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.operation.DetachPartition;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.util.List;

/** Roll-outs of whole tables: the subject is in one of its own. */
final class TableScenarios {

  private static final String NOTHING = "NULL";

  private TableScenarios() {}

  /** Old code gives a row its year after it has written it. */
  static Scenario<AttachPartition.Code> attachPartition() {
    String insert =
        "INSERT INTO bodies_26 (account, year, body) VALUES (:id, %d, :value)"
            + " ON CONFLICT (account) DO UPDATE SET year = excluded.year, body = excluded.body";
    return new Scenario<>(
            "AttachPartition",
            AttachPartition.of("rolling/attach")
                .table("bodies")
                .partition("bodies_26")
                .bound("FOR VALUES FROM (26) TO (27)")
                .build(),
            Scenarios.ACCOUNTS.table(
                "",
                "",
                "CREATE TABLE bodies (account bigint NOT NULL, year int NOT NULL, body text)"
                    + " PARTITION BY RANGE (year)",
                "CREATE INDEX ON bodies (body)",
                bodies("bodies_26", "year int NOT NULL, "),
                "INSERT INTO bodies_26 SELECT id, 26, 'b' || id FROM accounts"),
            body("bodies_26"),
            List.of(List.of(), List.of(AttachPartition.Code.CONFORMS)),
            stage -> {
              Code code =
                  Code.of(stage)
                      .tolerant()
                      .joins("LEFT JOIN bodies_26 ON account = id")
                      .reads("body");
              return stage == AttachPartition.Code.CONFORMS
                  ? code.after(insert.formatted(26))
                  : code.after(insert.formatted(0))
                      .after("UPDATE bodies_26 SET year = 26 WHERE account = :id");
            },
            account -> null,
            phase ->
                phase == AttachPartition.DONE
                    ? List.of(body("bodies"), body("bodies_26"))
                    : List.of(body("bodies_26")),
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  /**
   * Old code finds its rows by way of the partitioned table, new code in the partition. No foreign
   * key: with transactions that write both tables all the time it is a matter of luck when the
   * server gets its locks on both.
   */
  static Scenario<DetachPartition.Code> detachPartition() {
    return new Scenario<>(
            "DetachPartition",
            DetachPartition.of("rolling/detach").table("bodies").partition("bodies_26").build(),
            Scenarios.ACCOUNTS.table(
                "",
                "",
                "CREATE TABLE bodies (account bigint,"
                    + " year int, body text, PRIMARY KEY (account, year)) PARTITION BY RANGE (year)",
                "CREATE TABLE bodies_25 PARTITION OF bodies FOR VALUES FROM (25) TO (26)",
                "CREATE TABLE bodies_26 PARTITION OF bodies FOR VALUES FROM (26) TO (27)",
                "INSERT INTO bodies SELECT id, 26, 'b' || id FROM accounts"),
            body("bodies"),
            List.of(List.of(), List.of(DetachPartition.Code.UNUSED)),
            stage -> {
              String table = stage == DetachPartition.Code.USES ? "bodies" : "bodies_26";
              return Code.of(stage)
                  .tolerant()
                  .joins("LEFT JOIN " + table + " ON account = id")
                  .reads("body")
                  .after(
                      "INSERT INTO "
                          + table
                          + " (account, year, body) VALUES (:id, 26, :value)"
                          + " ON CONFLICT (account, year) DO UPDATE SET body = excluded.body");
            },
            account -> null,
            phase -> List.of(body(phase == 0 ? "bodies" : "bodies_26")),
            0)
        .harming(Harm.OF_OLD_CODE);
  }

  private static String bodies(String name, String more) {
    return "CREATE TABLE "
        + name
        + " (account bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE, "
        + more
        + "body text)";
  }

  private static String body(String table) {
    return "(SELECT body FROM " + table + " WHERE account = id)";
  }
}
