package dev.zerodowntime.orchestrator.mysql;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a key's column becomes text and a parameter again, without loss, and so that the column alone
 * decides about order and equality: by its own character set and collation, whatever those of the
 * connection are. A parameter that can't be converted would be NULL, and a range that ends at NULL
 * is empty: rows would be passed over silently. So each way here takes every value that a column of
 * its type can hold.
 *
 * <p>Written as {@link dev.zerodowntime.orchestrator.spi.Scan.KeyColumn#type()}: {@code signed},
 * {@code unsigned}, {@code decimal(p,s)}, {@code moment} (dates with or without time), {@code
 * time(n)}, {@code binary}, {@code uuid}, {@code text charset collation}, {@code bytes charset
 * collation}.
 */
final class KeyType {

  /** Every character of these has exactly one in utf8mb4, and back. */
  private static final Set<String> UNICODE =
      Set.of("ascii", "latin1", "utf8", "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32");

  private static final String MOMENT = "moment";

  private final String kind;
  private final String type;
  private final String charset;
  private final String collation;

  private KeyType(String text) {
    String[] parts = text.split(" ");
    this.type = text;
    this.kind = parts[0].replaceFirst("\\(.*", "");
    this.charset = parts.length > 1 ? parts[1] : "";
    this.collation = parts.length > 2 ? parts[2] : "";
  }

  /** Reads what {@link #of} gave. */
  static KeyType parse(String text) {
    return new KeyType(text);
  }

  /**
   * The type for a column, from its row in {@code information_schema.columns}.
   *
   * @param dataType such as {@code int}
   * @param columnType such as {@code int(10) unsigned}
   * @param charset its character set, if it has one
   * @param collation its collation, if it has one
   * @return empty if nobody can walk along such a column
   */
  static Optional<String> of(
      String dataType, String columnType, @Nullable String charset, @Nullable String collation) {
    String column = columnType.toLowerCase(Locale.ROOT);
    return Optional.ofNullable(
        switch (dataType.toLowerCase(Locale.ROOT)) {
          case "tinyint", "smallint", "mediumint", "int", "bigint" ->
              column.contains("unsigned") ? "unsigned" : "signed";
          case "year" -> "unsigned";
          case "decimal" -> column.replaceFirst("\\).*", ")").replace(" ", "");
          case "date", "datetime" -> MOMENT;
          // Always as exact as can be: a value of a coarser column stays what it is.
          case "time" -> "time(6)";
          case "binary", "varbinary" -> "binary";
          case "uuid" -> "uuid";
          case "char", "varchar" ->
              charset == null || collation == null
                  ? null
                  : (UNICODE.contains(charset) ? "text " : "bytes ") + charset + " " + collation;
          // FLOAT, DOUBLE: their text isn't their value. TIMESTAMP: its text is the session's time
          // zone's, and one hour a year is there twice. ENUM, SET: ordered by number, not by text.
          // BIT, JSON, TEXT and BLOB, of which a key holds a part only, and what isn't known.
          default -> null;
        });
  }

  /** A column as text; every character of it is in utf8mb4. */
  String text(String column) {
    return switch (kind) {
      case "text" -> "CONVERT(" + column + " USING utf8mb4)";
      case "binary", "bytes" -> "HEX(" + column + ")";
      default -> "CAST(" + column + " AS CHAR)";
    };
  }

  /** One parameter, which {@link #bound} is bound to. */
  String parameter() {
    return from("?");
  }

  /** The same from a column that holds the text; a zero in a date becomes NULL here. */
  String fromText(String textColumn) {
    return kind.equals(MOMENT) ? "CAST(" + textColumn + " AS DATETIME(6))" : from(textColumn);
  }

  private String from(String value) {
    return switch (kind) {
      case "text" -> collated("CONVERT(" + value + " USING utf8mb4)");
      case "bytes" -> collated("UNHEX(" + value + ")");
      case "binary" -> "UNHEX(" + value + ")";
      // A cast to DATE or DATETIME would make NULL of a zero in it where sql_mode forbids these.
      case MOMENT -> value;
      // MySQL takes a bare parameter of a cast to UNSIGNED for a signed one, in statements that it
      // has prepared itself.
      default ->
          "CAST(CONVERT(" + value + " USING utf8mb4) AS " + type.toUpperCase(Locale.ROOT) + ")";
    };
  }

  private String collated(String value) {
    return "CONVERT(" + value + " USING " + charset + ") COLLATE " + collation;
  }

  /**
   * The same as statements for the client: they make of a session's variable that holds the text
   * what is bound.
   */
  String bind(String variable) {
    if (!kind.equals(MOMENT)) {
      return "";
    }
    // MySQL takes the decimals away from what REGEXP_REPLACE has made.
    String number =
        "CAST(REPLACE(REPLACE(REPLACE("
            + variable
            + ", '-', ''), ' ', ''), ':', '') AS"
            + " DECIMAL(30,6))";
    return "SET @zdo_bind = IF("
        + variable
        + " >= '1000' OR "
        + variable
        + " REGEXP '^[0:. -]*$', 'SET "
        + variable
        + " = "
        + number.replace("'", "''")
        + "', 'DO 0');\nPREPARE zdo FROM @zdo_bind;\nEXECUTE zdo;\n";
  }

  /** What is bound for a text: nothing of it depends on the connection's character set. */
  Object bound(String text) {
    return switch (kind) {
      case "binary", "bytes" -> text;
      case MOMENT -> {
        // A number with a year below 100 is taken for one of 1970 to 2069, and some below 1000 for
        // none; text is not, but then
        // nothing of it may be zero where sql_mode forbids that.
        BigDecimal number = new BigDecimal(text.replaceAll("[^0-9.]", ""));
        yield number.signum() == 0 || text.compareTo("1000") >= 0 ? number : text;
      }
      default -> text.getBytes(StandardCharsets.UTF_8);
    };
  }
}
