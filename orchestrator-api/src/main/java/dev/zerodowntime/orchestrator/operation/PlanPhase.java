package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.StepFunction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A phase of a {@link PhasePlan}.
 *
 * @param name its name
 * @param steps the steps that lead to it, in order
 * @param closed why there is no way back out of it; null where there is one
 */
public record PlanPhase(String name, List<PlanStep> steps, @Nullable String closed) {

  /** Copies the list. */
  public PlanPhase {
    steps = List.copyOf(steps);
  }

  /**
   * Declares a phase's steps. What takes a step back, what tells whether it has happened and so on
   * is said of the step that was declared last. On the way back steps are taken back in reverse
   * order.
   *
   * <p>Names without a schema are looked up as the driver's connection does, and only if its
   * current schema is the migration's; {@code {schema}} stands for that schema wherever SQL is
   * given.
   */
  public static final class Builder {

    private enum Kind {
      DDL,
      ONLINE,
      ROWS,
      VERIFY,
      JAVA
    }

    private final String phase;
    private final BiFunction<String, String, DeclarationException> invalid;
    private final List<Draft> drafts = new ArrayList<>();
    private @Nullable String closed;

    Builder(String phase, BiFunction<String, String, DeclarationException> invalid) {
      this.phase = phase;
      this.invalid = invalid;
    }

    /** A step as far as it was declared. */
    private static final class Draft {
      private final Kind kind;
      private final String name;
      private List<String> sql = List.of();
      private @Nullable String probe;
      private @Nullable String broken;
      private @Nullable String repair;
      private @Nullable List<String> undo;
      private @Nullable StepFunction function;
      private @Nullable StepFunction undoFunction;
      private @Nullable UnaryOperator<Backfill.Builder> rows;
      private @Nullable String table;
      private final List<PlanStep.Lock> locks = new ArrayList<>();
      private final List<PlanStep.Lock> undoLocks = new ArrayList<>();
      private final Map<String, String> overrides = new LinkedHashMap<>();

      Draft(Kind kind, String name) {
        this.kind = kind;
        this.name = name;
      }
    }

    /**
     * Short statements in one transaction, which commit together with the record that they did.
     * They run within the lock budget; before they commit, the server is asked which locks they
     * took and whether a table was rewritten. Needs {@link #probe}, and {@link #undo} or {@link
     * #undoNothing()}.
     *
     * @param name the step's name, unique within the plan
     * @param sql the statements
     * @return this
     */
    public Builder ddl(String name, String... sql) {
      Draft draft = new Draft(Kind.DDL, name);
      draft.sql = List.of(sql);
      drafts.add(draft);
      return this;
    }

    /**
     * One statement that takes long and blocks neither reads nor writes, outside of any
     * transaction: CONCURRENTLY, or VALIDATE CONSTRAINT. Needs {@link #probe}, and {@link #undo} or
     * {@link #undoNothing()}. What an attempt at CREATE INDEX CONCURRENTLY leaves behind is removed
     * before the next; for others that leave something, see {@link #broken}.
     *
     * @param name the step's name, unique within the plan
     * @param sql the statement
     * @return this
     */
    public Builder online(String name, String sql) {
      Draft draft = new Draft(Kind.ONLINE, name);
      draft.sql = List.of(sql);
      drafts.add(draft);
      return this;
    }

    /**
     * Changes rows in batches, resumably, and verifies them at the end, as {@link Backfill} does.
     * Must be in a later phase than the DDL that it needs: what is to be known of its table is read
     * when its phase is entered.
     *
     * @param name the step's name, unique within the plan
     * @param rows says what is done, and to which table if it isn't the plan's
     * @return this
     */
    public Builder backfill(String name, UnaryOperator<Backfill.Builder> rows) {
      Draft draft = new Draft(Kind.ROWS, name);
      draft.rows = rows;
      drafts.add(draft);
      return this;
    }

    /**
     * Proves that no row of the plan's table is wrong; if one is, the migration stops and names it.
     *
     * @param name the step's name, unique within the plan
     * @param wrong an SQL predicate over a row, which holds if it is wrong
     * @return this
     */
    public Builder verify(String name, String wrong) {
      return verify(name, null, wrong);
    }

    /**
     * Proves that no row of a table is wrong; if one is, the migration stops and names it.
     *
     * @param name the step's name, unique within the plan
     * @param table the table, unquoted; null for the plan's
     * @param wrong an SQL predicate over a row, which holds if it is wrong
     * @return this
     */
    public Builder verify(String name, @Nullable String table, String wrong) {
      Draft draft = new Draft(Kind.VERIFY, name);
      draft.table = table;
      draft.sql = List.of(wrong);
      drafts.add(draft);
      return this;
    }

    /**
     * Does something with a program. Only processes whose build declares the plan can; others hand
     * over to them. Needs {@link #undo(StepFunction)} or {@link #undoNothing()}.
     *
     * @param name the step's name, unique within the plan: it stands for the program in the
     *     database, where another program under the same name is not noticed
     * @param function what it does
     * @return this
     */
    public Builder java(String name, StepFunction function) {
      Draft draft = new Draft(Kind.JAVA, name);
      draft.function = function;
      drafts.add(draft);
      return this;
    }

    /**
     * Tells whether the step has happened, so that one whose end nobody saw is not repeated, and
     * the way back knows what there is to take back.
     *
     * @param query a SELECT of one row with one boolean
     * @return this
     */
    public Builder probe(String query) {
      last("probe", Kind.DDL, Kind.ONLINE).probe = query;
      return this;
    }

    /**
     * Tells whether a useless remainder of an earlier attempt is there, and removes it.
     *
     * @param query a SELECT of one row with one boolean
     * @param repair a statement that blocks neither reads nor writes
     * @return this
     */
    public Builder broken(String query, String repair) {
      Draft draft = last("broken", Kind.ONLINE);
      draft.broken = query;
      draft.repair = repair;
      return this;
    }

    /**
     * Takes the step back. Runs if the probe says that the step has happened, and must make it say
     * that it has not. What the plan itself has made may be dropped here; CONCURRENTLY is run
     * online, all else as a DDL step.
     *
     * @param sql the statements
     * @return this
     */
    public Builder undo(String... sql) {
      last("undo", Kind.DDL, Kind.ONLINE).undo = List.of(sql);
      return this;
    }

    /**
     * Takes a Java step back. Runs even if the step was not reached, or was left half way: so it
     * must be idempotent.
     *
     * @param function what it does
     * @return this
     */
    public Builder undo(StepFunction function) {
      last("undo", Kind.JAVA).undoFunction = function;
      return this;
    }

    /**
     * The way back leaves as it is what the step has done: it is in nobody's way, and done anew by
     * whoever goes up again only if the probe says that it has not happened.
     *
     * @return this
     */
    public Builder undoNothing() {
      last("undoNothing", Kind.DDL, Kind.ONLINE, Kind.JAVA).undo = List.of();
      return this;
    }

    /**
     * Declares what a DDL step locks, where its text doesn't say: the other end of a foreign key
     * that is dropped, tables of a partition. Adds to earlier calls; replaces what would be read
     * from the text.
     *
     * @param mode the mode, as PostgreSQL's documentation names it: {@code ACCESS EXCLUSIVE}
     * @param tables the tables, unquoted, in the migration's schema
     * @return this
     */
    public Builder locks(String mode, String... tables) {
      Draft draft = last("locks", Kind.DDL);
      for (String table : tables) {
        draft.locks.add(new PlanStep.Lock(mode, table));
      }
      return this;
    }

    /**
     * The same for what takes the step back.
     *
     * @param mode the mode
     * @param tables the tables, unquoted, in the migration's schema
     * @return this
     */
    public Builder undoLocks(String mode, String... tables) {
      Draft draft = last("undoLocks", Kind.DDL, Kind.ONLINE);
      for (String table : tables) {
        draft.undoLocks.add(new PlanStep.Lock(mode, table));
      }
      return this;
    }

    /**
     * Lets the step do what a rule refuses. Shown in the plan, and written to the event log when
     * the step runs. What the server finds before the commit is refused all the same; only {@code
     * table-rewrite} lets a table be rewritten.
     *
     * @param rule the rule's name, as its refusal says
     * @param why the reason, for whoever reads the log
     * @return this
     */
    public Builder override(String rule, String why) {
      last("override", Kind.DDL, Kind.ONLINE).overrides.put(rule, why);
      return this;
    }

    /**
     * There is no way back out of this phase. Entering it then asks for a person's approval, which
     * shows the reason.
     *
     * @param why what can't be taken back, for whoever approves
     * @return this
     */
    public Builder closed(String why) {
      this.closed = why;
      return this;
    }

    private Draft last(String what, Kind... kinds) {
      if (drafts.isEmpty()) {
        throw invalid.apply(
            "phase " + phase + " has " + what + " before any step", "Declare a step first.");
      }
      Draft draft = drafts.get(drafts.size() - 1);
      if (!List.of(kinds).contains(draft.kind)) {
        throw invalid.apply(
            "step \"" + draft.name + "\" takes no " + what,
            "It is for steps of these kinds: " + List.of(kinds) + ".");
      }
      return draft;
    }

    PlanPhase build(String plan, String table) {
      List<PlanStep> steps = new ArrayList<>();
      for (Draft each : drafts) {
        steps.add(step(each, plan, table));
      }
      return new PlanPhase(phase, steps, closed);
    }

    private PlanStep step(Draft draft, String plan, String table) {
      return switch (draft.kind) {
        case DDL ->
            new PlanStep.Ddl(
                draft.name,
                draft.sql,
                requireProbe(draft),
                requireUndo(draft),
                draft.locks,
                draft.undoLocks,
                draft.overrides);
        case ONLINE ->
            new PlanStep.Online(
                draft.name,
                draft.sql.get(0),
                requireProbe(draft),
                draft.broken,
                draft.repair,
                requireUndo(draft),
                draft.undoLocks,
                draft.overrides);
        case ROWS -> {
          UnaryOperator<Backfill.Builder> rows = draft.rows;
          Backfill.Builder empty = Backfill.of(PhasePlan.rowsId(plan, draft.name)).table(table);
          yield new PlanStep.Rows(draft.name, (rows == null ? empty : rows.apply(empty)).build());
        }
        case VERIFY ->
            new PlanStep.Verify(
                draft.name, draft.table == null ? table : draft.table, draft.sql.get(0));
        case JAVA -> {
          if (draft.undo == null && draft.undoFunction == null && closed == null) {
            requireUndo(draft);
          }
          yield new PlanStep.Java(
              draft.name, draft.function, draft.undoFunction, draft.undoFunction != null);
        }
      };
    }

    private String requireProbe(Draft draft) {
      String probe = draft.probe;
      if (probe == null) {
        throw invalid.apply(
            "nothing tells whether step \"" + draft.name + "\" has happened",
            "Add .probe(\"SELECT ...\"), a query of one boolean, after it.");
      }
      return probe;
    }

    private List<String> requireUndo(Draft draft) {
      List<String> undo = draft.undo;
      if (undo == null) {
        if (closed != null) {
          return List.of();
        }
        throw invalid.apply(
            "step \"" + draft.name + "\" of phase " + phase + " has no way back",
            "Add .undo(...) after it; or .undoNothing(), if what it did may stay; or .closed(\"why\")"
                + " to the phase, whose entry then asks for approval.");
      }
      return undo;
    }
  }
}
