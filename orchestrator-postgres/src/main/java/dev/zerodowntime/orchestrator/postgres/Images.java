package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Facts;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a column would hold once an expression was assigned to it, compared with what it holds, by
 * image: for {@code =} texts that differ in case, or numbers that differ in their scale, may be the
 * same.
 *
 * @param name unquoted
 * @param type its type under all domains, as SQL, with its modifier
 * @param plain the same without a modifier, as SQL
 * @param domain whether the column's type is a domain
 */
record Images(String name, String type, String plain, boolean domain) {

  static Images of(Catalog catalog, CatalogColumn column) throws SQLException {
    String plain =
        catalog
            .list(
                "SELECT format_type(CAST(? AS regtype)::oid, -1)",
                row -> row.getString(1),
                column.baseType())
            .get(0);
    return new Images(
        column.name(), column.baseType(), plain, !column.type().equals(column.baseType()));
  }

  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", name);
    map.put("type", type);
    map.put("plain", plain);
    map.put("domain", domain);
    return map;
  }

  static List<Images> of(Map<String, Object> facts, String list) {
    return Facts.maps(facts, list).stream()
        .map(
            each ->
                new Images(
                    Facts.required(each, "name"),
                    Facts.required(each, "type"),
                    Facts.required(each, "plain"),
                    Facts.flag(each, "domain")))
        .toList();
  }

  /** The column of a table that is called so, comparable. */
  String held(String table) {
    String column = Sql.quote(table) + "." + Sql.quote(name);
    return domain ? "CAST(" + column + " AS " + type + ")" : column;
  }

  /**
   * A value as it would be stored. Bit strings are stored as they are, or rejected; an explicit
   * cast would cut or pad them.
   */
  String stored(String value) {
    return "CAST((" + value + ") AS " + (bits() ? plain : type) + ")";
  }

  /**
   * A predicate that holds if a value is not what is held: SQL, or empty, to be joined by OR to a
   * comparison of {@link #stored} values. An assignment rejects a text that is too long, where an
   * explicit cast cuts it off; then what is held can't be right.
   */
  String rejected(String value) {
    boolean text = plain.equals("bpchar") || plain.equals("character varying");
    return !text || type.equals(plain)
        ? ""
        : " OR pg_catalog.record_image_ne(ROW(pg_catalog.rtrim(CAST(("
            + value
            + ") AS text))), ROW(pg_catalog.rtrim(CAST("
            + stored(value)
            + " AS text))))";
  }

  private boolean bits() {
    return plain.equals("\"bit\"") || plain.equals("bit varying");
  }
}
