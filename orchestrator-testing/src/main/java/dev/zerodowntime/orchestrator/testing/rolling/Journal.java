package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.Lifecycle;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Which phases were passed, and which of them while two releases served. */
public final class Journal {

  private final Database database;
  private final Lifecycle lifecycle;
  private final List<Long> borders = new ArrayList<>();

  Journal(Database database, Lifecycle lifecycle) {
    this.database = database;
    this.lifecycle = lifecycle;
  }

  /** How many backfills changed rows in several processes. */
  long shared() {
    return database.number(
        "SELECT count(*) FROM (SELECT step FROM "
            + database.control("walked")
            + " GROUP BY step, started HAVING count(DISTINCT member) > 1) backfills");
  }

  /** From now on two releases serve, or not any more. */
  void mixed(boolean begins) {
    if (begins != (borders.size() % 2 == 0)) {
      throw new IllegalStateException("begins and ends take turns");
    }
    borders.add(database.number("SELECT coalesce(max(id), 0) FROM " + database.control("event")));
  }

  /** Phases reached in a direction, in the order of their first time. */
  public Set<String> passed(String direction) {
    return passed(direction, "true");
  }

  /** The same, only while two releases served. */
  public Set<String> passedMixed(String direction) {
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
            "SELECT phase FROM "
                + database.control("event")
                + " WHERE kind = 'PHASE' AND outcome = 'REACHED'"
                + " AND detail = '"
                + direction
                + "' AND "
                + when
                + " ORDER BY id")
        .forEach(row -> phases.add(row.get(0)));
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
                    + " e.release) FROM "
                    + database.control("event")
                    + " e ORDER BY id DESC LIMIT 25")
            .stream()
            .map(Object::toString)
            .toList());
  }
}
