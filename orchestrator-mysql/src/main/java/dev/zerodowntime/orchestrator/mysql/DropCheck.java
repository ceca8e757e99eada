package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A check that is dropped. It comes back as {@link MysqlAddCheck} adds one. */
final class DropCheck {

  /** What it is now; missing where the constraint is no check. */
  private static final String KIND = "check";

  /** In the catalog's own case, which comes back. */
  private static final String NAME = "name";

  /** Enforced by the server, under its name. */
  private static final String NAMED = "named";

  /** Enforced by triggers of an AddCheck. */
  private static final String TRIGGERS = "triggers";

  /** NOT ENFORCED, by whoever wrote it. */
  private static final String LOOSE = "loose";

  /** A column's own, on MariaDB. */
  private static final String OWN = "own";

  private final MysqlVersion version;
  private final DropConstraint migration;
  private final Target target;

  DropCheck(MysqlVersion version, DropConstraint migration, Target target) {
    this.version = version;
    this.migration = migration;
    this.target = target;
  }

  /** Whether these facts are those of a check. */
  static boolean is(Map<String, Object> facts) {
    return facts.containsKey(KIND);
  }

  /**
   * What there is to drop.
   *
   * @param known as captured before: a way back may have made it a column's own
   * @return empty where there is no check of that name
   */
  Map<String, Object> facts(
      Catalog catalog, CatalogTable table, Map<String, Object> known, Connection connection)
      throws SQLException {
    Map.Entry<String, String> constraint =
        table.definition().constraints().entrySet().stream()
            .filter(each -> each.getKey().equalsIgnoreCase(migration.name()))
            .findFirst()
            .orElse(Map.entry(migration.name(), ""));
    String clause = constraint.getValue();
    CheckText named = CheckText.ofClause(clause).orElse(null);
    CatalogColumn column =
        version.mariadb()
            ? CatalogColumn.find(
                    catalog, table, named == null ? host(table, known) : migration.name())
                .orElse(null)
            : null;
    CheckText own = column == null ? null : ColumnText.checkOf(column.definition());
    if (named != null && own != null) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has a check \""
              + migration.name()
              + "\", and its column of that name has one of its own",
          "Drop one of them by hand.");
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(NAME, constraint.getKey());
    if (column != null && own != null) {
      facts.put(KIND, OWN);
      facts.put(AddCheckCheck.HOST, column.name());
      facts.put(AddCheckCheck.DEFINITION, ColumnText.withoutCheck(column.definition()));
    } else if (named != null) {
      CheckTriggers triggers = new CheckTriggers(table.schema(), table.name(), migration.name());
      facts.put(
          KIND,
          !clause.endsWith(" NOT ENFORCED */")
              ? NAMED
              : catalog.list("SELECT " + triggers.any(), row -> row.getBoolean(1)).get(0)
                  ? TRIGGERS
                  : LOOSE);
    } else {
      return Map.of();
    }
    CheckText text = named == null ? own : named;
    if (text == null) {
      throw new IllegalStateException(clause);
    }
    facts.put(AddCheckCheck.EXPRESSION, text.expression());
    check(facts, connection).requireBack(table, text, facts);
    return facts;
  }

  /** The column that it may be the own check of. */
  private String host(CatalogTable table, Map<String, Object> known) {
    String host = Facts.text(known, AddCheckCheck.HOST);
    String text = Facts.text(known, AddCheckCheck.EXPRESSION);
    return host != null
            && text != null
            && new CheckText(text)
                .equals(ColumnText.checkOf(table.definition().columns().getOrDefault(host, "gone")))
        ? host
        : migration.name();
  }

  private AddCheckCheck check(Map<String, Object> facts, Connection connection)
      throws SQLException {
    return new AddCheckCheck(
        AddCheck.of(migration.id())
            .table(migration.table())
            .name(migration.name())
            .expression(Facts.required(facts, AddCheckCheck.EXPRESSION))
            .build(),
        target,
        version,
        CopyRoute.none(),
        connection);
  }

  /** What it is over may be gone by now, or changed by a cascade. */
  void preflightBack(Catalog catalog, Map<String, Object> facts, Connection connection)
      throws SQLException {
    if (kind(facts).equals(LOOSE)) {
      return;
    }
    AddCheckCheck check = check(facts, connection);
    check.requireWritten(
        catalog.table(migration.table()),
        new CheckText(Facts.required(facts, AddCheckCheck.EXPRESSION)));
    check.requireUnchanged(facts);
  }

  private static String kind(Map<String, Object> facts) {
    return Facts.required(facts, KIND);
  }

  /** What the way back can't restore. */
  Optional<String> consent(Map<String, Object> facts, Direction direction) {
    if (direction == Direction.UP || !kind(facts).equals(NAMED)) {
      return Optional.empty();
    }
    String check =
        "check \"" + migration.name() + "\" of table \"" + migration.table() + "\" comes back ";
    return Optional.of(
        version.mariadb()
            ? check
                + "as the own check of column \""
                + Facts.required(facts, AddCheckCheck.HOST)
                + "\", and is called like it: by its own name MariaDB adds one only by copying the"
                + " table, with every write blocked"
            : check
                + "NOT ENFORCED, and two triggers enforce it: MySQL itself would copy the table,"
                + " with every write blocked");
  }

  List<Step> steps(Map<String, Object> facts, Direction direction) {
    CheckSteps check =
        new CheckSteps(
            version, target.schema(), migration.table(), Facts.required(facts, NAME), facts);
    String kind = kind(facts);
    if (direction == Direction.UP) {
      return kind.equals(OWN) || kind.equals(TRIGGERS)
          ? check.drop(false)
          : List.of(check.dropNamed());
    }
    if (kind.equals(LOOSE)) {
      return List.of(check.unenforced());
    }
    List<Step> steps = new ArrayList<>();
    steps.add(check.verify("verify-rows"));
    steps.addAll(check.add(false));
    steps.add(check.verify("prove-rows"));
    return steps;
  }

  /** For a table that nobody uses. */
  static String net(Plain plain, String table, Map<String, Object> facts) {
    return kind(facts).equals(OWN)
        ? plain.modify(
            table,
            Facts.required(facts, AddCheckCheck.HOST),
            Facts.required(facts, AddCheckCheck.DEFINITION))
        : plain.alter(table, "DROP CONSTRAINT " + Plain.name(Facts.required(facts, NAME)));
  }
}
