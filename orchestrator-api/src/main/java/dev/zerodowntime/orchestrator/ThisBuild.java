package dev.zerodowntime.orchestrator;

/**
 * What a build says of itself, written once: the process that serves and the release manifest that
 * the build writes take it from the same place.
 *
 * <p>For {@link ReleaseManifestMain}, a class with a constructor without parameters.
 */
@FunctionalInterface
public interface ThisBuild {

  /**
   * Says which application and release this is, and declares its migrations.
   *
   * @param builder what to say it to; touches no database, so neither may this
   */
  void declare(OrchestratorBuilder builder);
}
