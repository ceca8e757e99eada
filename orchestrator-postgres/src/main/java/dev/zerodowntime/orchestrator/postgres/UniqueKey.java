package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Step;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A unique constraint or a primary key whose index is built while the table is in use.
 *
 * @param primary whether it is a primary key
 * @param name the constraint's and the index's name, unquoted
 * @param columns the key's columns, unquoted
 * @param include columns carried along, unquoted
 * @param nullsNotDistinct whether two nulls count as the same
 */
record UniqueKey(
    boolean primary,
    String name,
    List<String> columns,
    List<String> include,
    boolean nullsNotDistinct) {

  /** The phase in which the index is built. */
  private static final int ENFORCE = 1;

  /** The phase in which it becomes the constraint's. */
  private static final int DONE = 2;

  /** As SQL says it. */
  String word() {
    return primary ? "PRIMARY KEY" : "UNIQUE";
  }

  /** For messages. */
  String what() {
    return primary ? "primary key" : "unique constraint";
  }

  /** As {@code pg_constraint} says it. */
  String type() {
    return primary ? "p" : "u";
  }

  /** What follows the table's name in the statement that builds the index. */
  String tail() {
    return " ("
        + list(columns)
        + ")"
        + (include.isEmpty() ? "" : " INCLUDE (" + list(include) + ")")
        + (nullsNotDistinct ? " NULLS NOT DISTINCT" : "");
  }

  private static String list(List<String> names) {
    return names.stream().map(Sql::quote).collect(Collectors.joining(", "));
  }

  /** What makes an index the constraint's. */
  String using(String constraint, String index) {
    return "ADD CONSTRAINT "
        + Sql.quote(constraint)
        + " "
        + word()
        + " USING INDEX "
        + Sql.quote(index);
  }

  /**
   * The steps of one movement.
   *
   * <p>The constraint asks of rows no more than the index did. So on the way back it stays until
   * {@code ENFORCE} is left, and both go together: at no time is the phase reached without what it
   * promises, and the way up again has nothing to build.
   *
   * @param facts say whether the table had rows
   */
  List<Step> steps(
      Map<String, Object> facts, String schema, String tableName, int phase, Direction direction) {
    String table = Sql.qualified(schema, tableName);
    String index = Sql.qualified(schema, name);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case ENFORCE ->
          up
              ? EmptyTable.indexAtOnce(
                  facts,
                  table,
                  index,
                  "CREATE UNIQUE INDEX " + Sql.quote(name) + " ON " + table + tail(),
                  build(table, index))
              : List.of(dropConstraint(table), drop(table, index));
      case DONE -> up ? List.of(addConstraint(table)) : List.of();
      default -> throw new IllegalArgumentException("a " + what() + " has no phase " + phase);
    };
  }

  /** Built at once, in a table that nobody uses. */
  List<String> net(Plain plain, String table) {
    return List.of(
        plain.addConstraint(
            table,
            false,
            name,
            word()
                + (nullsNotDistinct ? " NULLS NOT DISTINCT" : "")
                + " ("
                + Plain.names(columns)
                + ")"
                + (include.isEmpty() ? "" : " INCLUDE (" + Plain.names(include) + ")")));
  }

  private Step build(String table, String index) {
    return new OnlineStep(
        "create-unique-index",
        "builds the index while the table is in use; finds duplicates, and rejects them from then"
            + " on",
        "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes",
        "CREATE UNIQUE INDEX CONCURRENTLY " + Sql.quote(name) + " ON " + table + tail(),
        Probes.all(Probes.validIndex(table, index)),
        Probes.all(Probes.invalidIndex(table, index)),
        List.of("DROP INDEX CONCURRENTLY IF EXISTS " + index));
  }

  private Step addConstraint(String table) {
    return new DdlStep(
        "add-constraint",
        "the index is the proof, so no row is looked at",
        "ACCESS EXCLUSIVE on " + table + ", within the lock budget",
        List.of(table),
        List.of("ALTER TABLE " + table + " " + using(name, name)),
        Probes.all(Probes.constraint(table, name)),
        false);
  }

  private Step dropConstraint(String table) {
    return ConstraintSteps.drop(
        "drop-constraint",
        "drops the constraint, if there is one, and with it its index",
        List.of(table),
        name);
  }

  /** What no constraint had yet. */
  private static Step drop(String table, String index) {
    return new OnlineStep(
        "drop-index",
        "drops the index without blocking anybody, if no constraint had it",
        "SHARE UPDATE EXCLUSIVE on " + table + ": blocks neither reads nor writes",
        "DROP INDEX CONCURRENTLY IF EXISTS " + index,
        Probes.all(Probes.not(Probes.index(table, index))),
        Probes.NEVER,
        List.of());
  }
}
