package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.testing.crash.Doomed;
import java.io.IOException;
import org.postgresql.ds.PGSimpleDataSource;

/** A process that works on a backfill, until it is killed or nobody holds its input open. */
public final class DoomedProcess {

  private DoomedProcess() {}

  /**
   * Serves.
   *
   * @param arguments URL, user, password, how the work is kept from being repeated, own name
   */
  public static void main(String[] arguments) throws IOException {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(arguments[0]);
    source.setUser(arguments[1]);
    source.setPassword(arguments[2].isEmpty() ? null : arguments[2]);
    source.setApplicationName(arguments[4]);
    Doomed.serve(source, Backfill.Once.valueOf(arguments[3]));
  }
}
