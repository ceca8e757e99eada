package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A column's default, set by a change of the catalog. */
final class PostgresSetDefault implements OperationSupport<SetDefault> {

  /** Whether a default takes a sequence's numbers. */
  private static final String LEAVES_A_TRACE =
      "SELECT EXISTS (SELECT 1 FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND"
          + " a.attnum = d.adnum JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid"
          + " = d.oid AND p.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = p.refobjid"
          + " AND s.relkind = 'S' WHERE a.attrelid = to_regclass(?) AND a.attname = ?)";

  /** The new default as the catalog prints it: qualified, so that no search path matters. */
  static final String WANTED = "wanted";

  @Override
  public OperationType<SetDefault> type() {
    return SetDefault.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      SetDefault migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = DefaultChange.column(catalog, table, migration.column());
    Map<String, Object> facts = new LinkedHashMap<>();
    if (column.defaultSql() != null) {
      facts.put(DefaultChange.FORMER, column.defaultSql());
    }
    facts.put(WANTED, tryOut(catalog, table, column, migration.expression()));
    return facts;
  }

  private static String tryOut(
      Catalog catalog, CatalogTable table, CatalogColumn column, String expression)
      throws SQLException {
    String what = "column \"" + column.name() + "\" of table " + table.display();
    try (Trial trial = new Trial(catalog, table, 0)) {
      trial.require(
          "ALTER TABLE "
              + trial.name()
              + " ALTER COLUMN "
              + column.quoted()
              + " SET DEFAULT "
              + expression,
          "the default \"" + expression + "\" for " + what + " of type " + column.type(),
          "Correct the expression: it may name no column, and must be of the column's type.");
      List<String> printed =
          catalog.list(
              "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON"
                  + " a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid ="
                  + " to_regclass(?) AND a.attname = ?",
              row -> row.getString(1),
              trial.name(),
              column.name());
      if (printed.isEmpty()) {
        throw catalog.refuse(
            "the default \""
                + expression
                + "\" for "
                + what
                + " is no default: PostgreSQL keeps"
                + " a NULL for domains only",
            "Declare DropDefault, if the column is to lose its default.");
      }
      requireAccepted(catalog, table, column, trial, expression);
      return printed.get(0);
    }
  }

  /**
   * A row that omits the column must not be rejected for its default: by its type or domain, by NOT
   * NULL, by a check over the column alone. Others depend on the row, as does what is unique. The
   * server itself says so, of a row of the trial that has no other column. Not tried is what takes
   * a sequence's number, which no rollback gives back.
   */
  private static void requireAccepted(
      Catalog catalog, CatalogTable table, CatalogColumn column, Trial trial, String expression)
      throws SQLException {
    if (catalog
        .list(LEAVES_A_TRACE, row -> row.getBoolean(1), trial.name(), column.name())
        .equals(List.of(true))) {
      return;
    }
    for (CatalogColumn each : catalog.columns(table)) {
      if (!each.name().equals(column.name())) {
        trial.execute("ALTER TABLE " + trial.name() + " DROP COLUMN " + each.quoted());
      }
    }
    for (CatalogConstraint each : catalog.constraints(table, column)) {
      if (each.isCheck() && each.columns().equals(List.of(column.name()))) {
        trial.execute(
            "ALTER TABLE "
                + trial.name()
                + " ADD CONSTRAINT "
                + Sql.quote(each.name())
                + " "
                + each.definition().replaceFirst(" NO INHERIT$", ""));
      }
    }
    Optional<SQLException> said =
        catalog.attempt("INSERT INTO " + trial.name() + " DEFAULT VALUES");
    if (said.isPresent() && PostgresErrors.classify(said.get()) != SqlErrorKind.PRIVILEGE) {
      throw catalog.refuse(
          "rows that get the default \""
              + expression
              + "\" for column \""
              + column.name()
              + "\" of table "
              + table.display()
              + " would be rejected: the server says \""
              + Catalog.said(said.get())
              + "\"",
          "Choose a default that the column accepts, or change what rejects it first.");
    }
  }

  @Override
  public List<Step> steps(
      SetDefault migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    String former = Facts.text(facts, DefaultChange.FORMER);
    return List.of(
        direction == Direction.UP
            ? DefaultChange.step(
                "set-default",
                "rows that omit the column get the new default from now on; touches no row",
                table,
                migration.column(),
                Facts.required(facts, WANTED))
            : DefaultChange.step(
                "restore-default",
                former == null
                    ? "the column has no default again; rows keep the values they got"
                    : "the column has its former default again; rows keep the values they got",
                table,
                migration.column(),
                former));
  }

  @Override
  public List<String> net(SetDefault migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        new Plain(target)
            .alterColumn(
                migration.table(), migration.column(), "SET DEFAULT " + migration.expression()));
  }
}
