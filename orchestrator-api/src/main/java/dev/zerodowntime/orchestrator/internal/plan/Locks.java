package dev.zerodowntime.orchestrator.internal.plan;

import dev.zerodowntime.orchestrator.internal.sql.AlterTable;
import dev.zerodowntime.orchestrator.internal.sql.ObjectName;
import dev.zerodowntime.orchestrator.internal.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The locks that a statement takes on tables, as far as its text says. What it doesn't say, such as
 * the other end of a foreign key that is dropped, the author declares; the server has the last
 * word.
 */
public final class Locks {

  /** Weakest first. */
  private static final List<String> MODES =
      List.of("SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE");

  /** What makes or changes something else than a table. */
  private static final Set<String> NO_TABLE =
      Set.of(
          "function",
          "procedure",
          "routine",
          "aggregate",
          "type",
          "domain",
          "schema",
          "extension",
          "sequence",
          "operator",
          "cast",
          "collation",
          "role",
          "user",
          "view",
          "recursive",
          "materialized",
          "publication",
          "subscription",
          "server",
          "event",
          "text",
          "temp",
          "temporary",
          "default",
          "language",
          "conversion");

  private final Map<ObjectName, String> modes = new LinkedHashMap<>();

  private Locks() {}

  /**
   * A lock.
   *
   * @param mode its mode, as PostgreSQL's documentation names it
   * @param table the table
   */
  public record Lock(String mode, ObjectName table) {

    /** Whether reads or writes wait for it. */
    boolean blocks() {
      return !mode.equals(MODES.get(0));
    }
  }

  /**
   * The locks of a statement.
   *
   * @param statement the statement
   * @param usual the table that is locked by what names none; null for none
   * @return the strongest lock on each table
   */
  public static List<Lock> of(Statement statement, @Nullable String usual) {
    Locks locks = new Locks();
    locks.read(statement, usual);
    List<Lock> list = new ArrayList<>();
    locks.modes.forEach((table, mode) -> list.add(new Lock(mode, table)));
    return list;
  }

  private void read(Statement statement, @Nullable String usual) {
    AlterTable alter = AlterTable.of(statement).orElse(null);
    if (alter != null) {
      alter.actions().forEach(each -> add(alter.table(), mode(each)));
      statement.references().forEach(each -> add(each, "SHARE ROW EXCLUSIVE"));
      attached(statement);
    } else if (statement.starts("create")) {
      created(statement);
    } else if (statement.starts("drop")) {
      dropped(statement, usual);
    } else if (statement.starts("comment", "on")) {
      commented(statement, usual);
    } else if (statement.starts("alter", "table") || statement.starts("alter", "index")) {
      add(usual, "ACCESS EXCLUSIVE");
    } else if (statement.starts("alter", "view")) {
      add(statement.name(statement.skip(2, "if", "exists")), "ACCESS EXCLUSIVE");
    } else if (Set.of("cluster", "lock", "truncate", "vacuum").contains(statement.first())) {
      add(usual, "ACCESS EXCLUSIVE");
    } else if (statement.starts("analyze") || statement.starts("reindex")) {
      add(usual, "SHARE UPDATE EXCLUSIVE");
    }
  }

  private static String mode(AlterTable.Action action) {
    if (action.starts("validate")
        || action.starts("attach", "partition")
        || action.starts("cluster", "on")
        || action.has("set", "statistics")
        || (action.starts("set")
            && action.tokens().size() > 1
            && action.tokens().get(1).symbol('('))
        || (action.starts("detach", "partition") && action.has("concurrently"))) {
      return "SHARE UPDATE EXCLUSIVE";
    }
    boolean foreignKey = action.addsConstraint() && action.has("foreign", "key");
    return foreignKey || action.starts("enable", "trigger") || action.starts("disable", "trigger")
        ? "SHARE ROW EXCLUSIVE"
        : "ACCESS EXCLUSIVE";
  }

  private void attached(Statement statement) {
    for (String verb : List.of("attach", "detach")) {
      int at = statement.find(verb, "partition");
      if (at >= 0) {
        add(statement.name(at + 2), "ACCESS EXCLUSIVE");
      }
    }
    int inherit = statement.find("inherit");
    if (inherit >= 0) {
      add(statement.name(inherit + 1), "SHARE UPDATE EXCLUSIVE");
    }
  }

  private void created(Statement statement) {
    int on = statement.find("on");
    int kind = statement.skip(statement.skip(1, "or", "replace"), "unlogged");
    if (statement.at(kind, "table")) {
      statement.references().forEach(each -> add(each, "SHARE ROW EXCLUSIVE"));
      int parent = statement.find("partition", "of");
      if (parent >= 0) {
        add(statement.name(parent + 2), "ACCESS EXCLUSIVE");
      }
      int inherits = statement.find("inherits");
      if (inherits >= 0) {
        statement.names(inherits + 2).forEach(each -> add(each, "SHARE UPDATE EXCLUSIVE"));
      }
    } else if (statement.starts("create", "or", "replace", "view")) {
      add(statement.name(4), "ACCESS EXCLUSIVE");
    } else if (statement.at(statement.skip(1, "unique"), "index")) {
      add(
          statement.name(statement.skip(on + 1, "only")),
          statement.has("concurrently") ? "SHARE UPDATE EXCLUSIVE" : "SHARE");
    } else if (statement.at(kind, "trigger") || statement.at(kind, "constraint", "trigger")) {
      add(statement.name(on + 1), "SHARE ROW EXCLUSIVE");
    } else if (statement.at(1, "statistics")) {
      add(statement.name(statement.find("from") + 1), "SHARE UPDATE EXCLUSIVE");
    } else if (statement.at(1, "policy")) {
      add(statement.name(on + 1), "ACCESS EXCLUSIVE");
    } else if (statement.at(kind, "rule")) {
      add(statement.name(statement.find("to") + 1), "ACCESS EXCLUSIVE");
    }
  }

  private void dropped(Statement statement, @Nullable String usual) {
    int names = statement.skip(2, "if", "exists");
    int on = statement.find("on");
    if (statement.at(1, "table") || statement.at(1, "view")) {
      statement.names(names).forEach(each -> add(each, "ACCESS EXCLUSIVE"));
    } else if (statement.at(1, "index")) {
      add(usual, statement.has("concurrently") ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE");
    } else if (on > 0) {
      add(statement.name(on + 1), "ACCESS EXCLUSIVE");
    } else if (statement.tokens().size() > 1
        && !NO_TABLE.contains(statement.tokens().get(1).text())) {
      add(usual, "ACCESS EXCLUSIVE");
    }
  }

  private void commented(Statement statement, @Nullable String usual) {
    Statement.Named named = statement.name(3);
    if (named == null) {
      return;
    }
    int on = Statement.find(statement.tokens().subList(3, statement.tokens().size()), "on");
    if (statement.at(2, "column")) {
      // schema.table.column, or table.column
      ObjectName name = named.name();
      boolean three =
          named.end() < statement.tokens().size()
              && statement.tokens().get(named.end()).symbol('.');
      String table = three ? name.name() : statement.tokens().get(3).text();
      add(new ObjectName(three ? name.schema() : null, table), "SHARE UPDATE EXCLUSIVE");
    } else if (statement.at(2, "table") || statement.at(2, "view")) {
      add(named.name(), "SHARE UPDATE EXCLUSIVE");
    } else if (on >= 0) {
      add(statement.name(on + 4), "SHARE UPDATE EXCLUSIVE");
    } else if (statement.at(2, "index")) {
      add(usual, "SHARE UPDATE EXCLUSIVE");
    }
  }

  private void add(@Nullable String table, String mode) {
    if (table != null) {
      add(ObjectName.of(table), mode);
    }
  }

  private void add(Statement.@Nullable Named named, String mode) {
    if (named != null) {
      add(named.name(), mode);
    }
  }

  private void add(ObjectName table, String mode) {
    modes.merge(
        table, mode, (one, other) -> MODES.indexOf(one) > MODES.indexOf(other) ? one : other);
  }
}
