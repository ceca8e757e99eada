package dev.zerodowntime.orchestrator.postgres.crash;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.crash.Crashes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * A process may die between any two of its statements, and the next one must not be able to tell:
 * the same schema, every row as it should be, everything done exactly once.
 */
@PostgresTest
@Tag("crash")
class CrashTest {

  private static final int FEWEST = 300;

  /** Every process here dies complaining, thousands of times. */
  private final Logger log = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

  private final Level level = log.getLevel();

  @BeforeEach
  void beQuiet() {
    log.setLevel(Level.OFF);
  }

  @AfterEach
  void speak() {
    log.setLevel(level);
  }

  @Test
  void anotherMemberCarriesOnWhereverOneDied() throws Exception {
    try (Crashes crashes = new Crashes(new PostgresProduct())) {
      crashes.run(FEWEST);
    }
  }
}
