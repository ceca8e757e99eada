package dev.zerodowntime.orchestrator.postgres;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A value that no application writes, to tell "not given" from an explicit NULL in a BEFORE INSERT
 * trigger. Only the trigger ever sees it: it never reaches the table.
 */
final class ColumnFactsSentinel {

  private static final Pattern LIMITED =
      Pattern.compile("(character varying|character|numeric)\\((\\d+)(?:,(-?\\d+))?\\)");

  /** Shorter texts could be words. */
  private static final int SHORTEST = 12;

  private ColumnFactsSentinel() {}

  /**
   * The value for a type.
   *
   * @param type the column's type, as SQL
   * @param baseType the type under its domains, as SQL
   * @param parts what makes it this migration's own
   * @return an SQL expression; empty where every value of the type is in use
   */
  static Optional<String> of(String type, String baseType, String... parts) {
    byte[] hash = Sql.sha256(parts);
    String hex = HexFormat.of().formatHex(hash);
    BigInteger number = new BigInteger(1, hash);
    return literal(baseType, hex, number)
        .map(value -> "CAST(" + Sql.literal(value) + " AS " + type + ")");
  }

  private static Optional<String> literal(String type, String hex, BigInteger number) {
    String text = "~zdo:" + hex;
    Matcher limited = LIMITED.matcher(type);
    if (limited.matches()) {
      int size = Integer.parseInt(limited.group(2));
      if (!type.startsWith("numeric")) {
        return size < SHORTEST
            ? Optional.empty()
            : Optional.of(text.substring(0, Math.min(size, text.length())));
      }
      int scale = limited.group(3) == null ? 0 : Integer.parseInt(limited.group(3));
      return size < SHORTEST || scale < 0 || scale > size
          ? Optional.empty()
          : Optional.of(
              "-" + digits(number, size - scale) + (scale == 0 ? "" : "." + digits(number, scale)));
    }
    return switch (type.replaceFirst("^timestamp\\(\\d\\)", "timestamp")) {
      case "text", "character varying" -> Optional.of(text);
      case "text[]", "character varying[]" -> Optional.of("{\"" + text + "\"}");
      case "json", "jsonb" -> Optional.of("{\"~zdo\": \"" + hex + "\"}");
      case "bytea" -> Optional.of("\\x" + hex);
      case "uuid" -> Optional.of(hex.substring(0, 32));
      case "numeric" -> Optional.of("-" + digits(number, 30) + "." + digits(number, 9));
      case "bigint" -> Optional.of("-92" + digits(number.mod(BigInteger.TEN.pow(15)), 17));
      case "integer" -> Optional.of("-21" + digits(number.mod(BigInteger.TEN.pow(7)), 8));
      case "double precision" -> Optional.of("-1." + digits(number, 15) + "e-250");
      case "timestamp without time zone" -> Optional.of(time(number) + " BC");
      case "timestamp with time zone" -> Optional.of(time(number) + "+00 BC");
      case "date" -> Optional.of(time(number).substring(0, 10) + " BC");
      default ->
          type.endsWith(".citext") || type.equals("citext") ? Optional.of(text) : Optional.empty();
    };
  }

  /** In a year that PostgreSQL knows and nobody writes. */
  private static String time(BigInteger number) {
    int seed = number.mod(BigInteger.valueOf(1_000_000_007)).intValue();
    return String.format(
        Locale.ROOT,
        "%04d-%02d-%02d %02d:%02d:%02d",
        4_000 + seed % 700,
        1 + seed / 700 % 12,
        1 + seed / 8_400 % 28,
        seed / 235_200 % 24,
        seed / 5_644_800 % 60,
        seed % 60);
  }

  /** So many digits, the first of which is no zero. */
  private static String digits(BigInteger number, int count) {
    if (count == 0) {
      return "0";
    }
    BigInteger lowest = BigInteger.TEN.pow(count - 1);
    return lowest
        .add(number.mod(lowest.multiply(BigInteger.valueOf(9)).max(BigInteger.ONE)))
        .toString();
  }
}
