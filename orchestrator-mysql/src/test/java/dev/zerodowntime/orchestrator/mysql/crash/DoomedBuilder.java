package dev.zerodowntime.orchestrator.mysql.crash;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.testing.crash.Doomed;
import javax.sql.DataSource;

/** A process that builds an index, and is killed meanwhile. */
public final class DoomedBuilder {

  static final String ID = "billing/items-by-body";
  static final String INDEX = "items_by_body";

  private DoomedBuilder() {}

  /**
   * Builds.
   *
   * @param arguments URL, user, password, own name
   */
  public static void main(String[] arguments) throws Exception {
    MysqlDataSource source = new MysqlDataSource();
    source.setUrl(arguments[0]);
    source.setUser(arguments[1]);
    source.setPassword(arguments[2]);
    try (Orchestrator member = member(source).build()) {
      member.advance();
      while (!member.drive().toString().isEmpty()) {
        // Until somebody kills it.
      }
    }
  }

  static OrchestratorBuilder member(DataSource source) {
    return Orchestrator.builder(source)
        .application("billing")
        .release("1")
        .noStarQueries()
        .background(false)
        .thisBuild(migration(), CreateIndex.Code.UNAWARE)
        .timing(Doomed::quick);
  }

  static CreateIndex migration() {
    return CreateIndex.of(ID).table("items").name(INDEX).columns("body", "n").build();
  }
}
