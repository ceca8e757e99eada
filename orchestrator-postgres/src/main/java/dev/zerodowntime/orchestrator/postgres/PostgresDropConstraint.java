package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A check, a foreign key or a unique constraint is dropped, and restored as it was. */
final class PostgresDropConstraint implements OperationSupport<DropConstraint> {

  private static final String DEFINITION = "definition";
  private static final String VALIDATED = "validated";
  private static final String COMMENT = "comment";

  /** The other table of a foreign key, which is locked as well; missing for the table itself. */
  private static final String PARTNER = "partner";

  /** A unique constraint's index: what {@link DropIndexCheck} notes. */
  private static final String INDEX = "index";

  private static final String WITHOUT_OVERLAPS = "WITHOUT OVERLAPS";

  /** What a check demands; missing for a foreign key. */
  private static final String EXPRESSION = "expression";

  private static final Set<String> SUPPORTED = Set.of("c", "f", "u");

  private static final String NOT_ENFORCED = " NOT ENFORCED";

  @Override
  public OperationType<DropConstraint> type() {
    return DropConstraint.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropConstraint migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    CatalogTable table = catalog.table(migration.table());
    NamedConstraint constraint = require(catalog, table, migration.name());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(DEFINITION, constraint.definition());
    facts.put(VALIDATED, constraint.validated());
    facts.put(COMMENT, constraint.comment());
    if (constraint.type().equals("u")) {
      facts.put(INDEX, index(catalog, table, constraint));
    } else if (constraint.type().equals("c")) {
      if (constraint.validated()) {
        table.requireAllRows(catalog, "the way back, which looks for rows that fail the check,");
        facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table, "the way back")));
        facts.put(
            EXPRESSION,
            catalog
                .list(
                    "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid ="
                        + " ?::bigint::oid AND conname = ?",
                    row -> row.getString(1),
                    table.oid(),
                    migration.name())
                .get(0));
      }
    } else if (!isSame(catalog, table, constraint.partner())) {
      facts.put(PARTNER, constraint.partner());
    }
    return facts;
  }

  /** What is needed to build the index again; the constraint is made from that. */
  private static Map<String, Object> index(
      Catalog catalog, CatalogTable table, NamedConstraint constraint) throws SQLException {
    CatalogIndex index = DropIndexCheck.index(catalog, table, constraint.name());
    String what =
        "constraint \""
            + constraint.name()
            + "\" of table "
            + table.display()
            + ", "
            + constraint.definition()
            + ",";
    if (!index.immediate()) {
      throw catalog.refuse(
          what
              + " is deferrable, and on its way back it would reject at once what may be put right"
              + " later, until its index has been built",
          "Replace it by one that isn't: by an AddUnique under another name.");
    }
    if (constraint.definition().contains(WITHOUT_OVERLAPS)) {
      throw catalog.refuse(
          what + " has no way back: its index can't be built while the table is in use",
          "Drop it by hand, if you must.");
    }
    return DropIndexCheck.ofConstraint(catalog, table, index);
  }

  private static boolean isSame(Catalog catalog, CatalogTable table, String partner)
      throws SQLException {
    return catalog
        .text("SELECT " + Sql.regclass(partner) + "::oid")
        .equals(Long.toString(table.oid()));
  }

  private static NamedConstraint require(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    NamedConstraint constraint = NamedConstraint.read(catalog, table, name).orElse(null);
    if (constraint == null) {
      throw catalog.refuse(
          "table " + table.display() + " has no constraint \"" + name + "\"",
          "Its constraints are "
              + catalog.list(
                  "SELECT conname FROM pg_constraint WHERE conrelid = ?::bigint::oid ORDER BY 1",
                  row -> row.getString(1),
                  table.oid())
              + "; names are taken literally, upper and lower case included.");
    }
    String what =
        "constraint \""
            + name
            + "\" of table "
            + table.display()
            + ", "
            + constraint.definition()
            + ",";
    if (!SUPPORTED.contains(constraint.type())) {
      throw catalog.refuse(
          what + " is neither a check nor a foreign key nor unique",
          constraint.type().equals("n") ? "Use DropNotNull." : "Only those are supported so far.");
    }
    if (constraint.inherited()) {
      throw catalog.refuse(what + " is inherited", "Drop it from the table it comes from.");
    }
    return constraint;
  }

  @Override
  public List<Step> steps(
      DropConstraint migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != DropConstraint.DONE) {
      throw new IllegalArgumentException("DropConstraint has no phase " + phase);
    }
    String table = Sql.qualified(target.schema(), migration.table());
    String partner = Facts.text(facts, PARTNER);
    List<String> tables = partner == null ? List.of(table) : List.of(table, partner);
    return direction == Direction.UP
        ? List.of(
            ConstraintSteps.drop(
                "drop-constraint",
                "rows need not satisfy the constraint any more",
                tables,
                migration.name()))
        : restore(migration, facts, tables);
  }

  /** Rows that broke it meanwhile are shown before it is there, or no update of them would work. */
  private static List<Step> restore(
      DropConstraint migration, Map<String, Object> facts, List<String> tables) {
    String table = tables.get(0);
    String name = migration.name();
    String definition = Facts.required(facts, DEFINITION);
    List<Step> steps = new ArrayList<>();
    if (facts.containsKey(INDEX)) {
      steps.addAll(unique(migration, facts, table));
      return commented(steps, facts, table, name);
    }
    String expression = Facts.text(facts, EXPRESSION);
    if (expression != null) {
      steps.add(
          new VerifyStep(
              "verify-rows",
              "no row may fail the check \""
                  + name
                  + "\", or every update of it would fail from now on",
              new Scan(table, Facts.key(facts), "(" + expression + ") IS FALSE")));
    }
    steps.add(
        ConstraintSteps.add(
            "restore-constraint",
            "new and changed rows must satisfy it again; existing ones are not looked at",
            definition.startsWith("FOREIGN KEY")
                ? LockMode.SHARE_ROW_EXCLUSIVE
                : LockMode.ACCESS_EXCLUSIVE,
            tables,
            name,
            definition + (definition.endsWith(NOT_ENFORCED) ? "" : " NOT VALID")));
    if (Facts.flag(facts, VALIDATED)) {
      steps.add(NotNull.validate("validate-constraint", table, name));
    }
    return commented(steps, facts, table, name);
  }

  /** First the index, which is the proof; then the constraint takes it. */
  private static List<Step> unique(
      DropConstraint migration, Map<String, Object> facts, String table) {
    String name = migration.name();
    String schema = table.substring(0, table.length() - Sql.quote(migration.table()).length());
    List<Step> steps =
        new ArrayList<>(
            PostgresDropIndex.back(Facts.map(facts, INDEX), table, schema + Sql.quote(name)));
    steps.add(
        new DdlStep(
            "restore-constraint",
            "the index is the proof, so no row is looked at",
            "ACCESS EXCLUSIVE on " + table + ", within the lock budget",
            List.of(table),
            List.of(
                "ALTER TABLE "
                    + table
                    + " ADD CONSTRAINT "
                    + Sql.quote(name)
                    + " UNIQUE USING INDEX "
                    + Sql.quote(name)),
            Probes.all(Probes.constraint(table, name)),
            false));
    return steps;
  }

  private static List<Step> commented(
      List<Step> steps, Map<String, Object> facts, String table, String name) {
    String comment = Facts.required(facts, COMMENT);
    if (!comment.isEmpty()) {
      steps.add(NotNull.comment("comment-constraint", table, name, comment));
    }
    return steps;
  }

  @Override
  public List<String> net(DropConstraint migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .alter(migration.table(), "DROP CONSTRAINT " + Plain.name(migration.name())));
  }
}
