package dev.zerodowntime.orchestrator.testing;

import java.util.concurrent.Executor;

/** Where what waits for a server runs. */
public final class Threads {

  /**
   * A thread for each task. The JDK's common pool has as many as there are processors to spare, of
   * which a test machine has one: a second task that waits for a lock would not even begin.
   */
  public static final Executor ONE_EACH =
      task -> {
        Thread thread = new Thread(task, "test");
        thread.setDaemon(true);
        thread.start();
      };

  private Threads() {}
}
