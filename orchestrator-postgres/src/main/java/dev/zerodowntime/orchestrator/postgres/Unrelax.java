package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The way back out of RELAX. Rows were written without the column since: what they would violate
 * comes back only once they have a value.
 */
final class Unrelax {

  private final DropColumn migration;
  private final Map<String, Object> facts;
  private final String table;
  private final List<String> tables;
  private final String check;
  private final List<Step> steps = new ArrayList<>();

  Unrelax(DropColumn migration, Target target, Map<String, Object> facts) {
    this.migration = migration;
    this.facts = facts;
    this.table = Sql.qualified(target.schema(), migration.table());
    this.tables = Partitions.locked(table, facts);
    this.check = "zdo_not_null_" + Sql.hash8(migration.id(), target.schema());
  }

  List<Step> steps() {
    restoreDefault();
    boolean filled = PostgresDropColumn.fillsBack(migration, facts);
    if (filled) {
      fill();
    }
    for (Map<String, Object> each : Facts.maps(facts, DropColumnCheck.CHECKS)) {
      if (filled || Facts.flag(each, DropColumnCheck.HARMLESS_CHECK)) {
        restoreCheck(each);
      }
    }
    if (filled && rejectsNull(facts)) {
      ColumnFacts named = new ColumnFacts(facts).notNullConstraint();
      steps.addAll(
          named == null
              ? NotNull.enforce(tables, migration.column(), check, List.of(), List.of())
              : Partitions.is(facts)
                  ? NotNull.enforce(tables, migration.column(), check, named)
                  : NotNull.enforce(table, migration.column(), named));
    }
    lost(migration, facts).ifPresent(this::stayRelaxed);
    return steps;
  }

  private void restoreDefault() {
    if (facts.containsKey(DropColumnCheck.DEFAULT)) {
      Defaults defaults = DropColumnCheck.defaults(facts);
      steps.add(
          ddl(
              "restore-default",
              "the column has its default again",
              "ALTER COLUMN " + Sql.quote(migration.column()) + " " + defaults.real(),
              Probes.attribute(table, migration.column(), defaults.isReal())));
    }
  }

  /** Over the whole where it is partitioned: there are other partitions by now. */
  private void fill() {
    String column = Sql.quote(migration.column());
    String value = "(" + migration.fillBackSql().orElseThrow() + ")";
    steps.add(
        BackfillStep.assign(
            "fill-back",
            "fills rows that were written without the column",
            new Scan(table, Facts.key(facts), column + " IS NULL"),
            column + " = " + value,
            value + " IS NULL",
            true));
  }

  private void restoreCheck(Map<String, Object> each) {
    String name = Facts.required(each, "name");
    steps.add(
        ddl(
            "restore-check " + name,
            "new and changed rows must pass the check again",
            "ADD CONSTRAINT "
                + Sql.quote(name)
                + " "
                + Facts.required(each, "definition")
                + " NOT VALID",
            Probes.constraint(table, name)));
    if (Facts.flag(each, "validated")) {
      steps.addAll(NotNull.validate("validate-check " + name, tables, List.of(), name));
    }
    String comment = Facts.required(each, "comment");
    if (!comment.isEmpty()) {
      steps.add(NotNull.comment("comment-check " + name, table, name, comment));
    }
  }

  /** Without a value for them, rows may stay null; the plan says what that means. */
  private void stayRelaxed(String lost) {
    steps.add(
        new DdlStep(
            "stay-relaxed",
            lost,
            "none",
            List.of(table),
            List.of(),
            new Probe("SELECT true"),
            false));
  }

  /** What the way back doesn't restore. */
  static Optional<String> lost(DropColumn migration, Map<String, Object> facts) {
    String column = "column " + Sql.quote(migration.column());
    List<String> lost = new ArrayList<>();
    if (!PostgresDropColumn.fillsBack(migration, facts)) {
      if (rejectsNull(facts)) {
        lost.add("stays nullable");
      }
      List<String> checks =
          Facts.maps(facts, DropColumnCheck.CHECKS).stream()
              .filter(each -> !Facts.flag(each, DropColumnCheck.HARMLESS_CHECK))
              .map(each -> Facts.required(each, "name"))
              .toList();
      if (!checks.isEmpty()) {
        lost.add("stays without its checks " + checks);
      }
      if (!lost.isEmpty()) {
        lost.set(0, "without fillBackWithSql(...), " + column + " " + lost.get(0));
      }
    }
    String domain = Facts.text(facts, DropColumnCheck.DOMAIN);
    if (domain != null) {
      lost.add(
          (lost.isEmpty() ? column + " " : "")
              + "keeps type "
              + Facts.required(facts, DropColumnCheck.BASE_TYPE)
              + ", for going back to domain "
              + domain
              + " would rewrite the table");
    }
    return lost.isEmpty() ? Optional.empty() : Optional.of(String.join(" and ", lost));
  }

  private static boolean rejectsNull(Map<String, Object> facts) {
    return Facts.flag(facts, DropColumnCheck.NOT_NULL) || facts.containsKey(DropColumnCheck.DOMAIN);
  }

  private Step ddl(String name, String summary, String action, String done) {
    return new DdlStep(
        name,
        summary,
        TableLock.each("ACCESS EXCLUSIVE", tables),
        List.of("ALTER TABLE " + table + " " + action),
        Probes.all(done),
        false);
  }
}
