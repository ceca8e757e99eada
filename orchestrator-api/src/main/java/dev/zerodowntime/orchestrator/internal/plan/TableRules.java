package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.List;
import java.util.Set;

/** What happens to tables as a whole. */
final class TableRules {

  /** What holds data, or others' objects. */
  private static final Set<String> KEPT =
      Set.of(
          "table",
          "schema",
          "database",
          "sequence",
          "materialized",
          "foreign",
          "owned",
          "tablespace");

  private TableRules() {}

  static List<Rule> all() {
    return List.of(drop(), cascade(), truncate(), rewrite(), lock(), copy());
  }

  private static Rule drop() {
    return Rule.of(
        "drop",
        "what is in it is gone at once, and there is no way back",
        "DropTable, declared after(...) this plan: it puts the table into quarantine first",
        place -> {
          Statement statement = place.statement();
          return statement.starts("drop")
              && statement.tokens().size() > 1
              && KEPT.contains(statement.tokens().get(1).text())
              && !(place.back()
                  && statement.starts("drop", "table")
                  && place.dropped(2).stream().allMatch(place.made()::table));
        });
  }

  private static Rule cascade() {
    return Rule.of(
        "cascade",
        "it drops whatever depends on this by then, which nobody has named",
        "a step for each object that goes, without CASCADE",
        place ->
            place.statement().has("cascade")
                && (place.statement().starts("drop")
                    || place.statement().starts("truncate")
                    || place.alters(action -> action.starts("drop") && action.has("cascade"))));
  }

  private static Rule truncate() {
    return Rule.of(
        "truncate",
        "all rows are gone at once, and there is no way back",
        "DropTable for a table that goes; java(...) that deletes rows in batches for one that stays",
        place -> place.statement().starts("truncate"));
  }

  private static Rule rewrite() {
    return Rule.of(
        "table-rewrite",
        "it rewrites the table, and nobody can even read it meanwhile",
        "VACUUM without FULL, which is no migration; or a new table and a Backfill with copyInto",
        place ->
            place.statement().starts("cluster")
                || place.statement().starts("vacuum")
                || place.alters(
                    action ->
                        action.starts("set", "tablespace")
                            || action.starts("set", "logged")
                            || action.starts("set", "unlogged")
                            || action.starts("set", "access", "method")));
  }

  private static Rule lock() {
    return Rule.of(
        "lock-table",
        "the engine takes locks within its budget, and looks first whom it would wait for",
        "locks(...), which says what a step's statements take",
        place -> place.statement().starts("lock"));
  }

  private static Rule copy() {
    return Rule.of(
        "create-table-as",
        "it reads any number of rows in one transaction, and misses those that are written"
            + " meanwhile",
        "CREATE TABLE, and backfill(...) with copyInto",
        place -> {
          Statement statement = place.statement();
          int table = statement.starts("create", "unlogged") ? 2 : 1;
          boolean refresh =
              statement.starts("refresh", "materialized", "view") && !statement.has("concurrently");
          return refresh
              || (statement.starts("create")
                  && (statement.at(table, "table") || statement.at(1, "materialized", "view"))
                  && statement.has("as")
                  && !statement.has("with", "no", "data"));
        });
  }
}
