package dev.zerodowntime.orchestrator.mysql.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.JdbcDatabaseContainer;
import org.testcontainers.mariadb.MariaDBContainer;
import org.testcontainers.mysql.MySQLContainer;

/**
 * Servers in containers, where a Docker engine answers: {@code -Dmysql.version} and {@code
 * -Dmariadb.version} choose the image's tag.
 */
final class MysqlContainers {

  static final String PASSWORD = "orchestrator";

  private MysqlContainers() {}

  /**
   * Looks for the socket first: Testcontainers alone takes seconds to find out that there is none.
   */
  static boolean possible() {
    boolean engine =
        System.getenv("DOCKER_HOST") != null || Files.exists(Path.of("/var/run/docker.sock"));
    return engine && DockerClientFactory.instance().isDockerAvailable();
  }

  /** Starts one, whose root has {@link #PASSWORD}; it is stopped when this JVM ends. */
  static String start(MysqlServer.Flavor flavor) {
    boolean maria = flavor == MysqlServer.Flavor.MARIADB;
    JdbcDatabaseContainer<?> container =
        maria
            ? new MariaDBContainer("mariadb:" + System.getProperty("mariadb.version", "11.4"))
            : new MySQLContainer("mysql:" + System.getProperty("mysql.version", "8.4"));
    container.withUsername("root").withPassword(PASSWORD);
    if (maria) {
      container.setCommand(
          "--performance-schema=ON", "--log-bin=bin", "--server-id=1", "--sync-binlog=0");
    }
    container.start();
    Runtime.getRuntime().addShutdownHook(new Thread(container::stop, "stop-" + flavor));
    return "jdbc:mysql://" + container.getHost() + ":" + container.getMappedPort(3306) + "/";
  }
}
