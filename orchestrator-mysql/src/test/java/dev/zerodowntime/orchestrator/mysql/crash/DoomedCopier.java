package dev.zerodowntime.orchestrator.mysql.crash;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.testing.crash.Doomed;
import java.nio.file.Path;
import javax.sql.DataSource;

/** A process that has a table copied, and is killed meanwhile. */
public final class DoomedCopier {

  static final String ID = "billing/items-n";

  private DoomedCopier() {}

  /**
   * Copies.
   *
   * @param arguments URL, user, password, tool, its host and port, own name
   */
  public static void main(String[] arguments) throws Exception {
    MysqlDataSource source = new MysqlDataSource();
    source.setUrl(arguments[0]);
    source.setUser(arguments[1]);
    source.setPassword(arguments[2]);
    CopyTool tool =
        CopyTool.ptOnlineSchemaChange(
                Path.of(arguments[3]),
                arguments[4],
                Integer.parseInt(arguments[5]),
                arguments[1],
                () -> arguments[2])
            .load("Threads_running=500", "Threads_running=900");
    try (Orchestrator member = member(source, tool).build()) {
      member.advance();
      while (!member.drive().toString().isEmpty()) {
        // Until somebody kills it.
      }
    }
  }

  static OrchestratorBuilder member(DataSource source, CopyTool tool) {
    return Orchestrator.builder(source)
        .application("billing")
        .release("1")
        .noStarQueries()
        .background(false)
        .copyTool(tool)
        .thisBuild(migration(), SetNotNull.Code.CONFORMS)
        .timing(Doomed::quick);
  }

  static SetNotNull migration() {
    return SetNotNull.of(ID).table("items").column("n").byCopy().build();
  }
}
