package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Which phases were passed, and which of them while two releases served. */
final class Journal {

  private final TestDatabase database;
  private final Lifecycle lifecycle;
  private final List<Long> borders = new ArrayList<>();

  Journal(TestDatabase database, Lifecycle lifecycle) {
    this.database = database;
    this.lifecycle = lifecycle;
  }

  /** Notes from now on who works on backfills. */
  void watchWorkers() {
    database.execute(
        "CREATE TABLE orchestrator.walked (step text, started timestamptz, member text)",
        """
        CREATE FUNCTION orchestrator.note_walked() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO orchestrator.walked SELECT step, started_at, split_part(NEW.worker, ' ', 1)
            FROM orchestrator.backfill WHERE migration = NEW.migration
            AND target_schema = NEW.target_schema AND step = NEW.step;
          RETURN NULL;
        END $$\
        """,
        "CREATE TRIGGER note_walked AFTER UPDATE ON orchestrator.backfill_chunk FOR EACH ROW WHEN"
            + " (NEW.rows_done > OLD.rows_done) EXECUTE FUNCTION orchestrator.note_walked()");
  }

  /** How many backfills changed rows in several processes. */
  long shared() {
    return database.queryLong(
        "SELECT count(*) FROM (SELECT FROM orchestrator.walked GROUP BY step, started HAVING"
            + " count(DISTINCT member) > 1) each");
  }

  /** From now on two releases serve, or not any more. */
  void mixed(boolean begins) {
    if (begins != (borders.size() % 2 == 0)) {
      throw new IllegalStateException("begins and ends take turns");
    }
    borders.add(database.queryLong("SELECT coalesce(max(id), 0) FROM orchestrator.event"));
  }

  /** Phases reached in a direction, in the order of their first time. */
  Set<String> passed(String direction) {
    return passed(direction, "true");
  }

  /** The same, only while two releases served. */
  Set<String> passedMixed(String direction) {
    StringBuilder ranges = new StringBuilder("false");
    for (int i = 0; i + 1 < borders.size(); i += 2) {
      ranges.append(" OR id > ").append(borders.get(i));
      ranges.append(" AND id <= ").append(borders.get(i + 1));
    }
    return passed(direction, "(" + ranges + ")");
  }

  private Set<String> passed(String direction, String when) {
    Set<String> phases = new LinkedHashSet<>();
    database
        .rows(
            "SELECT phase FROM orchestrator.event WHERE kind = 'PHASE' AND outcome = 'REACHED'"
                + " AND detail = '"
                + direction
                + "' AND "
                + when
                + " ORDER BY id")
        .forEach(row -> phases.add((String) row.get(0)));
    return phases;
  }

  /** Everything there is to reach, upwards. */
  List<String> up() {
    return names(1, lifecycle.last());
  }

  /** Everything there is a way back to. */
  List<String> down() {
    return names(0, lifecycle.purge() < 0 ? lifecycle.last() - 1 : lifecycle.purge() - 2);
  }

  private List<String> names(int from, int to) {
    List<String> names = new ArrayList<>();
    for (int i = from; i <= to; i++) {
      names.add(lifecycle.name(i));
    }
    return names;
  }

  /** The last events, for a test that got stuck. */
  String tail() {
    return String.join(
        "\n",
        database
            .rows(
                "SELECT concat_ws(' | ', at, kind, phase, step, outcome, left(detail, 200),"
                    + " release) FROM orchestrator.event ORDER BY id DESC LIMIT 25")
            .stream()
            .map(Object::toString)
            .toList());
  }
}
