package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Whether a column's values can be converted, and what it has be had by one of another type. */
final class ColumnConversionCheck {

  private static final String TRIAL_TYPE = "zdo_trial_type";

  private static final String PRINTED =
      "SELECT format_type(a.atttypid, a.atttypmod), t.typtype = 'd' FROM pg_attribute a JOIN pg_type"
          + " t ON t.oid = a.atttypid WHERE a.attrelid = to_regclass(?) AND a.attname = 'c'";

  private final ChangeColumnType change;
  private final Catalog catalog;
  private final CatalogTable table;
  private final CatalogColumn from;

  ColumnConversionCheck(
      ChangeColumnType change, Catalog catalog, CatalogTable table, CatalogColumn from) {
    this.change = change;
    this.catalog = catalog;
    this.table = table;
    this.from = from;
  }

  /** Refuses, or adds to the facts. */
  void require(Map<String, Object> facts) throws SQLException {
    try (Trial trial = new Trial(catalog, table, 0)) {
      String type = type(trial);
      requireSameType(type);
      facts.put(ColumnConversion.CONVERTS, true);
      facts.put(ColumnConversion.TYPE, type);
      facts.put(ColumnConversion.PATH, new ArrayList<Object>(catalog.path()));
      requireNothingOfItsType(new ColumnFacts(facts));
      trial.execute(
          "ALTER TABLE " + trial.name() + " DROP COLUMN IF EXISTS " + Sql.quote(change.to()));
      trial.execute(
          "ALTER TABLE " + trial.name() + " ADD COLUMN " + Sql.quote(change.to()) + " " + type);
      requireExpression(trial, "up", change.up(), change.from(), change.to());
      requireExpression(trial, "down", change.down(), change.to(), change.from());
      requireDefault(trial, facts);
      requireCarriedOver(trial, new ColumnFacts(facts));
    }
    facts.put(ColumnConversion.WIDENS, widens(new ColumnFacts(facts).newType()));
  }

  private String display() {
    return "column " + table.display() + "." + from.quoted();
  }

  /** As the server prints it. */
  private String type(Trial trial) throws SQLException {
    trial.require(
        "CREATE TEMPORARY TABLE "
            + TRIAL_TYPE
            + " AS SELECT CAST(NULL AS "
            + change.type()
            + ") AS c WITH NO DATA",
        "the type \"" + change.type() + "\"",
        "Name one that exists, as in CREATE TABLE, and nothing else.");
    String[] found =
        catalog
            .list(
                PRINTED,
                row -> new String[] {row.getString(1), row.getBoolean(2) ? "domain" : ""},
                Sql.qualified("pg_temp", TRIAL_TYPE))
            .get(0);
    if (found[1].equals("domain")) {
      throw catalog.refuse(
          "type " + found[0] + " is a domain",
          "Use its base type, and its conditions as checks of the table.");
    }
    return found[0];
  }

  /** A new column that is ours already has to be of that type, whoever changed it. */
  private void requireSameType(String type) throws SQLException {
    CatalogColumn to = catalog.find(table, change.to()).orElse(null);
    if (to != null && !to.type().equals(type)) {
      throw catalog.refuse(
          "column "
              + table.display()
              + "."
              + to.quoted()
              + " is of type "
              + to.type()
              + ", not "
              + type,
          ColumnFactsGaps.again(catalog));
    }
  }

  private boolean widens(String type) throws SQLException {
    String action = "ALTER COLUMN " + from.quoted() + " TYPE " + type;
    try (Trial trial = new Trial(catalog, table, 0)) {
      return trial.accepts("ALTER TABLE " + trial.name() + " " + action)
          && new RetypeTrial(catalog, table, from, trial).change(action, "the type").none();
    }
  }

  /** What the server would print in terms of the old type. */
  private void requireNothingOfItsType(ColumnFacts facts) {
    String again = "Drop it, and create it anew for the new column after CONTRACT.";
    if (facts.identity() != null) {
      throw catalog.refuse(
          display() + " is an identity column", "DROP IDENTITY, and use a sequence's nextval().");
    }
    for (ColumnFacts.Index index : facts.indexes()) {
      if (index.facts().flag("expression") || index.facts().flag("partial")) {
        throw catalog.refuse(
            "index "
                + Sql.quote(index.name())
                + " of "
                + display()
                + " is partial or over an expression, which may mean something else of another"
                + " type",
            again);
      }
    }
    for (ColumnFacts.Constraint key : facts.foreignKeys()) {
      throw catalog.refuse(
          display() + " has foreign key " + Sql.quote(key.name()),
          "DropConstraint first, and AddForeignKey for the new column after CONTRACT.");
    }
  }

  private void requireExpression(
      Trial trial, String name, String expression, String source, String destination)
      throws SQLException {
    String what = "expression " + name + " \"" + expression + "\"";
    trial.require(
        "UPDATE " + trial.name() + " SET " + Sql.quote(destination) + " = (" + expression + ")",
        what,
        "Correct it: it is evaluated over column " + Sql.quote(source) + " alone.");
    List<String> used = trial.columnsOf(expression);
    if (!used.equals(List.of(source))) {
      throw catalog.refuse(
          what + " is computed from " + used,
          "Let it be computed from column "
              + Sql.quote(source)
              + " alone: nothing else tells when the value changes.");
    }
    if (trial.changesWithTime(expression, "")) {
      throw catalog.refuse(
          what + " has another value every time", "Let it depend on the column's value alone.");
    }
    trial.execute("DELETE FROM " + trial.name());
    if (!from.notNull()) {
      trial.execute(
          "CREATE TEMPORARY TABLE zdo_trial_null_" + name + " AS SELECT * FROM " + trial.name());
      trial.execute("INSERT INTO zdo_trial_null_" + name + " DEFAULT VALUES");
      trial.require(
          "CREATE TEMPORARY TABLE zdo_trial_of_null_"
              + name
              + " AS SELECT ("
              + expression
              + ") IS NULL AS c FROM zdo_trial_null_"
              + name
              + " AS "
              + Sql.quote(table.name()),
          what + " of NULL",
          "Let it yield NULL for NULL.");
      if (!"t".equals(trial.text("SELECT c FROM zdo_trial_of_null_" + name))) {
        throw catalog.refuse(
            what + " makes something of NULL, which the column may hold",
            "Let it yield NULL for NULL: else nobody can tell which rows are converted.");
      }
    }
  }

  private void requireDefault(Trial trial, Map<String, Object> facts) throws SQLException {
    String given = change.defaultSql().orElse(null);
    String former = new ColumnFacts(facts).defaultSql();
    if (given == null) {
      if (former != null) {
        throw catalog.refuse(
            display()
                + " has the default "
                + former
                + ", and nothing says what the new column's is",
            "Declare it with defaultSql(...).");
      }
      return;
    }
    if (former == null) {
      throw catalog.refuse(
          display() + " has no default, so the new column can't have one before CONTRACT",
          "Leave out defaultSql(...), and use SetDefault afterwards.");
    }
    trial.require(
        "ALTER TABLE "
            + trial.name()
            + " ALTER COLUMN "
            + Sql.quote(change.to())
            + " SET DEFAULT "
            + given,
        "the default \"" + given + "\" of type " + change.type(),
        "Correct the expression.");
    facts.put(
        ColumnConversion.DEFAULT,
        catalog
            .list(
                "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON"
                    + " a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid ="
                    + " to_regclass(?) AND a.attname = ?",
                row -> String.valueOf(row.getString(1)),
                trial.name(),
                change.to())
            .get(0));
  }

  /** Indexes and checks have to compile for the new type. */
  private void requireCarriedOver(Trial trial, ColumnFacts facts) throws SQLException {
    String again = "Drop it, and create it anew for the new column after CONTRACT.";
    for (ColumnFacts.Index index : facts.indexes()) {
      trial.require(
          "CREATE "
              + (index.unique() ? "UNIQUE " : "")
              + "INDEX ON "
              + trial.name()
              + index.tail(true),
          "index " + Sql.quote(index.name()) + " on type " + facts.newType(),
          again);
    }
    for (ColumnFacts.Constraint check : facts.checks()) {
      trial.require(
          "ALTER TABLE " + trial.name() + " ADD " + check.definition(true),
          "check " + Sql.quote(check.name()) + " on type " + facts.newType(),
          again);
    }
  }
}
