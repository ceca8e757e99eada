package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The column's indexes, built concurrently.
 *
 * <p>While code may upsert on the old name there must be no second unique index: an {@code ON
 * CONFLICT} on one index fails with a duplicate on the other. That holds from the moment on when a
 * concurrent build starts to take in new rows. So until CONTRACT a unique index has a double that
 * is not unique, which is all that is needed: both columns are equal, image by image, and the old
 * one is unique. In CONTRACT (RELAX, where the application writes both columns) only such code runs
 * as doesn't upsert on either name: then the unique index is built, and takes the place of the old
 * one together with its name, which {@code ON CONFLICT ON CONSTRAINT} may use.
 */
final class ColumnTwinIndexes {

  private final ColumnTwin twin;
  private final ColumnFacts facts;

  ColumnTwinIndexes(ColumnTwin twin) {
    this.twin = twin;
    this.facts = twin.facts();
  }

  /** The doubles, for the new column. */
  List<Step> addTwins() {
    List<Step> steps = new ArrayList<>();
    for (ColumnFacts.Index each : facts.indexes()) {
      // Caught up with later, the unique one may already be there.
      String moved = each.unique() ? " OR " + twin.indexCovers(each.name(), twin.to()) : "";
      steps.addAll(addTwin(each, moved));
    }
    return steps;
  }

  private List<Step> addTwin(ColumnFacts.Index index, String unless) {
    String name = twin.twin(index.name());
    List<Step> steps = new ArrayList<>();
    steps.add(
        twin.build(
            "index:" + index.name(),
            index.unique()
                ? "the same index, but not unique: the old one sees to that, and a second one would"
                    + " make upserts fail"
                : "the same index",
            name,
            "CREATE INDEX CONCURRENTLY "
                + Sql.quote(name)
                + " ON "
                + twin.table()
                + index.tail(true),
            twin.indexWhole(name) + unless));
    if (!index.unique()) {
      steps.addAll(details(index, name));
    }
    return steps;
  }

  private List<Step> details(ColumnFacts.Index index, String name) {
    List<Step> steps = new ArrayList<>();
    for (String setting : index.facts().texts("statistics")) {
      String[] words = setting.split(" ", 2);
      steps.add(
          twin.ddl(
              "index:" + index.name() + ":statistics:" + words[0],
              "the statistics target of its expression",
              "SHARE UPDATE EXCLUSIVE",
              "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = "
                  + Sql.regclass(twin.inSchema(name))
                  + " AND a.attnum = "
                  + words[0]
                  + " AND 'SET STATISTICS ' || a.attstattarget = "
                  + Sql.literal(words[1])
                  + ")",
              "ALTER INDEX " + twin.inSchema(name) + " ALTER COLUMN " + setting));
    }
    String comment = index.comment();
    if (comment != null) {
      steps.add(
          twin.ddl(
              "index:" + index.name() + ":comment",
              "its comment",
              "SHARE UPDATE EXCLUSIVE",
              twin.indexState(
                  name,
                  ColumnTwin.commented(
                      "pg_catalog.obj_description(i.indexrelid, 'pg_class')", comment)),
              commentSql(name, comment)));
    }
    return steps;
  }

  private String commentSql(String index, String comment) {
    return "COMMENT ON INDEX " + twin.inSchema(index) + " IS " + Sql.literal(comment);
  }

  /** The doubles go again. */
  List<Step> dropTwins() {
    List<Step> steps = new ArrayList<>();
    for (ColumnFacts.Index index : facts.indexes()) {
      steps.add(
          twin.dropIndex(
              "drop-index:" + index.name(), "the new column's index", twin.twin(index.name())));
    }
    return steps;
  }

  /** The doubles take over the names, once the originals are gone; unique ones already have. */
  List<Step> takeNames() {
    List<Step> steps = new ArrayList<>();
    for (ColumnFacts.Index index : facts.indexes()) {
      if (!index.unique()) {
        String name = twin.twin(index.name());
        steps.add(
            twin.ddl(
                "rename-index:" + index.name(),
                "the index takes over the name of the one that is gone",
                "SHARE UPDATE EXCLUSIVE",
                twin.indexState(index.name(), "true"),
                "ALTER INDEX " + twin.inSchema(name) + " RENAME TO " + Sql.quote(index.name())));
      }
    }
    return steps;
  }

  /** Uniqueness moves to the new column. */
  List<Step> moveUnique() {
    List<Step> steps = new ArrayList<>();
    for (ColumnFacts.Index index : facts.uniqueIndexes()) {
      steps.addAll(build(index, true, twin.to()));
      steps.add(swap(index, true, twin.to()));
      steps.add(
          twin.dropIndex(
              "drop-index:" + index.name(),
              "the new column's index that is not unique",
              twin.twin(index.name())));
    }
    return steps;
  }

  /** Uniqueness moves back to the old column. */
  List<Step> restoreUnique() {
    List<Step> steps = new ArrayList<>();
    for (ColumnFacts.Index index : facts.uniqueIndexes()) {
      steps.addAll(addTwin(index, ""));
      steps.addAll(build(index, false, twin.from()));
      steps.add(swap(index, false, twin.from()));
    }
    return steps;
  }

  private List<Step> build(ColumnFacts.Index index, boolean newName, String column) {
    String spare = twin.spare(index.name(), newName);
    String done = twin.indexCovers(index.name(), column);
    return List.of(
        twin.dropIndex(
            "drop-spare:" + index.name(),
            "what a movement in the other direction may have left",
            twin.spare(index.name(), !newName)),
        twin.build(
            "unique:" + index.name(),
            "the unique index on " + column + ", while no code upserts on either name",
            spare,
            "CREATE UNIQUE INDEX CONCURRENTLY "
                + Sql.quote(spare)
                + " ON "
                + twin.table()
                + index.tail(newName),
            done + " OR " + twin.indexWhole(spare)));
  }

  private Step swap(ColumnFacts.Index index, boolean newName, String column) {
    String name = Sql.quote(index.name());
    String spare = twin.spare(index.name(), newName);
    List<String> sql = new ArrayList<>();
    if (index.constraint()) {
      sql.add("ALTER TABLE " + twin.table() + " DROP CONSTRAINT " + name);
      sql.add(
          "ALTER TABLE "
              + twin.table()
              + " ADD CONSTRAINT "
              + name
              + " UNIQUE USING INDEX "
              + Sql.quote(spare));
    } else {
      sql.add("DROP INDEX " + twin.inSchema(index.name()));
      sql.add("ALTER INDEX " + twin.inSchema(spare) + " RENAME TO " + name);
    }
    add(sql, index.comment(), comment -> commentSql(index.name(), comment));
    add(
        sql,
        index.constraintComment(),
        comment -> ColumnTwinConstraints.commentSql(twin, index.name(), comment));
    return twin.ddl(
        "swap-unique:" + index.name(),
        "uniqueness moves to " + column + ", at one moment and under the same name",
        "ACCESS EXCLUSIVE",
        twin.indexCovers(index.name(), column),
        sql);
  }

  private static void add(
      List<String> sql, @Nullable String value, Function<String, String> statement) {
    if (value != null) {
      sql.add(statement.apply(value));
    }
  }
}
