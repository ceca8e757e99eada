package dev.zerodowntime.orchestrator;

/**
 * What a build's code does with the object that a migration changes.
 *
 * <p>Implemented by an enum nested in each operation, so that a stage of one operation can't be
 * given to another: that does not compile. The constants are declared from the oldest code to the
 * newest. Which phases a stage can run against is its {@link Span}, which is data kept with the
 * migration, so that builds that don't know the operation's class can be judged too.
 */
public interface CodeStage {

  /**
   * The stable name of this stage, as stored.
   *
   * @return the enum constant's name
   */
  String name();
}
