package dev.zerodowntime.orchestrator.mysql.crash;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.crash.Crashes;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process may die between any two of its statements, and the next one must not be able to tell:
 * the same schema, every row as it should be, everything done exactly once. DDL commits by itself
 * here: whoever dies after it leaves it behind without a word in the control tables.
 */
@Tag("crash")
class CrashTest {

  private static final int FEWEST = 30;

  /** By turns, day by day; both of them where more than a day's part is asked for. */
  static List<MysqlServer.Flavor> today() {
    List<MysqlServer.Flavor> all = List.of(MysqlServer.Flavor.values());
    if (Boolean.getBoolean("crash.full")
        || Boolean.getBoolean("crash.whole")
        || System.getProperty("crash.only") != null) {
      return all;
    }
    MysqlServer.Flavor chosen = all.get((int) (LocalDate.now().toEpochDay() % all.size()));
    System.out.println("crash: today on " + chosen + "; -Dcrash.whole=true takes " + all);
    return List.of(chosen);
  }

  @ParameterizedTest
  @MethodSource("today")
  void anotherMemberCarriesOnWhereverOneDied(MysqlServer.Flavor flavor) throws Exception {
    try (Crashes crashes = new Crashes(new MysqlProduct(MysqlServer.get(flavor)))) {
      crashes.run(FEWEST);
    }
  }
}
