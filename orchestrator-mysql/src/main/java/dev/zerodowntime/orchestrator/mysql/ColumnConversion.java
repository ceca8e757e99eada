package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.spi.Facts;
import java.util.Map;

/**
 * How the values of two columns of different types become each other, by the author's expressions.
 *
 * <p>A value is carried only where the other column holds exactly what the expression yields: what
 * was cut off or rounded on the way would be another value. NULL corresponds to NULL alone, for
 * these servers make NULL of much that can't be converted.
 */
final class ColumnConversion {

  /** The new column's type, with which a variable of its type is declared. */
  static final String TYPE = "newType";

  /** {@link ColumnImage} of the old column. */
  static final String OLD_IMAGE = "oldImage";

  /** {@link ColumnImage} of the new column. */
  static final String NEW_IMAGE = "newImage";

  private final ChangeColumnType change;
  private final String from;
  private final String type;
  private final ColumnImage old;
  private final ColumnImage fresh;

  ColumnConversion(ChangeColumnType change, Map<String, Object> facts) {
    this.change = change;
    this.from = Facts.required(facts, ColumnTwinCheck.OLD);
    this.type = Facts.required(facts, TYPE);
    this.old = ColumnImage.of(Facts.map(facts, OLD_IMAGE));
    this.fresh = ColumnImage.of(Facts.map(facts, NEW_IMAGE));
  }

  /** The old column, quoted. */
  String from() {
    return Sql.quote(from);
  }

  /** The new column, quoted. */
  String to() {
    return Sql.quote(change.to());
  }

  /** The new column's type. */
  String type() {
    return type;
  }

  /** What the new column's value is, for some value of the old one, in a trigger. */
  String up(String value) {
    return of(change.up(), from(), value);
  }

  /** What the old column's value is, for some value of the new one, in a trigger. */
  String down(String value) {
    return of(change.down(), to(), value);
  }

  private String of(String expression, String column, String value) {
    return "(SELECT ("
        + expression
        + ") FROM (SELECT "
        + value
        + " AS "
        + column
        + ") AS "
        + Sql.quote(change.table())
        + ")";
  }

  /** Whether a value of the new column is exactly what an expression yields. */
  String newIs(String held, String value) {
    return same(fresh, held, value);
  }

  /** Whether a value of the old column is exactly what an expression yields. */
  String oldIs(String held, String value) {
    return same(old, held, value);
  }

  /** Texts by their characters: a character set that lacks one has a question mark instead. */
  private static String same(ColumnImage image, String held, String value) {
    return image.charset() == null
        ? "(" + image.same(held, value) + ")"
        : "("
            + new ColumnImage(image.name(), image.type(), "utf8mb4")
                .same("CONVERT(" + held + " USING utf8mb4)", value)
            + ")";
  }

  /** What a batch assigns to the new column. */
  String copied() {
    return to() + " = (" + change.up() + ")";
  }

  /**
   * Whether the columns of a row don't correspond: neither is what the other converts to. Which one
   * was written isn't known; neither conversion need be the exact reverse of the other.
   */
  String wrong() {
    return "((("
        + from()
        + " IS NULL) <> ("
        + to()
        + " IS NULL)) OR NOT (CASE WHEN "
        + newIs(to(), change.up())
        + " THEN TRUE ELSE "
        + oldIs(from(), change.down())
        + " END))";
  }

  /**
   * Whether a batch can't mend a row: there is no value for it; or it was copied, and is not
   * exactly what the expression yields.
   */
  String poison() {
    return "("
        + to()
        + " IS NOT NULL OR ("
        + from()
        + " IS NOT NULL AND ("
        + change.up()
        + ") IS NULL))";
  }
}
