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
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds a value to an enumeration type.
 *
 * <p>The new value can be written as soon as the phase is reached, and no sooner: {@code NEEDS} is
 * code that writes it. Whoever reads a row that has it must know what to do with it, so release
 * code that can read it first, and only then code that writes it; {@code UNAWARE} promises no more
 * than not to write it.
 *
 * <p>Takes no lock on any table, touches no row, and changes no plan. PostgreSQL can't take a value
 * away again: the way back needs a consent, and leaves it in the type, where nobody uses it.
 *
 * <p>The table that is named is one whose rows have the type: it says whose migrations this one is
 * in order with, and which applications it concerns ({@code touches}). The type may be used in
 * others as well.
 */
public final class AddEnumValue extends Migration<AddEnumValue.Code> {

  /** How this operation is stored. */
  public static final OperationType<AddEnumValue> TYPE =
      new OperationType<>("AddEnumValue", AddEnumValue.class, AddEnumValue::restore);

  /** The type has the value. */
  public static final int DONE = 1;

  /** What code does with the value. */
  public enum Code implements CodeStage {
    /** Does not write it. */
    UNAWARE,
    /** Writes it, or compares with it. */
    NEEDS
  }

  private final String table;
  private final String type;
  private final String value;
  private final @Nullable String before;
  private final @Nullable String after;

  private AddEnumValue(Builder b, String table, String type, String value) {
    super(b);
    this.table = table;
    this.type = type;
    this.value = value;
    this.before = b.before;
    this.after = b.after;
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
   * The new value.
   *
   * @return its label
   */
  public String value() {
    return value;
  }

  /**
   * The value that the new one is sorted before.
   *
   * @return a label
   */
  public Optional<String> beforeValue() {
    return Optional.ofNullable(before);
  }

  /**
   * The value that the new one is sorted after.
   *
   * @return a label
   */
  public Optional<String> afterValue() {
    return Optional.ofNullable(after);
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
            new StageSpan("UNAWARE", new Span(0, DONE)),
            new StageSpan("NEEDS", new Span(DONE, DONE))),
        DONE,
        DONE,
        -1);
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("table", table);
    fields.put("type", type);
    fields.put("value", value);
    if (before != null) {
      fields.put("before", before);
    }
    if (after != null) {
      fields.put("afterValue", after);
    }
    return fields;
  }

  private static AddEnumValue restore(OperationType.Stored stored) {
    Builder builder = of(stored.id()).restored(stored.schema(), stored.after(), stored.policy());
    builder.table(stored.text("table")).type(stored.text("type"));
    builder.value = stored.text("value");
    builder.before = stored.optionalText("before");
    builder.after = stored.optionalText("afterValue");
    return builder.build();
  }

  /** Declares an {@link AddEnumValue}. Not thread-safe. */
  public static final class Builder extends Migration.Builder<Builder, AddEnumValue> {

    private @Nullable String table;
    private @Nullable String type;
    private @Nullable String value;
    private @Nullable String before;
    private @Nullable String after;

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
     * The new value. Default place: after all others.
     *
     * @param label its label, of at most 63 bytes
     * @return this
     */
    public Builder value(String label) {
      this.value = require("value", label);
      return this;
    }

    /**
     * Sorts the new value before another one.
     *
     * @param label the other's label
     * @return this
     */
    public Builder beforeValue(String label) {
      this.before = require("value before which", label);
      return this;
    }

    /**
     * Sorts the new value after another one.
     *
     * @param label the other's label
     * @return this
     */
    public Builder afterValue(String label) {
      this.after = require("value after which", label);
      return this;
    }

    @Override
    public AddEnumValue build() {
      if (before != null && after != null) {
        throw invalid(
            "value is to come before \"" + before + "\" and after \"" + after + "\"",
            "Name one of them.");
      }
      return checked(
          new AddEnumValue(
              this, require("table", table), require("type", type), require("value", value)));
    }
  }
}
