package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether a column holds what an expression would put there, down to the last bit: collations, and
 * numbers that are rounded for a comparison, call different values equal.
 *
 * @param name the column, unquoted
 * @param type its data type, such as {@code varchar}
 * @param charset its character set, if it has one
 */
record ColumnImage(String name, String type, @Nullable String charset) {

  /** Reads it. */
  static ColumnImage of(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    return catalog
        .list(
            "SELECT DATA_TYPE, CHARACTER_SET_NAME FROM information_schema.COLUMNS WHERE "
                + Probes.isTable(table.schema(), table.name())
                + " AND COLUMN_NAME = ?",
            row ->
                new ColumnImage(
                    column.name(), row.getString(1).toLowerCase(Locale.ROOT), row.getString(2)),
            column.name())
        .get(0);
  }

  /**
   * Whether the same is held.
   *
   * @param held the column, as SQL
   * @param value the expression, as SQL
   */
  String same(String held, String value) {
    if (charset != null) {
      String text = type.equals("char") ? "RTRIM(" + value + ")" : "(" + value + ")";
      return binary(held) + " <=> " + binary("CONVERT(" + text + " USING " + charset + ")");
    }
    return switch (type) {
      case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal" ->
          held + " <=> CAST((" + value + ") AS DECIMAL(65,30))";
      case "float" -> held + " <=> CAST((" + value + ") AS FLOAT)";
      case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" ->
          held + " <=> " + binary("(" + value + ")");
      case "json" -> binary(utf8(held)) + " <=> " + binary(utf8("CAST((" + value + ") AS JSON)"));
      default -> held + " <=> (" + value + ")";
    };
  }

  /**
   * Whether two columns hold the same, both of this type or one that it was widened to.
   *
   * @param one a column, as SQL
   * @param other the other, as SQL
   */
  String equal(String one, String other) {
    if (charset != null) {
      return binary(one) + " <=> " + binary(other);
    }
    return switch (type) {
      case "tinyint",
          "smallint",
          "mediumint",
          "int",
          "bigint",
          "decimal",
          "float",
          "double",
          "date",
          "datetime",
          "timestamp",
          "time",
          "year",
          "bit",
          "uuid",
          "inet4",
          "inet6" ->
          one + " <=> " + other;
      case "json" -> binary(utf8(one)) + " <=> " + binary(utf8(other));
      default -> binary(one) + " <=> " + binary(other);
    };
  }

  private static String utf8(String sql) {
    return "CONVERT(" + sql + " USING utf8mb4)";
  }

  private static String binary(String sql) {
    return "CAST(" + sql + " AS BINARY)";
  }

  /** Whether its text isn't all there is to it, so that a function can't be given it as text. */
  boolean hasNoText() {
    return charset == null
        && !List.of(
                "tinyint",
                "smallint",
                "mediumint",
                "int",
                "bigint",
                "decimal",
                "double",
                "date",
                "datetime",
                "time",
                "year",
                "json",
                "uuid",
                "inet4",
                "inet6")
            .contains(type);
  }

  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", name);
    map.put("type", type);
    if (charset != null) {
      map.put("charset", charset);
    }
    return map;
  }

  static ColumnImage of(Map<String, Object> map) {
    return new ColumnImage(
        String.valueOf(map.get("name")),
        String.valueOf(map.get("type")),
        (String) map.get("charset"));
  }
}
