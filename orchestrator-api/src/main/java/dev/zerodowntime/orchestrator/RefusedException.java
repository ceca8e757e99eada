package dev.zerodowntime.orchestrator;

/**
 * A preflight check refused a migration: it can't be carried out safely on this database. Nothing
 * was touched.
 */
public final class RefusedException extends OrchestratorException {

  private static final long serialVersionUID = 1L;

  private final String migration;

  /**
   * Creates an exception.
   *
   * @param code {@link ErrorCode#REFUSED} or a more specific code
   * @param migration the migration's id
   * @param problem what stands in the way, by name
   * @param remedy what to do
   */
  public RefusedException(ErrorCode code, String migration, String problem, String remedy) {
    super(code, "Migration " + migration + " is refused: " + problem, remedy, null);
    this.migration = migration;
  }

  /**
   * The migration that was refused.
   *
   * @return its id
   */
  public String migration() {
    return migration;
  }
}
