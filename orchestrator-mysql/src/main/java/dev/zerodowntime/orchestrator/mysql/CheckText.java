package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a check demands, as the server writes it down: there every column is in backticks, and every
 * text in quotes.
 *
 * @param expression without the parentheses around it
 */
record CheckText(String expression) {

  private static final String TRIAL = "zdo_trial_check";

  /**
   * Asks the server what it makes of it.
   *
   * @param name the check's, for the message
   * @param expression the author's
   */
  static CheckText tryOut(Catalog catalog, CatalogTable table, String name, String expression)
      throws SQLException {
    Trial.require(catalog, table);
    ShowCreate made;
    try {
      made =
          Trial.make(
              catalog,
              table,
              Map.of(),
              "CONSTRAINT " + Sql.quote(TRIAL) + " CHECK (" + expression + ")");
    } catch (SQLException e) {
      throw refuse(catalog, table, name, expression, "the server says \"" + Catalog.said(e) + "\"");
    }
    CheckText text =
        Optional.ofNullable(made.constraints().get(TRIAL))
            .flatMap(CheckText::ofClause)
            .orElse(null);
    if (text == null
        || made.constraints().size() > 1
        || made.columns().size() != table.definition().columns().size()
        || made.keys().size() > table.definition().keys().size()) {
      throw refuse(catalog, table, name, expression, "it is more than an expression");
    }
    if (text.expression.indexOf('\uFFFD') >= 0) {
      throw refuse(
          catalog,
          table,
          name,
          expression,
          "it has bytes in it that are no text: write them as x'00FF'");
    }
    return text;
  }

  private static RuntimeException refuse(
      Catalog catalog, CatalogTable table, String name, String expression, String why) {
    return catalog.refuse(
        "check \""
            + name
            + "\" of table "
            + table.display()
            + " can't be ("
            + expression
            + "): "
            + why,
        "Correct the expression: it is evaluated over the columns of one row.");
  }

  /**
   * Out of the clause of a constraint.
   *
   * @return empty where it is no check
   */
  static Optional<CheckText> ofClause(String clause) {
    String start = " CHECK (";
    int from = clause.indexOf("` CHECK (");
    String whole = clause.replaceFirst(" /\\*!80016 NOT ENFORCED \\*/$", "");
    return from < 0 || !whole.endsWith(")")
        ? Optional.empty()
        : Optional.of(
            new CheckText(whole.substring(from + 1 + start.length(), whole.length() - 1)));
  }

  /** The unquoted names of the columns that it is over, in the order in which they come. */
  List<String> columns() {
    Set<String> names = new LinkedHashSet<>();
    walk((name, sql) -> names.add(name), new StringBuilder());
    return List.copyOf(names);
  }

  /** The same over the row that a trigger sees. */
  String overNew() {
    StringBuilder sql = new StringBuilder();
    walk((name, text) -> text.append("NEW."), sql);
    return sql.toString();
  }

  private interface Column {
    void found(String name, StringBuilder sql);
  }

  private void walk(Column column, StringBuilder sql) {
    for (int i = 0; i < expression.length(); i++) {
      char c = expression.charAt(i);
      if (c == '\'' || c == '"' || c == '`') {
        int end = ShowCreate.endOfQuoted(expression, i);
        while (c == '`' && end + 1 < expression.length() && expression.charAt(end + 1) == '`') {
          end = ShowCreate.endOfQuoted(expression, end + 1);
        }
        String quoted = expression.substring(i, end + 1);
        if (c == '`') {
          column.found(quoted.substring(1, quoted.length() - 1).replace("``", "`"), sql);
        }
        sql.append(quoted);
        i = end;
      } else {
        sql.append(c);
      }
    }
  }
}
