package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.List;

/** What a column has besides values and constraints: privileges, comment, statistics. */
final class ColumnTwinSettings {

  private final ColumnTwin twin;
  private final ColumnFacts facts;

  ColumnTwinSettings(ColumnTwin twin) {
    this.twin = twin;
    this.facts = twin.facts();
  }

  List<Step> add() {
    List<Step> steps = new ArrayList<>();
    grants(steps);
    comment(steps);
    statistics(steps);
    analyze(steps);
    return steps;
  }

  private void grants(List<Step> steps) {
    List<String> sql = new ArrayList<>();
    StringBuilder done = new StringBuilder("true");
    for (ColumnFacts grant : facts.list("grants")) {
      String privilege = grant.text("privilege");
      sql.add(
          "GRANT "
              + privilege
              + " ("
              + twin.to()
              + ") ON "
              + twin.table()
              + " TO "
              + grant.text("grantee")
              + (grant.flag("grantable") ? " WITH GRANT OPTION" : ""));
      String role = grant.optional("role");
      done.append(
          " AND EXISTS (SELECT 1 FROM pg_catalog.aclexplode(a.attacl) x WHERE x.privilege_type = "
              + Sql.literal(privilege)
              + " AND x.is_grantable = "
              + grant.flag("grantable")
              + " AND x.grantee = "
              + (role == null
                  ? "0"
                  : "(SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = "
                      + Sql.literal(role)
                      + ")")
              + ")");
    }
    if (!sql.isEmpty()) {
      steps.add(
          twin.ddl(
              "grants",
              "the column's own privileges",
              "ACCESS SHARE",
              twin.column(twin.to(), done.toString()),
              sql));
    }
  }

  private void comment(List<Step> steps) {
    String comment = facts.optional("comment");
    if (comment != null) {
      steps.add(
          twin.ddl(
              "comment",
              "the comment",
              "SHARE UPDATE EXCLUSIVE",
              twin.column(
                  twin.to(),
                  ColumnTwin.commented(
                      "pg_catalog.col_description(a.attrelid, a.attnum)", comment)),
              "COMMENT ON COLUMN "
                  + twin.table()
                  + "."
                  + twin.to()
                  + " IS "
                  + Sql.literal(comment)));
    }
  }

  private void statistics(List<Step> steps) {
    Long target = facts.number("statistics");
    if (target != null) {
      steps.add(
          twin.ddl(
              "statistics",
              "the statistics target",
              "SHARE UPDATE EXCLUSIVE",
              twin.column(twin.to(), "a.attstattarget = " + target),
              ColumnTwinContract.alter(twin, twin.to()) + "SET STATISTICS " + target));
    }
    String options = facts.optional("options");
    if (options != null) {
      steps.add(
          twin.ddl(
              "options",
              "the column's options",
              "SHARE UPDATE EXCLUSIVE",
              twin.column(
                  twin.to(), "a.attoptions::text = " + Sql.literal(facts.text("rawOptions"))),
              ColumnTwinContract.alter(twin, twin.to()) + "SET (" + options + ")"));
    }
  }

  /** Code that uses the new name must not meet a planner that knows nothing of the column. */
  private void analyze(List<Step> steps) {
    Long target = facts.number("statistics");
    if (target != null && target == 0) {
      return;
    }
    String stats =
        "EXISTS (SELECT 1 FROM pg_catalog.pg_stats s JOIN pg_catalog.pg_class c ON c.oid = "
            + twin.oid()
            + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE s.schemaname ="
            + " n.nspname AND s.tablename = c.relname AND s.attname = ";
    steps.add(
        twin.online(
            "analyze",
            "the planner gets to know the new column before code uses it",
            "ANALYZE " + twin.table(),
            "NOT "
                + stats
                + ColumnTwin.unquoted(twin.from())
                + ") OR "
                + stats
                + ColumnTwin.unquoted(twin.to())
                // Of nothing there are no statistics.
                + ") OR NOT EXISTS (SELECT 1 FROM "
                + twin.table()
                + ")"));
  }
}
