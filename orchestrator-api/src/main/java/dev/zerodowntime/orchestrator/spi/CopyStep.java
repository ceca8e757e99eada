package dev.zerodowntime.orchestrator.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A copy of a table, with its change, that is made by a tool while the table is in use, and kept up
 * to date by it from then on. Nothing reads the copy yet; other steps compare and swap the two.
 *
 * @param name see {@link Step#name()}
 * @param summary see {@link Step#summary()}
 * @param schema unquoted
 * @param table unquoted
 * @param copy what the copy is called, unquoted
 * @param alter what is different in it: what follows {@code ALTER TABLE}; null where nothing is
 *     copied, but what an attempt has left is cleaned up
 * @param needless whether the table is as wanted already, so that there is nothing to copy; null
 *     where the catalog can't tell
 * @param afterwards the step to go on with then
 * @param done whether it is there, whole, and kept up to date; or nothing of it is left
 * @param cleanUp what removes whatever an attempt has left, in this order, each with a probe that
 *     tells whether there is anything
 */
public record CopyStep(
    String name,
    String summary,
    String schema,
    String table,
    String copy,
    @Nullable String alter,
    @Nullable Probe needless,
    String afterwards,
    Probe done,
    List<DdlStep> cleanUp)
    implements Step {

  /** Copies the list. */
  public CopyStep {
    cleanUp = List.copyOf(cleanUp);
  }

  @Override
  public List<TableLock> locks() {
    return cleanUp.stream().flatMap(each -> each.locks().stream()).distinct().toList();
  }

  @Override
  public List<String> sql() {
    return alter == null
        ? cleanUp.stream().flatMap(each -> each.sql().stream()).toList()
        : List.of("-- copied to " + copy + " by a tool: ALTER TABLE " + table + " " + alter);
  }

  @Override
  public String lock() {
    return alter == null
        ? TableLock.describe(locks()) + ", within the lock budget"
        : "the rows of one chunk; EXCLUSIVE for a moment, within the lock budget, to create"
            + " triggers";
  }
}
