package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A column's default, set by a change of the catalog. */
final class MysqlSetDefault implements OperationSupport<SetDefault> {

  /** The new default as the server writes it down. */
  private static final String WANTED = "wanted";

  private static final String NOT_NULL = "notNull";

  private final MysqlVersion version;

  MysqlSetDefault(MysqlVersion version) {
    this.version = version;
  }

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
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = DefaultChange.column(catalog, table, migration.column());
    String wanted = tryOut(catalog, table, column, migration.expression());
    Map<String, Object> facts = DefaultChange.facts(version, column, wanted);
    facts.put(WANTED, wanted);
    facts.put(NOT_NULL, column.notNull());
    return facts;
  }

  /** First as it is, then in parentheses, which MySQL wants around all but literals. */
  private String tryOut(
      Catalog catalog, CatalogTable table, CatalogColumn column, String expression)
      throws SQLException {
    Trial.require(catalog, table);
    String what =
        "the default \""
            + expression
            + "\" for column "
            + column.quoted()
            + " of table "
            + table.display();
    if (expression.strip().equalsIgnoreCase("NULL")) {
      throw catalog.refuse(
          what + " is no default", "Declare DropDefault, if the column is to lose its default.");
    }
    SQLException last = null;
    for (String each : new String[] {expression, "(" + expression + ")"}) {
      try {
        String wanted = tried(catalog, table, column, each);
        if (wanted != null) {
          return wanted;
        }
      } catch (SQLException e) {
        last = last == null ? e : last;
      }
    }
    throw catalog.refuse(
        what
            + ", which is "
            + column.type()
            + (last == null ? ", is none" : ": " + Catalog.said(last)),
        "Correct the expression: it may name no column, and must be of the column's type.");
  }

  private static @Nullable String tried(
      Catalog catalog, CatalogTable table, CatalogColumn column, String sql) throws SQLException {
    String definition = ColumnText.withDefault(column.definition(), sql);
    ShowCreate made = Trial.make(catalog, table, Map.of(column.name(), definition), null);
    String printed = made.columns().get(column.name());
    // What the expression brings besides a default is not what was declared.
    if (printed == null
        || made.columns().size() != table.definition().columns().size()
        || !ColumnText.withDefault(printed, null)
            .equals(ColumnText.withDefault(column.definition(), null))) {
      return null;
    }
    Trial.insert(catalog, table, column.name(), ColumnText.withoutCheck(definition));
    return ColumnText.defaultOf(printed);
  }

  @Override
  public void preflightBack(
      SetDefault migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    DefaultChange.requireUnchanged(
        new Catalog(migration, target, version, connection),
        migration.table(),
        migration.column(),
        facts);
  }

  @Override
  public List<Step> steps(
      SetDefault migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    boolean notNull = Facts.flag(facts, NOT_NULL);
    return List.of(
        direction == Direction.UP
            ? DefaultChange.set(
                "set-default",
                "rows that omit the column get the new default from now on; touches no row",
                version,
                target.schema(),
                migration.table(),
                migration.column(),
                Facts.required(facts, WANTED),
                facts,
                notNull)
            : DefaultChange.restore(
                version, target.schema(), migration.table(), migration.column(), facts, notNull));
  }

  @Override
  public List<String> net(SetDefault migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        DefaultChange.net(
            new Plain(target),
            migration.table(),
            migration.column(),
            Facts.required(facts, WANTED),
            facts,
            Facts.flag(facts, NOT_NULL)));
  }
}
