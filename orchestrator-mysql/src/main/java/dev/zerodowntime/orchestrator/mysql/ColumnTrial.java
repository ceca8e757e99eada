package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Tries a column that an author has declared: a type and a default, and nothing else. */
final class ColumnTrial {

  private ColumnTrial() {}

  /**
   * Tries.
   *
   * @param column unquoted
   * @param type what the author declared
   * @param defaultSql what the author declared
   * @return the column as the server writes it down, nullable
   */
  static String definition(
      Catalog catalog, CatalogTable table, String column, String type, Optional<String> defaultSql)
      throws SQLException {
    Trial.require(catalog, table);
    String what = "column \"" + column + "\" of type " + type;
    if (ColumnText.mentions(type, "check")) {
      throw catalog.refuse(
          what + " is more than a column: it brings a CHECK: declare AddCheck",
          "Leave the column's type to be a type.");
    }
    SQLException last = null;
    // MySQL wants all defaults but literals in parentheses.
    List<String> forms = new ArrayList<>();
    defaultSql.ifPresentOrElse(
        value -> {
          forms.add(" DEFAULT " + value);
          forms.add(" DEFAULT (" + value + ")");
        },
        () -> forms.add(""));
    for (String form : forms) {
      ShowCreate made;
      try {
        // Some types are NOT NULL on some servers unless one says otherwise.
        made = Trial.make(catalog, table, Map.of(column, type + " NULL" + form), null);
      } catch (SQLException e) {
        if (MysqlErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
          throw e;
        }
        last = last == null ? e : last;
        continue;
      }
      return requirePlain(catalog, table, made, column, what);
    }
    throw catalog.refuse(
        what
            + defaultSql.map(value -> " and default " + value).orElse("")
            + " can't be added to table "
            + table.display()
            + (last == null ? "" : ": the server says \"" + Catalog.said(last) + "\""),
        "Correct the type or the default.");
  }

  /** A type may bring more than a type. */
  private static String requirePlain(
      Catalog catalog, CatalogTable table, ShowCreate made, String column, String what) {
    String definition = made.columns().get(column);
    if (definition == null) {
      throw new IllegalStateException(column + " is not in " + made);
    }
    List<String> words =
        ColumnText.words(definition).stream().map(each -> each.toUpperCase(Locale.ROOT)).toList();
    String more =
        ColumnText.generated(definition)
            ? "it is a generated column: declare AddGeneratedColumn"
            : words.contains("AUTO_INCREMENT")
                ? "AUTO_INCREMENT numbers all rows, which blocks writes"
                : words.contains("CHECK") || !made.constraints().isEmpty()
                    ? "it brings a CHECK: declare AddCheck"
                    : words.contains("ON")
                        ? "ON UPDATE would change rows that are backfilled"
                        : words.contains("INVISIBLE")
                            ? "the library itself hides it, until all code knows it"
                            : made.keys().size() > table.definition().keys().size()
                                ? "it brings an index: declare CreateIndex or AddUnique"
                                : null;
    if (more != null) {
      throw catalog.refuse(
          what + " is more than a column: " + more, "Leave the column's type to be a type.");
    }
    return definition;
  }
}
