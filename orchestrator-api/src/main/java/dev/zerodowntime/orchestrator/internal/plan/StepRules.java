package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.List;
import java.util.Set;

/** What belongs into a step, and into which kind. */
final class StepRules {

  private static final Set<String> TRANSACTION =
      Set.of(
          "begin",
          "start",
          "commit",
          "end",
          "rollback",
          "abort",
          "savepoint",
          "release",
          "prepare");

  private static final Set<String> OPAQUE = Set.of("do", "call", "execute");

  private static final Set<String> SESSION = Set.of("set", "reset", "discard", "load", "listen");

  private StepRules() {}

  static List<Rule> all() {
    return List.of(
        transactionControl(),
        sessionSetting(),
        opaqueCode(),
        ddlWithDml(),
        unbatchedDml(),
        severalDdl(),
        concurrentlyInTransaction(),
        validateInTransaction(),
        notOnline());
  }

  private static Rule transactionControl() {
    return Rule.always(
        "transaction-control",
        "a step's transaction is the engine's: its statements commit together with the record that"
            + " they did",
        "one step for each transaction",
        place -> TRANSACTION.contains(place.statement().first()));
  }

  private static Rule sessionSetting() {
    return Rule.always(
        "session-setting",
        "timeouts and other settings are the engine's, which keeps to the lock budget and gives"
            + " connections back as they were",
        "Timing.lockBudget for the timeouts, and {schema}.name instead of a search path",
        place ->
            SESSION.contains(place.statement().first())
                || place.statement().starts("alter", "system"));
  }

  private static Rule opaqueCode() {
    return Rule.of(
        "opaque-code",
        "nobody sees what code in the database does: how many rows it changes, and what it locks",
        "its statements as steps of their own, or java(...)",
        place -> OPAQUE.contains(place.statement().first()));
  }

  private static Rule ddlWithDml() {
    return Rule.of(
        "ddl-with-dml",
        "rows would be read or changed while the table is locked",
        "a step of its own for the rows: backfill(...), verify(...) or java(...)",
        place -> place.statement().data() && place.all().stream().anyMatch(each -> !each.data()));
  }

  private static Rule unbatchedDml() {
    return Rule.of(
        "unbatched-dml",
        "it changes or reads any number of rows in one transaction, and locks them until its end",
        "backfill(...) or the operation Backfill, which goes in batches; verify(...) to count rows",
        place ->
            place.statement().data()
                && !OPAQUE.contains(place.statement().first())
                && !fewRows(place.statement()));
  }

  /** As many as the author has written down. */
  private static boolean fewRows(Statement statement) {
    return statement.starts("insert", "into")
        && statement.has("values")
        && !statement.mentions("select");
  }

  private static Rule severalDdl() {
    return Rule.of(
        "several-ddl",
        "the lock that it takes would be held during the other statements, and both must get theirs"
            + " within one lock budget",
        "a step of its own for each statement",
        place ->
            !place.statement().data()
                && place.all().stream().filter(each -> !each.data()).count() > 1
                && Locks.of(place.statement(), null).stream()
                    .anyMatch(each -> each.blocks() && !place.made().table(each.table())));
  }

  private static Rule concurrentlyInTransaction() {
    return Rule.always(
        "concurrently-in-transaction",
        "it can't run in a transaction, and ddl(...) is one",
        "online(...)",
        place ->
            !place.online()
                && place.statement().mentions("concurrently")
                && !place.statement().starts("refresh"));
  }

  private static Rule validateInTransaction() {
    return Rule.of(
        "validate-in-transaction",
        "it reads all rows within the lock budget, and keeps its locks until the end",
        "online(...)",
        place ->
            !place.online() && place.alters(action -> action.starts("validate", "constraint")));
  }

  private static Rule notOnline() {
    return Rule.of(
        "not-online",
        "it takes a blocking lock, and online(...) has no lock budget",
        "ddl(...); online(...) is for CONCURRENTLY and for VALIDATE CONSTRAINT alone",
        place ->
            place.online()
                && !(place.statement().saysNoLock()
                    || place.statement().mentions("concurrently")
                    || place.statement().first().equals("analyze")
                    || place
                        .alter()
                        .map(
                            each ->
                                each.actions().size() == 1
                                    && each.actions().get(0).starts("validate", "constraint"))
                        .orElse(false)));
  }
}
