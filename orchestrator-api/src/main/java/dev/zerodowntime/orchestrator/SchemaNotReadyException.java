package dev.zerodowntime.orchestrator;

import java.util.List;

/**
 * This build needs phases that the schema has not reached, and could not reach within the start-up
 * budget. The build was not admitted: it must not serve. Starting it again later is safe.
 */
public final class SchemaNotReadyException extends OrchestratorException {

  private static final long serialVersionUID = 1L;

  private final transient List<MigrationReport> waiting;

  /**
   * Creates an exception.
   *
   * @param problem which phases are missing and what blocks them
   * @param remedy what to do and when to expect success
   * @param waiting the migrations that are not ready
   */
  public SchemaNotReadyException(String problem, String remedy, List<MigrationReport> waiting) {
    super(ErrorCode.SCHEMA_NOT_READY, problem, remedy, null);
    this.waiting = List.copyOf(waiting);
  }

  /**
   * The migrations that are not ready, with what each waits for.
   *
   * @return never empty
   */
  public List<MigrationReport> waiting() {
    return waiting;
  }
}
