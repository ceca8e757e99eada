package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.StepFunction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A step of a {@link PhasePlan}, as data; declared with {@link PlanPhase.Builder}. */
public sealed interface PlanStep {

  /**
   * Its name, unique within the plan.
   *
   * @return the name
   */
  String name();

  /**
   * A lock that the author declares.
   *
   * @param mode its mode, as PostgreSQL's documentation names it
   * @param table the table, unquoted, in the migration's schema
   */
  record Lock(String mode, String table) {}

  /**
   * Short statements in one transaction, within the lock budget.
   *
   * @param name its name
   * @param sql the statements
   * @param probe a query of one boolean: whether they have happened
   * @param undo what takes them back; empty where that is nothing
   * @param locks the locks that are declared; empty for those that the texts say
   * @param undoLocks the same for the way back
   * @param overrides by rule that is not kept: why
   */
  record Ddl(
      String name,
      List<String> sql,
      String probe,
      List<String> undo,
      List<Lock> locks,
      List<Lock> undoLocks,
      Map<String, String> overrides)
      implements PlanStep {
    /** Copies the lists. */
    public Ddl {
      sql = List.copyOf(sql);
      undo = List.copyOf(undo);
      locks = List.copyOf(locks);
      undoLocks = List.copyOf(undoLocks);
    }
  }

  /**
   * One long statement outside of any transaction, which blocks neither reads nor writes.
   *
   * @param name its name
   * @param sql the statement
   * @param probe a query of one boolean: whether its result is there and whole
   * @param broken a query of one boolean: whether a useless remainder is there; null for none
   * @param repair removes that remainder; null for none
   * @param undo what takes it back; empty where that is nothing
   * @param undoLocks locks of the way back that are declared
   * @param overrides by rule that is not kept: why
   */
  record Online(
      String name,
      String sql,
      String probe,
      @Nullable String broken,
      @Nullable String repair,
      List<String> undo,
      List<Lock> undoLocks,
      Map<String, String> overrides)
      implements PlanStep {
    /** Copies the lists. */
    public Online {
      undo = List.copyOf(undo);
      undoLocks = List.copyOf(undoLocks);
    }
  }

  /**
   * Rows changed in batches.
   *
   * @param name its name
   * @param rows what is done to them
   */
  record Rows(String name, Backfill rows) implements PlanStep {}

  /**
   * A proof that no row is wrong.
   *
   * @param name its name
   * @param table the table, unquoted
   * @param wrong a predicate that holds for rows that are wrong
   */
  record Verify(String name, String table, String wrong) implements PlanStep {}

  /**
   * Something that a program does.
   *
   * @param name its name, which stands for the program in the database
   * @param up what it does; null in a process whose build doesn't declare the plan
   * @param undo what takes it back; null for nothing, and in such a process
   * @param undone whether something takes it back
   */
  record Java(String name, @Nullable StepFunction up, @Nullable StepFunction undo, boolean undone)
      implements PlanStep {}

  /**
   * The canonical form.
   *
   * @return plain data
   */
  default Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", name());
    if (this instanceof Ddl ddl) {
      map.put("kind", "ddl");
      map.put("sql", ddl.sql());
      map.put("probe", ddl.probe());
      map.put("undo", ddl.undo());
      putLocks(map, "locks", ddl.locks());
      putLocks(map, "undoLocks", ddl.undoLocks());
      putOverrides(map, ddl.overrides());
    } else if (this instanceof Online online) {
      map.put("kind", "online");
      map.put("sql", online.sql());
      map.put("probe", online.probe());
      if (online.broken() != null && online.repair() != null) {
        map.put("broken", online.broken());
        map.put("repair", online.repair());
      }
      map.put("undo", online.undo());
      putLocks(map, "undoLocks", online.undoLocks());
      putOverrides(map, online.overrides());
    } else if (this instanceof Rows rows) {
      map.put("kind", "backfill");
      map.put("rows", rows.rows().fields());
    } else if (this instanceof Verify verify) {
      map.put("kind", "verify");
      map.put("table", verify.table());
      map.put("wrong", verify.wrong());
    } else if (this instanceof Java java) {
      map.put("kind", "java");
      map.put("undo", java.undone());
    }
    return map;
  }

  private static void putLocks(Map<String, Object> map, String name, List<Lock> locks) {
    if (!locks.isEmpty()) {
      List<Object> list = new ArrayList<>();
      for (Lock lock : locks) {
        list.add(List.of(lock.mode(), lock.table()));
      }
      map.put(name, list);
    }
  }

  private static void putOverrides(Map<String, Object> map, Map<String, String> overrides) {
    if (!overrides.isEmpty()) {
      map.put("overrides", new LinkedHashMap<String, Object>(overrides));
    }
  }

  /**
   * Reads the canonical form.
   *
   * @param map as {@link #toMap} wrote it
   * @param rows makes a backfill from its fields
   * @param declared the same step as this build declares it; null if it doesn't
   * @return the step
   */
  static PlanStep fromMap(Map<String, Object> map, RowsReader rows, @Nullable PlanStep declared) {
    String name = text(map, "name");
    return switch (text(map, "kind")) {
      case "ddl" ->
          new Ddl(
              name,
              texts(map, "sql"),
              text(map, "probe"),
              texts(map, "undo"),
              locks(map, "locks"),
              locks(map, "undoLocks"),
              overrides(map));
      case "online" ->
          new Online(
              name,
              text(map, "sql"),
              text(map, "probe"),
              (String) map.get("broken"),
              (String) map.get("repair"),
              texts(map, "undo"),
              locks(map, "undoLocks"),
              overrides(map));
      case "backfill" ->
          new Rows(
              name,
              rows.read(
                  name,
                  strings(map.get("rows")),
                  declared instanceof Rows same ? same.rows() : null));
      case "verify" -> new Verify(name, text(map, "table"), text(map, "wrong"));
      case "java" -> {
        Java same = declared instanceof Java java ? java : null;
        yield new Java(
            name,
            same == null ? null : same.up(),
            same == null ? null : same.undo(),
            Boolean.TRUE.equals(map.get("undo")));
      }
      default -> throw new IllegalArgumentException("no kind of step: " + map.get("kind"));
    };
  }

  /** Makes a backfill from its fields. */
  @FunctionalInterface
  interface RowsReader {
    /**
     * Makes it.
     *
     * @param step the step's name
     * @param fields the canonical form
     * @param declared the same as this build declares it; null if it doesn't
     * @return the backfill
     */
    Backfill read(String step, Map<String, Object> fields, @Nullable Backfill declared);
  }

  private static String text(Map<String, Object> map, String name) {
    return (String) Objects.requireNonNull(map.get(name), "field " + name + " is missing");
  }

  private static List<String> texts(Map<String, Object> map, String name) {
    List<String> texts = new ArrayList<>();
    if (map.get(name) instanceof List<?> list) {
      list.forEach(each -> texts.add((String) each));
    }
    return texts;
  }

  private static List<Lock> locks(Map<String, Object> map, String name) {
    List<Lock> locks = new ArrayList<>();
    if (map.get(name) instanceof List<?> list) {
      for (Object each : list) {
        List<?> pair = (List<?>) each;
        locks.add(new Lock((String) pair.get(0), (String) pair.get(1)));
      }
    }
    return locks;
  }

  private static Map<String, String> overrides(Map<String, Object> map) {
    Map<String, String> overrides = new LinkedHashMap<>();
    if (map.get("overrides") instanceof Map<?, ?> pairs) {
      pairs.forEach((rule, why) -> overrides.put((String) rule, (String) why));
    }
    return overrides;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> strings(@Nullable Object map) {
    return (Map<String, Object>) Objects.requireNonNull(map, "field rows is missing");
  }
}
