package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.testing.Spelling;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The table that scenarios change, as a database product has it. */
public abstract class Accounts {

  /** More would not fit one statement everywhere. */
  private static final int AT_ONCE = 1_000;

  /** Long enough, together with the batches, for many writes in the middle of a backfill. */
  public static final Duration PAUSE = Duration.ofMillis(4);

  public static final int BATCH = 200;

  private final Spelling sql;
  private final int rows;

  /**
   * As many rows as there are to be, in whole thousands.
   *
   * @param sql how its SQL is spelled
   * @param rows how many
   */
  protected Accounts(Spelling sql, int rows) {
    this.sql = sql;
    this.rows = rows;
  }

  public final Spelling sql() {
    return sql;
  }

  /** Whether a new column is no part of {@code *} until code that knows it has come. */
  protected abstract boolean hidesNewColumns();

  /** A column's rule that it isn't empty, where the dialect takes such columns along; else none. */
  protected abstract String notEmpty(String column);

  /** What a lookup by a name needs so as not to lock all rows. */
  protected abstract List<String> lookups();

  String text(String column, String rest) {
    return column + " " + sql.text() + rest;
  }

  /** A text for each row. */
  String numbered(String prefix) {
    return sql.concat("'" + prefix + "'", "i");
  }

  /** With names that code looks up, and whatever makes that quick; more may come after. */
  List<String> lookedUp(String column, String... more) {
    List<String> statements = new ArrayList<>(table(column, numbered("n"), more));
    statements.addAll(lookups());
    return statements;
  }

  /** A name with a default. */
  String named() {
    return "name varchar(60) NOT NULL DEFAULT 'anon'" + notEmpty("name");
  }

  /** Code that doesn't know the new column, and may leave its columns unnamed. */
  Code old(Code code) {
    return hidesNewColumns() ? code.positional() : code;
  }

  /** Code that knows the new column. */
  Code fresh(Code code) {
    return hidesNewColumns() ? code.named() : code;
  }

  /** For more workers than one pod has, and long enough for those of others to notice. */
  public static <B extends Migration.Builder<B, ?>> B shared(B builder) {
    return builder.pace(pace -> pace.rows(50, 50).pause(Duration.ofMillis(20)).workers(3));
  }

  /**
   * The columns that all scenarios have, and perhaps one more.
   *
   * @param column its name and all the rest of its definition; empty for none
   * @param value what the rows have, made of their number {@code i}
   * @param more what comes after
   */
  public final List<String> table(String column, String value, String... more) {
    List<String> statements = new ArrayList<>();
    statements.add(
        "CREATE TABLE accounts (id "
            + sql.numbered()
            + " PRIMARY KEY, country "
            + sql.text()
            + " NOT NULL, note "
            + sql.text()
            + ", hits bigint NOT NULL DEFAULT 1"
            + (column.isEmpty() ? "" : ", " + column)
            + ")");
    for (int from = 1; from <= rows; from += AT_ONCE) {
      statements.add(
          "INSERT INTO accounts (country, note"
              + (column.isEmpty() ? "" : ", " + column.split(" ", 2)[0])
              + ") SELECT 'de', 'old'"
              + (column.isEmpty() ? "" : ", " + value)
              + " FROM "
              + sql.numbers(from, from + AT_ONCE - 1));
    }
    statements.addAll(List.of(more));
    return statements;
  }
}
