package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What became of the old column since the new one was made its equal. The phase in which the old
 * one steps back then begins with what ENFORCE did, as the column is now.
 */
final class ColumnFactsGaps {

  /** Whether there is anything to catch up with. */
  static final String GAPS = "gaps";

  /** What the old column has lost, in the form of facts: its doubles have to go. */
  static final String GONE = "gone";

  /** Statistics age by themselves, and are made anew by autovacuum. */
  private static final String ANALYZE = "analyze";

  private static final List<String> KINDS = List.of("indexes", "checks", "foreignKeys");

  private final Catalog catalog;
  private final ColumnTwin twin;
  private final Map<String, Object> known;
  private final Map<String, Object> facts;

  ColumnFactsGaps(
      Catalog catalog, ColumnTwin twin, Map<String, Object> known, Map<String, Object> facts) {
    this.catalog = catalog;
    this.twin = twin;
    this.known = known;
    this.facts = facts;
  }

  /**
   * Notes what there is to catch up with.
   *
   * @param enforce the steps of ENFORCE as they would be now
   */
  void note(List<Step> enforce) throws SQLException {
    requireSame();
    Map<String, Object> gone = gone();
    if (!gone.isEmpty()) {
      facts.put(GONE, gone);
    }
    if (!gone.isEmpty() || !holds(enforce)) {
      facts.put(GAPS, true);
    }
  }

  private boolean holds(List<Step> steps) throws SQLException {
    for (Step step : steps) {
      if (step.name().equals(ANALYZE)) {
        continue;
      }
      Probe done =
          step instanceof DdlStep ddl
              ? ddl.done()
              : step instanceof OnlineStep it ? it.done() : null;
      if (done != null && !"t".equals(catalog.text(done.sql()))) {
        return false;
      }
    }
    return true;
  }

  /** What has the same name has to be the same thing, for its double goes by the name. */
  private void requireSame() {
    requireSame("index", "indexes", "newTail", "unique", "constraint");
    requireSame("check", "checks", "newDefinition");
    requireSame("foreign key", "foreignKeys", "newDefinition");
    ColumnFacts before = new ColumnFacts(known).notNullConstraint();
    ColumnFacts now = new ColumnFacts(facts).notNullConstraint();
    if (before != null && now != null && !before.text("name").equals(now.text("name"))) {
      throw changed("constraint " + Sql.quote(before.text("name")));
    }
  }

  private void requireSame(String what, String kind, String... properties) {
    for (Map<String, Object> now : Facts.maps(facts, kind)) {
      for (Map<String, Object> before : Facts.maps(known, kind)) {
        if (!Objects.equals(before.get("name"), now.get("name"))) {
          continue;
        }
        for (String property : properties) {
          if (!Objects.equals(before.get(property), now.get(property))) {
            throw changed(what + " " + Sql.quote(Facts.required(now, "name")));
          }
        }
      }
    }
  }

  private RuntimeException changed(String what) {
    return catalog.refuse(
        what
            + " of "
            + twin.table()
            + "."
            + twin.from()
            + " is not the one whose double column "
            + twin.to()
            + " has got",
        again(catalog));
  }

  /** How the new column is made anew. */
  static String again(Catalog catalog) {
    String id = catalog.migration();
    return "rollback(\"" + id + "\"), which loses nothing, and then resume(\"" + id + "\").";
  }

  private Map<String, Object> gone() {
    Map<String, Object> gone = new LinkedHashMap<>();
    ColumnFacts before = new ColumnFacts(known).optionalMap(GONE);
    for (String kind : KINDS) {
      List<Object> lost = new ArrayList<>();
      List<String> names = new ArrayList<>();
      Facts.maps(facts, kind).forEach(each -> names.add(Facts.required(each, "name")));
      List<Map<String, Object>> had = new ArrayList<>(Facts.maps(known, kind));
      if (before != null) {
        had.addAll(Facts.maps(before.map(), kind));
      }
      for (Map<String, Object> each : had) {
        if (!names.contains(Facts.required(each, "name"))) {
          names.add(Facts.required(each, "name"));
          lost.add(each);
        }
      }
      if (!lost.isEmpty()) {
        gone.put(kind, lost);
      }
    }
    boolean wasNotNull = Facts.flag(known, "notNull") || (before != null && before.flag("notNull"));
    if (wasNotNull && !Facts.flag(facts, "notNull")) {
      gone.put("notNull", true);
      Object constraint = known.get("notNullConstraint");
      if (constraint != null) {
        gone.put("notNullConstraint", constraint);
      }
    }
    return gone;
  }
}
