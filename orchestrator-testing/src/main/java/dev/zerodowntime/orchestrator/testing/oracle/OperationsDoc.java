package dev.zerodowntime.orchestrator.testing.oracle;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Phase;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** What was measured, as a page for people: a table for each subject, with a line for each step. */
public final class OperationsDoc {

  private static final int SQL_LENGTH = 130;
  private static final int SQL_STATEMENTS = 4;

  /** Position of the only column that differs from run to run. */
  private static final int HOLD_COLUMN = 5;

  private final String head;
  private final String rowsTitle;
  private final UnaryOperator<String> plain;
  private final Map<String, List<String>> sections = new LinkedHashMap<>();

  /**
   * An empty page.
   *
   * @param head what comes before the tables
   * @param rowsTitle what the column of {@link Cells#rows} is called
   * @param plain takes what is a matter of course out of a piece of SQL
   */
  public OperationsDoc(String head, String rowsTitle, UnaryOperator<String> plain) {
    this.head = head;
    this.rowsTitle = rowsTitle;
    this.plain = plain;
  }

  /**
   * What was seen of a step.
   *
   * @param lock which locks; null if nothing was seen
   * @param hold for how long, which differs from run to run
   * @param rows what it did to rows
   * @param blocks what of others waits
   */
  public record Cells(String lock, String hold, String rows, String blocks) {}

  /** Tells what was seen. */
  public interface Seen {
    Cells of(Declared.Key key, Step step);
  }

  /**
   * Adds one subject.
   *
   * @param name its name; begins with the operation's
   * @param declared what its steps declare
   * @param seen what was seen
   */
  public void add(String name, Lifecycle lifecycle, Declared declared, Seen seen) {
    List<String> lines = new ArrayList<>();
    lines.add("### " + name + "\n");
    lines.add(
        "Phases: "
            + lifecycle.phases().stream().map(Phase::name).collect(Collectors.joining(" · "))
            + ". Code: "
            + lifecycle.stages().stream()
                .map(each -> each.stage() + " " + span(each.span().low(), each.span().high()))
                .collect(Collectors.joining(" · "))
            + ".\n");
    lines.add("| phase | step | SQL | lock | hold | " + rowsTitle + " | blocks | way back |");
    lines.add("|---|---|---|---|---|---|---|---|");
    for (int phase = 1; phase <= lifecycle.last(); phase++) {
      rows(lines, lifecycle, declared, seen, phase, Direction.UP);
    }
    for (int phase = lifecycle.last(); phase > 0; phase--) {
      if (lifecycle.reachable(phase, phase - 1)) {
        rows(lines, lifecycle, declared, seen, phase, Direction.DOWN);
      }
    }
    String section = "## " + lifecycle.operation() + "\n";
    sections
        .computeIfAbsent(section, key -> new ArrayList<>())
        .add(String.join("\n", lines) + "\n");
  }

  private static String span(int low, int high) {
    return "[" + low + "," + high + "]";
  }

  private void rows(
      List<String> lines,
      Lifecycle lifecycle,
      Declared declared,
      Seen seen,
      int phase,
      Direction direction) {
    Declared.Movement movement = new Declared.Movement(phase, direction);
    boolean up = direction == Direction.UP;
    String where = up ? lifecycle.name(phase) : "back out of " + lifecycle.name(phase);
    List<Step> steps = declared.steps(movement);
    if (steps.isEmpty()) {
      if (up) {
        lines.add("| " + where + " | nothing to do | | | | | | |");
      }
      return;
    }
    for (Step step : steps) {
      Cells cells = seen.of(new Declared.Key(movement, step.name()), step);
      boolean unseen = cells.lock() == null && !step.locks().isEmpty();
      lines.add(
          row(
              where,
              name(step),
              sql(step),
              cells.lock() != null
                  ? cells.lock()
                  : unseen ? "not needed here; declared: " + plain.apply(step.lock()) : "none",
              cells.hold(),
              cells.rows(),
              cells.blocks(),
              up && step == steps.get(0) ? wayBack(lifecycle, declared, phase) : ""));
    }
  }

  /** Without what stands for a partition, which is another one in every database. */
  private static String name(Step step) {
    return step.name().replaceFirst("-[a-p]{8}$", "-…");
  }

  private static String wayBack(Lifecycle lifecycle, Declared declared, int phase) {
    if (!lifecycle.reachable(phase, phase - 1)) {
      return "none";
    }
    List<Step> steps = declared.steps(new Declared.Movement(phase, Direction.DOWN));
    return steps.isEmpty()
        ? "nothing to do"
        : steps.stream().map(OperationsDoc::name).distinct().collect(Collectors.joining(", "));
  }

  private String sql(Step step) {
    List<String> sql = step.sql();
    String shown =
        sql.stream()
            .limit(SQL_STATEMENTS)
            .map(each -> "`" + statement(each) + "`")
            .collect(Collectors.joining("<br>"));
    int more = sql.size() - SQL_STATEMENTS;
    return more > 0 ? shown + "<br>and " + more + " more" : shown;
  }

  private String statement(String sql) {
    String shown = plain.apply(sql.replaceAll("\\s+", " ").strip()).replaceAll(" AS '.*", " AS …");
    return shown.length() > SQL_LENGTH ? shown.substring(0, SQL_LENGTH) + "…" : shown;
  }

  private static String row(String... cells) {
    return "| "
        + java.util.Arrays.stream(cells)
            .map(each -> each.replace("|", "\\|"))
            .collect(Collectors.joining(" | "))
        + " |";
  }

  /** A page in which only what is the same in every run is left. */
  public static String withoutHolds(String page) {
    return page.lines()
        .map(
            line -> {
              String[] cells = line.split("(?<!\\\\)\\|", -1);
              if (cells.length > HOLD_COLUMN) {
                cells[HOLD_COLUMN] = " ";
              }
              return String.join("|", cells);
            })
        .collect(Collectors.joining("\n"));
  }

  @Override
  public String toString() {
    StringBuilder page = new StringBuilder(head);
    List<String> parts = new ArrayList<>();
    sections.forEach((section, tables) -> parts.add(section + "\n" + String.join("\n", tables)));
    return page.append(String.join("\n", parts)).toString();
  }
}
