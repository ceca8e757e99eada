package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.PlanPhase;
import dev.zerodowntime.orchestrator.operation.PlanStep;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Whether these servers can carry a plan out: DDL commits by itself here, so each step has one
 * statement, and each ALTER says how it is to be done.
 */
final class PlanCheck {

  private static final Pattern INSTANT =
      Pattern.compile("\\bALGORITHM\\s*=\\s*INSTANT\\b", Pattern.CASE_INSENSITIVE);

  /** What a server refuses, rather than to do it with writes blocked. */
  private static final Pattern IN_PLACE =
      Pattern.compile(
          "\\bALGORITHM\\s*=\\s*(?:INPLACE|NOCOPY)\\b.*\\bLOCK\\s*=\\s*NONE\\b",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern ALTER =
      Pattern.compile("ALTER\\s+TABLE\\b.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern INDEX =
      Pattern.compile(
          "(?:CREATE\\s+(?:UNIQUE\\s+|FULLTEXT\\s+|SPATIAL\\s+)?|DROP\\s+)INDEX\\b.*",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern SHORT =
      Pattern.compile("(?:CREATE|DROP|RENAME)\\s.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern TRIGGER =
      Pattern.compile("CREATE\\s.*?\\bTRIGGER\\b.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private final PhasePlan<?> plan;
  private final Target target;
  private final Catalog catalog;
  private final Connection connection;

  PlanCheck(PhasePlan<?> plan, Target target, MysqlVersion version, Connection connection)
      throws SQLException {
    this.plan = plan;
    this.target = target;
    this.catalog = new Catalog(plan, target, version, connection);
    this.connection = connection;
  }

  void requireStatements() throws SQLException {
    requireDatabase();
    for (PlanPhase phase : plan.phases()) {
      for (PlanStep step : phase.steps()) {
        if (step instanceof PlanStep.Ddl ddl) {
          requireOne(step, ddl.sql(), false);
          requireOne(step, ddl.undo(), PhasePlan.runsOnline(ddl.undo()));
        } else if (step instanceof PlanStep.Online online) {
          requireOne(step, List.of(online.sql()), true);
          requireOne(step, online.undo(), PhasePlan.runsOnline(online.undo()));
        }
      }
    }
  }

  /** Names without a database must mean the same to every driver. */
  private void requireDatabase() throws SQLException {
    String current = catalog.list("SELECT DATABASE()", row -> row.getString(1)).get(0);
    if (!plan.namesSchema() && !target.schema().equals(current)) {
      throw catalog.refuse(
          "its SQL names no database, and this connection looks names up in "
              + current
              + ", not in \""
              + target.schema()
              + "\"",
          "Write " + PhasePlan.SCHEMA + ".name in its SQL; or connect to that database.");
    }
  }

  private void requireOne(PlanStep step, List<String> sql, boolean online) throws SQLException {
    List<String> statements = PhasePlan.statements(sql);
    if (statements.isEmpty()) {
      return;
    }
    String what = "step \"" + step.name() + "\"";
    if (statements.size() > 1) {
      throw catalog.refuse(
          what + " has " + statements.size() + " statements, each of which would commit by itself",
          "Make a step of each, with a probe of its own.");
    }
    String statement = statements.get(0);
    String does = what + " does \"" + statement + "\"";
    if (INDEX.matcher(statement).matches()) {
      throw catalog.refuse(
          does + ", which can't say how it is to be done on every server",
          "ALTER TABLE ... ADD KEY or DROP KEY, ALGORITHM=INPLACE, LOCK=NONE.");
    }
    boolean instant = INSTANT.matcher(statement).find();
    if (ALTER.matcher(statement).matches()) {
      if (!instant && !IN_PLACE.matcher(statement).find()) {
        throw catalog.refuse(
            does + ", which the server may do by a copy of the table, with every write blocked",
            "Add ALGORITHM=INSTANT in ddl(...), or ALGORITHM=INPLACE, LOCK=NONE in online(...): the"
                + " server then refuses it rather.");
      }
      if (online && instant) {
        throw catalog.refuse(
            does + " without the lock budget", "Use ddl(...) for what is INSTANT.");
      }
    } else if (online || !SHORT.matcher(statement).matches()) {
      throw catalog.refuse(
          does + ", which is no DDL that is known to be short",
          "CREATE, DROP and RENAME, and ALTER TABLE, are for ddl(...); rows for backfill(...) and"
              + " java(...).");
    }
    if (TRIGGER.matcher(statement).matches()) {
      OwnTriggers.require(catalog, catalog.table(plan.table()));
    }
  }

  /** Where nothing of the plan has happened, a probe must be a question that can be asked. */
  void requireAnswers(PlanStep step) throws SQLException {
    String probe =
        step instanceof PlanStep.Ddl ddl
            ? ddl.probe()
            : step instanceof PlanStep.Online online ? online.probe() : null;
    if (probe == null) {
      return;
    }
    try {
      catalog.list(PlanSteps.answered(target, probe), row -> row.getBoolean(1));
    } catch (SQLException e) {
      throw catalog.refuse(
          "the probe of step \""
              + step.name()
              + "\" can't be asked: the server says \""
              + Catalog.said(e)
              + "\"",
          "Ask information_schema, which answers whether the object is there or not.");
    }
  }

  /** The key along which it is proved. */
  List<Scan.KeyColumn> requireComputable(PlanStep.Verify verify) throws SQLException {
    CatalogTable table = CatalogTable.read(catalog, target.schema(), verify.table());
    catalog.requireComputable(
        table, PlanSteps.sql(target, verify.wrong()), "of step \"" + verify.name() + "\"");
    return PrimaryKey.of(connection, plan.id(), table.schema(), table.name());
  }
}
