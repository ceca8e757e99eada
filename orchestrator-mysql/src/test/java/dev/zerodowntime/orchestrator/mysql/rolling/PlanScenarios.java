package dev.zerodowntime.orchestrator.mysql.rolling;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Accounts;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.util.List;

/** The roll-out of an author's own plan: a second column that triggers keep, to be read from. */
final class PlanScenarios {

  private static final String TRIGGER =
      "CREATE TRIGGER {schema}.%s BEFORE %s ON {schema}.accounts FOR EACH ROW SET NEW.line ="
          + " NEW.street";

  private static final int BACKFILL = 2;

  private PlanScenarios() {}

  enum Line implements CodeStage {
    READS_STREET,
    READS_LINE
  }

  /** Old code is never harmed: the column that it doesn't know is invisible. */
  static Scenario<Line> line() {
    return new Scenario<>(
            "PhasePlan",
            plan(),
            MysqlScenarios.ACCOUNTS.table("street varchar(60)", "CONCAT('s', i)"),
            "street",
            List.of(List.of(), List.of(Line.READS_STREET), List.of(Line.READS_LINE)),
            stage ->
                Code.of(stage)
                    .reads(stage == Line.READS_LINE ? "line" : "street")
                    .writes("street")
                    .named(),
            Account::subject,
            phase -> phase >= BACKFILL ? List.of("street", "line") : List.of("street"),
            0)
        .harming(Harm.OF_NEW_CODE);
  }

  private static PhasePlan<Line> plan() {
    return Accounts.shared(PhasePlan.of("rolling/line", Line.class))
        .table("accounts")
        .allowTriggers("accounts_line_insert", "accounts_line_update")
        .phase(
            "EXPAND",
            phase ->
                phase
                    .ddl(
                        "add line",
                        "ALTER TABLE {schema}.accounts ADD COLUMN line varchar(60) INVISIBLE,"
                            + " ALGORITHM=INSTANT")
                    .probe(has("COLUMNS", "TABLE_NAME = 'accounts' AND COLUMN_NAME = 'line'"))
                    .override("drop-column", "nobody knows it there")
                    .undo("ALTER TABLE {schema}.accounts DROP COLUMN line, ALGORITHM=INSTANT")
                    .ddl("keep inserts", TRIGGER.formatted("accounts_line_insert", "INSERT"))
                    .probe(has("TRIGGERS", "TRIGGER_NAME = 'accounts_line_insert'"))
                    .undo("DROP TRIGGER {schema}.accounts_line_insert")
                    .ddl("keep updates", TRIGGER.formatted("accounts_line_update", "UPDATE"))
                    .probe(has("TRIGGERS", "TRIGGER_NAME = 'accounts_line_update'"))
                    .undo("DROP TRIGGER {schema}.accounts_line_update"))
        .phase(
            "BACKFILL",
            phase ->
                phase.backfill(
                    "fill",
                    rows ->
                        rows.set("line", "street")
                            .where("NOT (line <=> street)")
                            .undo("line", "street")))
        .phase(
            "DONE",
            phase ->
                phase
                    .verify("nothing differs", "NOT (line <=> street)")
                    .online(
                        "index line",
                        "ALTER TABLE {schema}.accounts ADD KEY by_line (line), ALGORITHM=INPLACE,"
                            + " LOCK=NONE")
                    .probe(has("STATISTICS", "TABLE_NAME = 'accounts' AND INDEX_NAME = 'by_line'"))
                    .override("drop-column", "it is an index")
                    .undo(
                        "ALTER TABLE {schema}.accounts DROP KEY by_line, ALGORITHM=INPLACE,"
                            + " LOCK=NONE"))
        .stage(Line.READS_STREET, "NOT_STARTED", "DONE")
        .stage(Line.READS_LINE, "DONE", "DONE")
        .build();
  }

  private static String has(String view, String condition) {
    String schema = view.equals("TRIGGERS") ? "TRIGGER_SCHEMA" : "TABLE_SCHEMA";
    return "SELECT EXISTS (SELECT 1 FROM information_schema."
        + view
        + " WHERE "
        + schema
        + " = '{schema}' AND "
        + condition
        + ")";
  }
}
