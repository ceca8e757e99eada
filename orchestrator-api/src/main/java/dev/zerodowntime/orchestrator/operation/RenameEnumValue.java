package dev.zerodowntime.orchestrator.operation;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Renames a value of an enumeration type, in one short statement that locks no table and touches no
 * row: from one moment to the next every row that has the value shows the new name, and the old one
 * is an error. A transaction that is open meanwhile may go on with the old one to its end.
 *
 * <p>There is no time at which both names work. So between code that uses the old name and code
 * that uses the new one there must be code that names neither: it passes on whatever value it
 * reads, and neither writes this one nor compares with it. Where that can't be, add a value by
 * {@link AddEnumValue}, have rows changed by a {@link Backfill}, and leave the old value unused.
 *
 * <p>What was written with the value, such as defaults, checks, indexes, policies and views, has
 * the new name by itself. Refused is what names it in a text: functions ({@code allowFunctions} for
 * one that means something else), and comparisons of the value's text. A table with the type must
 * not be published: its subscribers' type has no such value.
 *
 * <p>The table that is named is one whose rows have the type: it says whose migrations this one is
 * in order with, and which applications it concerns. A type that other tables use as well is
 * refused unless they are named by {@link Builder#alsoIn}: then an application that narrows itself
 * by {@code touches} to one of those must name this table, too.
 *
 * <p>The way back renames the value back.
 *
 * <p>PostgreSQL only.
 */
public final class RenameEnumValue extends Migration<RenameEnumValue.Code> {

  /** How this operation is stored. */
  public static final OperationType<RenameEnumValue> TYPE =
      new OperationType<>("RenameEnumValue", RenameEnumValue.class, RenameEnumValue::restore);

  /** The value has its new name. */
  public static final int DONE = 1;

  /** Which name code uses. */
  public enum Code implements CodeStage {
    /** Writes the old name, or compares with it. */
    OLD,
    /** Names neither, and copes with either in what it reads. */
    NAMES_NEITHER,
    /** Writes the new name, or compares with it. */
    NEW
  }

  private final String table;
  private final String type;
  private final String from;
  private final String to;
  private final Set<String> alsoIn;

  private RenameEnumValue(Builder b, String table, String type, String from, String to) {
    super(b);
    this.table = table;
    this.type = type;
    this.from = from;
    this.to = to;
    this.alsoIn = Set.copyOf(b.alsoIn);
  }

  /**
   * Starts a declaration.
   *
   * @param id the migration's id
   * @return a builder
   */
  public static Builder of(String id) {
    return new Builder(id);
  }

  @Override
  public String table() {
    return table;
  }

  /**
   * The type.
   *
   * @return its unquoted name
   */
  public String type() {
    return type;
  }

  /**
   * The value's name so far.
   *
   * @return its label
   */
  public String from() {
    return from;
  }

  /**
   * The value's new name.
   *
   * @return its label
   */
  public String to() {
    return to;
  }

  /**
   * Other tables that have columns of the type.
   *
   * @return unquoted names, with their schema and a dot where it is another one
   */
  public Set<String> alsoIn() {
    return alsoIn;
  }

  @Override
  public Set<String> columns() {
    // No column is changed: whoever renames one that has the type is not in the way.
    return Set.of();
  }

  @Override
  public Lifecycle lifecycle() {
    return Lifecycle.of(
        TYPE.name(),
        List.of("NOT_STARTED", "DONE"),
        List.of(
            new StageSpan("OLD", new Span(0, 0)),
            new StageSpan("NAMES_NEITHER", new Span(0, DONE)),
            new StageSpan("NEW", new Span(DONE, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("type", type);
    fields.put("from", from);
    fields.put("to", to);
    if (!alsoIn.isEmpty()) {
      fields.put("alsoIn", List.copyOf(new TreeSet<>(alsoIn)));
    }
    return fields;
  }

  private static RenameEnumValue restore(OperationType.Stored stored) {
    return of(stored.id())
        .restored(stored.schema(), stored.after(), stored.policy())
        .table(stored.text("table"))
        .type(stored.text("type"))
        .from(stored.text("from"))
        .to(stored.text("to"))
        .alsoIn(stored.texts("alsoIn").toArray(String[]::new))
        .build();
  }

  /** Declares a {@link RenameEnumValue}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, RenameEnumValue> {

    private @Nullable String table;
    private @Nullable String type;
    private @Nullable String from;
    private @Nullable String to;
    private final Set<String> alsoIn = new TreeSet<>();

    private Builder(String id) {
      super(id);
    }

    /**
     * A table that has a column of the type.
     *
     * @param table its name, unquoted and unqualified
     * @return this
     */
    public Builder table(String table) {
      this.table = table;
      return this;
    }

    /**
     * The enumeration type, in the migration's schema.
     *
     * @param type its name, unquoted and unqualified
     * @return this
     */
    public Builder type(String type) {
      this.type = type;
      return this;
    }

    /**
     * The value's name so far.
     *
     * @param label its label
     * @return this
     */
    public Builder from(String label) {
      this.from = label;
      return this;
    }

    /**
     * The value's new name.
     *
     * @param label its label, of at most 63 bytes
     * @return this
     */
    public Builder to(String label) {
      this.to = label;
      return this;
    }

    /**
     * Consents to other tables having the type: says that whoever touches one of them is counted
     * for this migration. Adds to earlier calls. Default: none.
     *
     * @param tables unquoted names, with their schema and a dot where it is another one
     * @return this
     */
    public Builder alsoIn(String... tables) {
      for (String each : tables) {
        alsoIn.add(require("other table", each));
      }
      return this;
    }

    @Override
    public RenameEnumValue build() {
      String before = require("value to rename (from)", from);
      String after = require("new name of the value (to)", to);
      if (before.equals(after)) {
        throw invalid("from and to are both \"" + after + "\"", "Give a new name.");
      }
      return checked(
          new RenameEnumValue(this, require("table", table), require("type", type), before, after));
    }
  }
}
