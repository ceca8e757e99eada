package dev.zerodowntime.orchestrator.internal.fleet.model;

import dev.zerodowntime.orchestrator.Span;
import java.util.Arrays;
import java.util.List;

/**
 * An operation as the fleet rules see it, and the releases that roll it out.
 *
 * @param name the operation's name
 * @param stages the spans of its code stages, oldest first
 * @param last the position of its last phase
 * @param purge the phase from which there is no way back, or -1
 * @param releases for each release, oldest first, the stages that it declares, oldest first
 */
record Operation(
    String name, List<Span> stages, int last, int purge, List<List<Integer>> releases) {

  static final Operation ADD_COLUMN =
      new Operation(
          "AddColumn",
          List.of(new Span(0, 3), new Span(1, 3), new Span(3, 4)),
          4,
          -1,
          List.of(List.of(0), List.of(1), List.of(2)));

  static final Operation RENAME_COLUMN =
      new Operation(
          "RenameColumn",
          List.of(new Span(0, 4), new Span(4, 6), new Span(5, 6)),
          6,
          6,
          List.of(List.of(0), List.of(1), List.of(2)));

  static final Operation RENAME_COLUMN_IN_CODE =
      new Operation(
          "RenameColumnInCode",
          List.of(new Span(0, 1), new Span(1, 4), new Span(4, 5), new Span(5, 7)),
          7,
          7,
          List.of(List.of(0), List.of(1), List.of(2), List.of(3)));

  static final Operation DROP_COLUMN =
      new Operation(
          "DropColumn",
          List.of(new Span(0, 0), new Span(0, 1), new Span(1, 3)),
          3,
          3,
          List.of(List.of(0), List.of(1), List.of(2)));

  static final Operation CREATE_INDEX =
      new Operation(
          "CreateIndex",
          List.of(new Span(0, 1), new Span(1, 1)),
          1,
          -1,
          List.of(List.of(0), List.of(1)));

  /** The same operation, rolled out by other releases. */
  Operation releases(List<List<Integer>> others) {
    return new Operation(name, stages, last, purge, others);
  }

  int newest() {
    return releases.size() - 1;
  }

  /** The spans of the stages that a release declares, oldest first. */
  List<Span> declared(int release) {
    return releases.get(release).stream().map(stages::get).toList();
  }

  /** The span of the highest stage that a release declares. */
  Span highest(int release) {
    List<Integer> declared = releases.get(release);
    return stages.get(declared.get(declared.size() - 1));
  }

  /** Whether two releases share a phase: what a pipeline's check demands of successive ones. */
  boolean share(int one, int other) {
    return declared(one).stream().anyMatch(a -> declared(other).stream().anyMatch(a::overlaps));
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(name).append(" stages ");
    text.append(stages).append(", releases ");
    for (List<Integer> release : releases) {
      text.append(Arrays.toString(release.toArray()));
    }
    return text.toString();
  }
}
