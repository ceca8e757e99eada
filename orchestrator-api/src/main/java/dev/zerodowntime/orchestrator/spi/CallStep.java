package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.StepFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Something that a program does, in a transaction that commits together with the record that it
 * did. Must be idempotent, and lock no table against reads or writes.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param function the program; null in a process that doesn't have it, which can't do this
 */
public record CallStep(String name, String summary, @Nullable StepFunction function)
    implements Step {

  @Override
  public List<String> sql() {
    return List.of("-- Java: " + name);
  }

  @Override
  public String lock() {
    return "the rows that it changes; no table";
  }
}
