package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A foreign key comes, is proved, and goes.
 *
 * <p>Before PostgreSQL 18 a partitioned table can't have one that is NOT VALID. There each
 * partition gets its own, which is validated; at the end the table gets one, which takes the valid
 * ones of its partitions for its parts, and reads no row.
 *
 * @param name its name, unquoted
 * @param definition what follows the name
 * @param own the table, then its partitions; quoted and qualified
 * @param leaves those that have rows of their own
 * @param referenced the table that is referred to, then its partitions
 * @param perPartition whether each partition gets its own first
 */
record ForeignKeySteps(
    String name,
    String definition,
    List<String> own,
    List<Partitions.Leaf> leaves,
    List<String> referenced,
    boolean perPartition) {

  private static final String SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE";
  private static final String ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE";

  private String table() {
    return own.get(0);
  }

  /** What gets locked with it: the table first. */
  List<String> locked() {
    return with(own);
  }

  private List<String> with(List<String> tables) {
    return Stream.concat(tables.stream(), referenced.stream()).distinct().toList();
  }

  /** New and changed rows must refer to a row. */
  List<Step> add() {
    if (!perPartition) {
      return List.of(
          ConstraintSteps.add(
              "add-foreign-key",
              "new and changed rows must refer to a row, and what is referred to can't go; existing"
                  + " rows are not looked at",
              LockMode.SHARE_ROW_EXCLUSIVE,
              locked(),
              name,
              definition + " NOT VALID"));
    }
    List<Step> steps = new ArrayList<>();
    for (Partitions.Leaf leaf : leaves) {
      steps.add(
          new DdlStep(
              "add-foreign-key-" + leaf.key(),
              "new and changed rows of partition "
                  + leaf.table()
                  + " must refer to a row, and what is referred to can't go; existing rows are not"
                  + " looked at",
              TableLock.each(SHARE_ROW_EXCLUSIVE, with(List.of(leaf.table()))),
              List.of(
                  alter(leaf.table()) + " ADD" + constraint() + " " + definition + " NOT VALID"),
              // One that is gone needs none.
              Probes.all(
                  Probes.either(
                      Sql.regclass(leaf.table()) + " IS NULL",
                      Probes.constraint(leaf.table(), name))),
              false));
    }
    return steps;
  }

  /**
   * Every row does.
   *
   * @param there whether the table has had it before
   */
  List<Step> validate(boolean there) {
    String validate = "validate-foreign-key";
    if (!perPartition || there) {
      return NotNull.validate(validate, own, leaves, name);
    }
    // Partitions that have come since have none yet.
    List<Step> steps = new ArrayList<>(add());
    List<Step> all = NotNull.validate(validate, own, leaves, name);
    if (own.size() > 1) {
      steps.addAll(all.subList(0, all.size() - 1));
    }
    steps.add(Partitions.complete(table(), leaves.stream().map(Partitions.Leaf::table).toList()));
    List<TableLock> locks = new ArrayList<>();
    // Triggers of the partitions' own foreign keys go.
    locks.addAll(TableLock.each(ACCESS_EXCLUSIVE, referenced));
    locks.addAll(
        TableLock.each(
            SHARE_ROW_EXCLUSIVE, own.stream().filter(each -> !referenced.contains(each)).toList()));
    steps.add(
        new DdlStep(
            "add-foreign-key",
            "gives the table the foreign key, whose parts are those of its partitions; as they are"
                + " valid, no row is looked at",
            locks,
            List.of(alter(table()) + " ADD" + constraint() + " " + definition),
            Probes.all(Probes.validated(table(), name)),
            false));
    return steps;
  }

  /** Rows need not refer to anything any more. */
  List<Step> drop() {
    List<Step> steps = new ArrayList<>();
    steps.add(
        ConstraintSteps.drop(
            "drop-foreign-key", "rows need not refer to anything any more", locked(), name));
    if (perPartition) {
      for (Partitions.Leaf leaf : leaves) {
        steps.add(
            ConstraintSteps.drop(
                "drop-foreign-key-" + leaf.key(),
                "the same for partition " + leaf.table() + ", if its foreign key is its own still",
                with(List.of(leaf.table())),
                name));
      }
    }
    return steps;
  }

  private String constraint() {
    return " CONSTRAINT " + Sql.quote(name);
  }

  private static String alter(String table) {
    return "ALTER TABLE " + table;
  }
}
