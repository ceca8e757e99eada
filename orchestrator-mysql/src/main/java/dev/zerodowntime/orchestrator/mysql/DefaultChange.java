package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What setting and dropping a column's default have in common. */
final class DefaultChange {

  /** The default before the change, as SQL; absent where there was none. */
  static final String FORMER = "former";

  /** The column's definition before the change; only where its default can't be set alone. */
  private static final String DEFINITION = "definition";

  /** The same with the new default. */
  private static final String CHANGED = "changed";

  /** Its name in the catalog's own case: a MODIFY would change that as well. */
  private static final String COLUMN = "column";

  private DefaultChange() {}

  /** A column that can have a default, or lose it. */
  static CatalogColumn column(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    CatalogColumn column = catalog.column(table, name);
    String what = "column " + column.quoted() + " of table " + table.display();
    if (column.autoIncrement()) {
      throw catalog.refuse(
          what + " is AUTO_INCREMENT: its values come from a counter, not from a default",
          "Choose another column.");
    }
    if (column.generated()) {
      throw catalog.refuse(
          what + " is a generated column: its values are computed from the row's other columns",
          "Change its expression, or add an ordinary column in its place.");
    }
    return column;
  }

  /**
   * What either way needs. A default that is the clock can't be set alone on MySQL; and on MariaDB
   * a column loses its ON UPDATE when its default is set alone. Those are written down as a whole.
   */
  static Map<String, Object> facts(
      MysqlVersion version, CatalogColumn column, @Nullable String wanted) {
    Map<String, Object> facts = new LinkedHashMap<>();
    String former = column.defaultSql();
    if (former != null) {
      facts.put(FORMER, former);
    }
    if (isClock(version, former)
        || isClock(version, wanted)
        || ColumnText.words(column.definition()).contains("UPDATE")) {
      facts.put(COLUMN, column.name());
      facts.put(DEFINITION, column.definition());
      facts.put(CHANGED, ColumnText.withDefault(column.definition(), wanted));
    }
    return facts;
  }

  /** MySQL has no SET DEFAULT CURRENT_TIMESTAMP; in parentheses it becomes another default. */
  private static boolean isClock(MysqlVersion version, @Nullable String sql) {
    return !version.mariadb()
        && sql != null
        && sql.toUpperCase(Locale.ROOT).startsWith("CURRENT_TIMESTAMP");
  }

  /**
   * Refuses a way back that would take back what others have changed of the column meanwhile.
   *
   * @param facts as captured
   */
  static void requireUnchanged(
      Catalog catalog, String tableName, String columnName, Map<String, Object> facts)
      throws SQLException {
    String before = Facts.text(facts, DEFINITION);
    if (before == null) {
      return;
    }
    CatalogTable table = catalog.table(tableName);
    CatalogColumn column = catalog.column(table, columnName);
    if (!bare(before).equals(bare(column.definition()))) {
      throw catalog.refuse(
          "column "
              + column.quoted()
              + " of table "
              + table.display()
              + " was \""
              + before
              + "\", and is \""
              + column.definition()
              + "\" now: with its former default, the rest would come back as well",
          "Take the other changes back first.");
    }
  }

  private static String bare(String definition) {
    return ColumnText.withDefault(definition, null);
  }

  /** Leaves the column with this default; null for none. */
  static Step set(
      String name,
      String summary,
      MysqlVersion version,
      String schema,
      String table,
      String column,
      @Nullable String wanted,
      Map<String, Object> facts,
      boolean notNull) {
    String changed = Facts.text(facts, CHANGED);
    return changed == null
        ? alone(name, summary, version, schema, table, column, wanted, notNull)
        : whole(
            name, summary, version, schema, table, Facts.required(facts, COLUMN), wanted, changed);
  }

  /** The same in a table that nobody uses. */
  static String net(
      Plain plain,
      String table,
      String column,
      @Nullable String wanted,
      Map<String, Object> facts,
      boolean notNull) {
    String changed = Facts.text(facts, CHANGED);
    return changed == null
        ? plain.alter(table, "ALTER COLUMN " + Plain.name(column) + action(wanted, notNull))
        : plain.modify(table, Facts.required(facts, COLUMN), changed);
  }

  /** Without a default, an INSERT that omits a column fails even where it can be NULL. */
  private static String action(@Nullable String wanted, boolean notNull) {
    String sql = wanted == null && !notNull ? "NULL" : wanted;
    return sql == null ? " DROP DEFAULT" : " SET DEFAULT " + sql;
  }

  private static Step whole(
      String name,
      String summary,
      MysqlVersion version,
      String schema,
      String table,
      String column,
      @Nullable String wanted,
      String definition) {
    return Ddl.step(
        name,
        summary,
        schema,
        table,
        "MODIFY COLUMN " + Sql.quote(column) + " " + definition + Ddl.instant(),
        is(version, schema, table, column, wanted));
  }

  private static Step alone(
      String name,
      String summary,
      MysqlVersion version,
      String schema,
      String table,
      String column,
      @Nullable String wanted,
      boolean notNull) {
    return Ddl.step(
        name,
        summary,
        schema,
        table,
        "ALTER COLUMN " + Sql.quote(column) + action(wanted, notNull) + Ddl.instant(),
        is(version, schema, table, column, wanted));
  }

  /** The former default. */
  static Step restore(
      MysqlVersion version,
      String schema,
      String table,
      String column,
      Map<String, Object> facts,
      boolean notNull) {
    String former = Facts.text(facts, FORMER);
    String definition = Facts.text(facts, DEFINITION);
    String summary =
        "the column has "
            + (former == null ? "no default" : "its former default")
            + " again; rows keep the values they got";
    return definition == null
        ? alone("restore-default", summary, version, schema, table, column, former, notNull)
        : whole(
            "restore-default",
            summary,
            version,
            schema,
            table,
            Facts.required(facts, COLUMN),
            former,
            definition);
  }

  /**
   * Whether a column has a default. MySQL's catalog shows the text of a literal without its quotes,
   * that of an expression without its parentheses; MariaDB's shows what can be executed.
   */
  private static Probe is(
      MysqlVersion version, String schema, String table, String column, @Nullable String sql) {
    String condition;
    if (version.mariadb()) {
      String text = sql == null ? "NULL" : sql;
      condition =
          "BINARY COALESCE(COLUMN_DEFAULT, 'NULL') IN (BINARY "
              + Sql.literal(text)
              + ", BINARY "
              + Sql.literal(stripped(text))
              + ")";
    } else if (sql == null) {
      condition = "COLUMN_DEFAULT IS NULL";
    } else {
      boolean expression = sql.startsWith("(");
      condition =
          "BINARY COLUMN_DEFAULT <=> BINARY "
              + Sql.literal(shown(sql))
              + " AND EXTRA "
              + (expression || isClock(version, sql) ? "" : "NOT ")
              + "LIKE '%DEFAULT_GENERATED%'";
    }
    return Probes.all(Probes.column(schema, table, column, condition));
  }

  private static String stripped(String sql) {
    return sql.startsWith("(") && sql.endsWith(")") ? sql.substring(1, sql.length() - 1) : sql;
  }

  /** As MySQL's catalog shows it. */
  private static String shown(String sql) {
    if (sql.startsWith("(")) {
      // The catalog escapes quotes and backslashes within an expression.
      return stripped(sql).replace("\\", "\\\\").replace("'", "\\'");
    }
    if (!sql.startsWith("'")) {
      return sql;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 1; i < sql.length() - 1; i++) {
      char c = sql.charAt(i);
      if (c == '\\') {
        char next = sql.charAt(++i);
        text.append(
            switch (next) {
              case 'n' -> '\n';
              case 'r' -> '\r';
              case '0' -> '\0';
              case 'Z' -> '\032';
              default -> next;
            });
      } else {
        text.append(c);
        if (c == '\'') {
          i++;
        }
      }
    }
    return text.toString();
  }
}
