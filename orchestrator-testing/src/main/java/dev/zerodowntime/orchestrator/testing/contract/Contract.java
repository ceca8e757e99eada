package dev.zerodowntime.orchestrator.testing.contract;

import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import dev.zerodowntime.orchestrator.testing.crash.Server;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/** What suites have in common: a server, and databases on it that each test has for itself. */
@Tag("contract")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class Contract {

  private final Map<String, String> templates = new LinkedHashMap<>();
  private Product product;
  private Server server;

  /**
   * The server to test. Where it can't be had, this aborts the tests, loudly: there is no test
   * without a server.
   */
  protected abstract Product server() throws SQLException;

  @BeforeAll
  final void connect() throws SQLException {
    product = server();
    server = product.server();
    System.out.println("contract " + getClass().getSimpleName() + ": on " + product.title());
  }

  @AfterAll
  final void disconnect() throws SQLException {
    if (server != null) {
      for (String each : templates.values()) {
        server.drop(each);
      }
      server.close();
    }
  }

  final Product product() {
    return product;
  }

  /**
   * A database whose control tables are there, and belong to an application that has adopted the
   * library everywhere.
   *
   * @param name the same for all that are made of the same statements
   * @param environment which rules it has
   * @param tables what else is in it
   */
  final Ground ground(String name, Environment environment, List<String> tables) throws Exception {
    String key = name + " " + environment;
    if (!templates.containsKey(key)) {
      String template = server.create();
      templates.put(key, template);
      try (Ground made = new Ground(product, template, environment)) {
        made.execute(tables);
        try (Orchestrator job = made.member("before").build()) {
          job.advance();
          job.adopted(Ground.APPLICATION);
        }
        made.execute(List.of("DELETE FROM " + product.control("member")));
      }
    }
    return new Ground(product, server.copy(templates.get(key)), environment);
  }

  /** A database without anything of ours. */
  final Ground bare(List<String> tables) throws SQLException {
    Ground bare = new Ground(product, server.create(), Environment.PRODUCTION);
    bare.execute(tables);
    return bare;
  }

  /** Done with a database. */
  final void drop(Ground ground) throws SQLException {
    server.drop(ground.name());
  }
}
