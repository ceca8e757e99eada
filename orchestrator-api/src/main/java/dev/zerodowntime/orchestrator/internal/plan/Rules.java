package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import dev.zerodowntime.orchestrator.internal.sql.SqlTextException;
import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Holds the statements of a plan against the rules, in the order in which they will run. One object
 * for each plan.
 */
public final class Rules {

  private static final List<Rule> ALL =
      Stream.of(
              StepRules.all(),
              TableRules.all(),
              IndexRules.all(),
              ConstraintRules.all(),
              ColumnRules.all())
          .flatMap(List::stream)
          .toList();

  /** About rows that are read or written while the table is locked. */
  private static final Set<String> ROWS =
      Set.of(
          "add-check",
          "add-foreign-key",
          "add-unique",
          "set-not-null",
          "volatile-default",
          "generated-column",
          "alter-column-type");

  private final Made made = new Made();

  /**
   * What a rule says of a statement.
   *
   * @param rule the rule's name
   * @param statement the statement's beginning
   * @param reason why not
   * @param instead what to use instead
   * @param overridable whether a step may do it all the same
   */
  public record Refusal(
      String rule, String statement, String reason, String instead, boolean overridable) {}

  /** The names of all rules. */
  public static List<String> names() {
    return ALL.stream().map(Rule::name).toList();
  }

  /**
   * The names by which rules can be overridden.
   *
   * @return all of them
   */
  public static List<String> overridable() {
    return ALL.stream().filter(Rule::overridable).map(Rule::name).toList();
  }

  /**
   * Cuts texts into statements.
   *
   * @param texts SQL
   * @return the statements of all of them
   * @throws SqlTextException if one can't be cut
   */
  public static List<Statement> statements(List<String> texts) {
    List<Statement> all = new ArrayList<>();
    texts.forEach(each -> all.addAll(Statement.of(each)));
    return all;
  }

  /**
   * Whether prepared statements that read all columns notice.
   *
   * @param statements the statements of a step
   */
  public static boolean changesRowType(List<Statement> statements) {
    return statements.stream()
        .flatMap(each -> AlterTable.of(each).stream())
        .flatMap(each -> each.actions().stream())
        .anyMatch(
            each ->
                each.addsColumn()
                    || each.column() != null
                        && (each.starts("drop") || each.starts("rename") || each.has("type")));
  }

  /**
   * Looks at a step, after those before it, and notes what it makes.
   *
   * @param statements its statements
   * @param online whether they run outside of a transaction
   * @param overridden rules that don't count
   * @return the first thing that is wrong
   */
  public Optional<Refusal> up(List<Statement> statements, boolean online, Set<String> overridden) {
    return look(statements, online, false, overridden);
  }

  /**
   * Looks at the way back of a step, after all steps of the plan.
   *
   * @param statements its statements
   * @param online whether they run outside of a transaction
   * @param overridden rules that don't count
   * @return the first thing that is wrong
   */
  public Optional<Refusal> down(
      List<Statement> statements, boolean online, Set<String> overridden) {
    return look(statements, online, true, overridden);
  }

  private Optional<Refusal> look(
      List<Statement> statements, boolean online, boolean back, Set<String> overridden) {
    // What no override lets pass comes first.
    for (boolean overridable : new boolean[] {false, true}) {
      for (Statement statement : statements) {
        Place place = new Place(statement, statements, online, back, made);
        for (Rule rule : ALL) {
          if (rule.overridable() == overridable
              && !(overridable && overridden.contains(rule.name()))
              // There the server itself refuses it.
              && !(statement.saysAlgorithm() && ROWS.contains(rule.name()))
              && rule.matches().test(place)) {
            return Optional.of(
                new Refusal(
                    rule.name(),
                    statement.shown(),
                    rule.reason(),
                    rule.instead(),
                    rule.overridable()));
          }
        }
        if (overridable && !back) {
          made.note(statement);
        }
      }
    }
    return Optional.empty();
  }
}
