package dev.zerodowntime.orchestrator.internal.sql;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An ALTER TABLE.
 *
 * @param table the table
 * @param actions what is done to it
 */
public record AlterTable(ObjectName table, List<Action> actions) {

  private static final Set<String> CONSTRAINTS =
      Set.of("constraint", "check", "unique", "primary", "foreign", "exclude", "not");

  /**
   * Reads a statement.
   *
   * @param statement any statement
   * @return empty if it is another one
   */
  public static Optional<AlterTable> of(Statement statement) {
    if (!statement.starts("alter", "table") || statement.at(2, "all", "in")) {
      return Optional.empty();
    }
    int place = statement.skip(statement.skip(2, "if", "exists"), "only");
    Statement.Named table = statement.name(place);
    if (table == null) {
      return Optional.empty();
    }
    int rest = table.end();
    if (rest < statement.tokens().size() && statement.tokens().get(rest).symbol('*')) {
      rest++;
    }
    return Optional.of(
        new AlterTable(table.name(), statement.parts(rest).stream().map(Action::new).toList()));
  }

  /**
   * One of the things that it does.
   *
   * @param tokens its tokens
   */
  public record Action(List<Token> tokens) {

    /** Whether it begins with these keywords. */
    public boolean starts(String... words) {
      return Statement.at(tokens, 0, words);
    }

    /** Whether keywords are there, outside of parentheses. */
    public boolean has(String... words) {
      return Statement.find(tokens, words) >= 0;
    }

    /** Whether it adds a column. */
    public boolean addsColumn() {
      return starts("add") && !addsConstraint();
    }

    /** Whether it adds a constraint of the table, rather than of a new column. */
    public boolean addsConstraint() {
      return starts("add")
          && tokens.size() > 1
          && tokens.get(1).kind() == Token.Kind.WORD
          && CONSTRAINTS.contains(tokens.get(1).text());
    }

    /** The column that is added, dropped, altered or renamed; null if it is about none. */
    public @Nullable String column() {
      int place = 1;
      if (!(addsColumn() || starts("drop") || starts("alter") || starts("rename"))
          || Statement.at(tokens, 1, "constraint")
          || (starts("rename") && Statement.at(tokens, 1, "to"))) {
        return null;
      }
      if (Statement.at(tokens, place, "column")) {
        place++;
      }
      if (Statement.at(tokens, place, "if", "not", "exists")) {
        place += 3;
      } else if (Statement.at(tokens, place, "if", "exists")) {
        place += 2;
      }
      return place < tokens.size() && tokens.get(place).name() ? tokens.get(place).text() : null;
    }

    /** The constraint that is added, dropped or validated; null if it has no name. */
    public @Nullable String constraint() {
      int place = Statement.find(tokens, "constraint");
      if (place < 0 || addsColumn()) {
        return null;
      }
      place++;
      if (Statement.at(tokens, place, "if", "exists")) {
        place += 2;
      }
      return place < tokens.size() && tokens.get(place).name() ? tokens.get(place).text() : null;
    }

    /** The column of which {@code CHECK (column IS NOT NULL)} is demanded; null if none. */
    public @Nullable String provenColumn() {
      int check = Statement.find(tokens, "check");
      if (!addsConstraint() || check < 0) {
        return null;
      }
      List<Token> inside =
          tokens.subList(check + 1, tokens.size()).stream()
              .filter(each -> each.depth() > tokens.get(check).depth())
              .filter(each -> !each.symbol('(') && !each.symbol(')'))
              .toList();
      return inside.size() == 4
              && inside.get(0).name()
              && Statement.at(inside, 1, "is", "not", "null")
          ? inside.get(0).text()
          : null;
    }
  }
}
