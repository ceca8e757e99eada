package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.List;

/** How indexes come and go. */
final class IndexRules {

  private IndexRules() {}

  static List<Rule> all() {
    return List.of(create(), drop(), reindex());
  }

  private static Rule create() {
    return Rule.of(
        "create-index",
        "without CONCURRENTLY nobody can write to the table while the index is built",
        "CreateIndex, AddUnique, or online(\"...\", \"CREATE INDEX CONCURRENTLY ...\")",
        place -> {
          Statement statement = place.statement();
          int index = statement.skip(1, "unique");
          if (!statement.starts("create")
              || !statement.at(index, "index")
              || statement.has("concurrently")) {
            return false;
          }
          int on = statement.find("on");
          Statement.Named table = statement.name(statement.skip(on + 1, "only"));
          return on < 0 || table == null || !place.made().table(table.name());
        });
  }

  private static Rule drop() {
    return Rule.of(
        "drop-index",
        "without CONCURRENTLY it waits for every query of the table, and all others wait for it",
        "DropIndex, or online(\"...\", \"DROP INDEX CONCURRENTLY ...\")",
        place ->
            place.statement().starts("drop", "index")
                && !place.statement().has("concurrently")
                && !place.dropped(2).stream().allMatch(place.made()::index));
  }

  private static Rule reindex() {
    return Rule.of(
        "reindex",
        "without CONCURRENTLY nobody can write to the table while the index is built",
        "Reindex, or online(\"...\", \"REINDEX INDEX CONCURRENTLY ...\")",
        place ->
            place.statement().starts("reindex") && !place.statement().mentions("concurrently"));
  }
}
