package dev.zerodowntime.orchestrator.internal.flyway;

/**
 * What Flyway calls a migration. Flyway compares it, so a place in its order and the script that
 * takes that place one day must have it from here.
 */
public final class ScriptName {

  private ScriptName() {}

  /**
   * The description, as Flyway shows it.
   *
   * @param id the migration's id
   * @return words
   */
  public static String description(String id) {
    return id.replaceAll("[^A-Za-z0-9]+", " ");
  }

  /**
   * The same within the name of a file.
   *
   * @param id the migration's id
   * @return words with underscores between them
   */
  public static String file(String id) {
    return description(id).replace(' ', '_');
  }
}
