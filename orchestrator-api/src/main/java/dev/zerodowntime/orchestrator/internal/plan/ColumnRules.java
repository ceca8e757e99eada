package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import dev.zerodowntime.orchestrator.internal.sql.Statement;
import dev.zerodowntime.orchestrator.internal.sql.Token;
import java.util.List;
import java.util.Set;

/** How columns come, change and go. */
final class ColumnRules {

  /** Functions of the server and its usual extensions that have another value every time. */
  private static final Set<String> VOLATILE =
      Set.of(
          "random",
          "random_normal",
          "clock_timestamp",
          "timeofday",
          "gen_random_uuid",
          "uuidv4",
          "uuidv7",
          "uuid_generate_v1",
          "uuid_generate_v1mc",
          "uuid_generate_v4",
          "nextval",
          "currval",
          "lastval",
          "setval",
          "gen_random_bytes",
          "gen_salt",
          "pg_sleep");

  private static final Set<String> SERIAL =
      Set.of("serial", "bigserial", "smallserial", "serial2", "serial4", "serial8");

  private ColumnRules() {}

  static List<Rule> all() {
    return List.of(notNull(), volatileDefault(), stored(), numbered(), type(), rename(), drop());
  }

  private static Rule notNull() {
    return Rule.of(
        "add-column-not-null",
        "without a default every row that is there violates it, and so does every insert of code"
            + " that doesn't know the column",
        "AddColumn with notNull() and fillWithSql(...)",
        place ->
            place.alters(
                action ->
                    action.addsColumn()
                        && action.has("not", "null")
                        && !action.has("default")
                        && !action.has("generated")
                        && !serial(action)));
  }

  private static Rule volatileDefault() {
    return Rule.of(
        "volatile-default",
        "a default with another value for every row rewrites the table while it is locked",
        "AddColumn with fillWithSql(...); or the column without a default, then SET DEFAULT, then a"
            + " backfill(...)",
        place -> place.alters(action -> action.addsColumn() && callsVolatile(action)));
  }

  private static boolean callsVolatile(AlterTable.Action action) {
    int from = Statement.find(action.tokens(), "default");
    if (from < 0) {
      return false;
    }
    List<Token> tokens = action.tokens();
    for (int i = from + 1; i + 1 < tokens.size(); i++) {
      if (tokens.get(i).name()
          && VOLATILE.contains(tokens.get(i).text())
          && tokens.get(i + 1).symbol('(')) {
        return true;
      }
    }
    return false;
  }

  private static Rule stored() {
    return Rule.of(
        "generated-column",
        "computing it for every row rewrites the table while it is locked",
        "AddColumn with fillWithSql(...), whose trigger keeps it up to date until code does",
        place ->
            place.alters(
                action ->
                    (action.addsColumn() && action.has("stored"))
                        || (action.starts("alter") && action.has("set", "expression"))));
  }

  private static Rule numbered() {
    return Rule.of(
        "numbered-column",
        "numbering the rows rewrites the table while it is locked",
        "AddColumn without a default; then a sequence, SET DEFAULT nextval(...), and a backfill(...)",
        place ->
            place.alters(
                action -> action.addsColumn() && (serial(action) || action.has("as", "identity"))));
  }

  private static boolean serial(AlterTable.Action action) {
    return action.tokens().stream()
        .anyMatch(each -> each.kind() == Token.Kind.WORD && SERIAL.contains(each.text()));
  }

  private static Rule type() {
    return Rule.of(
        "alter-column-type",
        "most changes of a type rewrite the table or its indexes while it is locked, and code that"
            + " runs has prepared statements of the old type",
        "ChangeColumnType, or a new column with AddColumn and a Backfill",
        place ->
            place.alters(
                action ->
                    action.starts("alter")
                        && (action.has("set", "data", "type") || plainType(action))));
  }

  private static boolean plainType(AlterTable.Action action) {
    List<Token> tokens = action.tokens();
    int name = tokens.size() > 1 && tokens.get(1).word("column") ? 2 : 1;
    return tokens.size() > name + 1 && tokens.get(name + 1).word("type");
  }

  private static Rule rename() {
    return Rule.of(
        "rename",
        "code that runs uses the old name, and code to come the new one: one of them would fail",
        "RenameColumn, RenameColumnByView or RenameColumnInCode for a column; RenameTable for a"
            + " table",
        place ->
            place.alters(
                    action ->
                        (action.starts("rename") && !action.starts("rename", "constraint"))
                            || action.starts("set", "schema"))
                || (place.statement().starts("alter", "view")
                    && (place.statement().has("rename")
                        || place.statement().has("set", "schema"))));
  }

  private static Rule drop() {
    return Rule.of(
        "drop-column",
        "its values are gone at once, and there is no way back",
        "DropColumn, declared after(...) this plan: it puts the column into quarantine first",
        place ->
            place
                .alter()
                .map(
                    alter ->
                        alter.actions().stream()
                            .anyMatch(action -> drops(action) && !own(place, alter, action)))
                .orElse(false));
  }

  private static boolean drops(AlterTable.Action action) {
    return action.starts("drop") && !action.starts("drop", "constraint");
  }

  /** What the plan has added goes with its way back. */
  private static boolean own(Place place, AlterTable alter, AlterTable.Action action) {
    String column = action.column();
    return place.back()
        && (place.made().table(alter.table())
            || (column != null && place.made().column(alter.table(), column)));
  }
}
