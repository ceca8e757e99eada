package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A check comes and goes without a copy of the table, which is how a server adds one. A MariaDB
 * takes one as a column's own, whatever columns it is over: that is a change of the catalog, and
 * holds for what is written from then on. A MySQL takes one that is NOT ENFORCED: that keeps its
 * name and its columns; two triggers enforce it.
 */
final class CheckSteps {

  private final MysqlVersion version;
  private final String schema;
  private final String table;
  private final String name;
  private final Map<String, Object> facts;
  private final CheckText text;

  /**
   * Those of one check.
   *
   * @param facts with the expression, and on MariaDB the host
   */
  CheckSteps(
      MysqlVersion version, String schema, String table, String name, Map<String, Object> facts) {
    this.version = version;
    this.schema = schema;
    this.table = table;
    this.name = name;
    this.facts = facts;
    this.text = new CheckText(Facts.required(facts, AddCheckCheck.EXPRESSION));
  }

  /** In batches. What is NULL passes. */
  Step verify(String step) {
    return new VerifyStep(
        step,
        "no row may fail the check \"" + name + "\", or every update of it would fail from now on",
        new Scan(
            Sql.qualified(schema, table),
            Facts.key(facts),
            "(" + text.expression() + ") IS FALSE"));
  }

  /**
   * From now on rows that are written must pass.
   *
   * @param known whether MySQL knows it already, though it doesn't enforce it
   */
  List<Step> add(boolean known) {
    if (version.mariadb()) {
      return List.of(
          modify(
              "add-check",
              "new and changed rows must pass the check, which becomes column "
                  + Sql.quote(host())
                  + "'s own and is called like it; existing ones are not looked at",
              definition() + " CHECK (" + text.expression() + ")",
              true));
    }
    List<Step> steps = new ArrayList<>();
    if (!known) {
      steps.add(unenforced());
    }
    steps.addAll(triggers().create(text));
    return steps;
  }

  /** The check as MySQL knows it, which rejects nothing. */
  Step unenforced() {
    return Ddl.step(
        "add-check",
        "writes the check down, NOT ENFORCED, since MySQL enforces one only by copying the table:"
            + " no column of it can go or be renamed; two triggers, which stay, enforce it",
        schema,
        table,
        "ADD CONSTRAINT "
            + Sql.quote(name)
            + " CHECK ("
            + text.expression()
            + ") NOT ENFORCED"
            + Ddl.instant(),
        Probes.all(Probes.check(schema, table, name)));
  }

  /**
   * Rows may fail it from now on.
   *
   * @param known whether MySQL is to go on knowing it
   */
  List<Step> drop(boolean known) {
    if (version.mariadb()) {
      return List.of(
          modify("drop-check", "rows need not pass the check any more", definition(), false));
    }
    List<Step> steps = new ArrayList<>(triggers().drop());
    if (!known) {
      steps.add(dropNamed());
    }
    return steps;
  }

  /** By its name. */
  Step dropNamed() {
    return Ddl.step(
        "drop-check",
        "the table has the check no longer",
        schema,
        table,
        "DROP CONSTRAINT " + Sql.quote(name) + Ddl.instant(),
        Probes.all(Probes.not(Probes.check(schema, table, name))));
  }

  private CheckTriggers triggers() {
    return new CheckTriggers(schema, table, name);
  }

  private String host() {
    return Facts.required(facts, AddCheckCheck.HOST);
  }

  /** The clause that adds it to a table, enforced. */
  String clause() {
    return "ADD CONSTRAINT " + Sql.quote(name) + " CHECK (" + text.expression() + ")";
  }

  private String definition() {
    return Facts.required(facts, AddCheckCheck.DEFINITION);
  }

  private Step modify(String step, String summary, String definition, boolean there) {
    String probe = Probes.columnCheck(schema, table, host());
    return Ddl.step(
        step,
        summary,
        schema,
        table,
        "MODIFY COLUMN " + Sql.quote(host()) + " " + definition + Ddl.instant(),
        Probes.all(there ? probe : Probes.not(probe)));
  }
}
