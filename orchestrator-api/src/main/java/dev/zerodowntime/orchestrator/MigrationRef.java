package dev.zerodowntime.orchestrator;

/**
 * Names a migration that another team's code declares, so that this build can say what it does with
 * the changed object without having the owner's jar.
 *
 * @param id the migration's id
 * @param operation the operation's class, which fixes the code stages that can be declared
 * @param <C> the operation's code stages
 */
public record MigrationRef<C extends Enum<C> & CodeStage>(
    String id, Class<? extends Migration<C>> operation) {

  /** Checks the id. */
  public MigrationRef {
    Names.requireId(id);
  }
}
