package dev.zerodowntime.orchestrator.spi;

import java.util.List;

/**
 * Short statements that take a blocking lock, within the lock budget. Where DDL is transactional
 * they commit together with the record that they did.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param lock see {@link Step#lock()}
 * @param tables quoted, qualified names of the tables that get locked, the first one first
 * @param sql the statements
 * @param done whether they already happened
 * @param changesRowType whether prepared {@code SELECT *} statements would notice
 */
public record DdlStep(
    String name,
    String summary,
    String lock,
    List<String> tables,
    List<String> sql,
    Probe done,
    boolean changesRowType)
    implements Step {

  /** Copies the lists. */
  public DdlStep {
    tables = List.copyOf(tables);
    sql = List.copyOf(sql);
  }
}
