package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/**
 * A proof, in chunks: no row may be pending. Its figure is written to the event log.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param scan which rows would be wrong
 */
public record VerifyStep(String name, String summary, Scan scan) implements Step {

  @Override
  public List<String> sql() {
    return List.of("SELECT count(*) FROM " + scan.table() + " WHERE " + scan.pending());
  }

  @Override
  public String lock() {
    return "none beyond those of a SELECT";
  }
}
