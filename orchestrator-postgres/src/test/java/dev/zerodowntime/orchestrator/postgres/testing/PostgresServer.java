package dev.zerodowntime.orchestrator.postgres.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.postgresql.ds.PGSimpleDataSource;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * The one PostgreSQL that all tests of a JVM share: starting a server per test class would cost
 * more than the tests.
 *
 * <p>In this order: the server named by {@code ORCHESTRATOR_TEST_POSTGRES_URL} (with {@code _USER}
 * and {@code _PASSWORD}); a container, if a Docker engine answers ({@code
 * ORCHESTRATOR_TEST_CONTAINERS=true} insists on it, {@code false} forbids it); an embedded server.
 * {@code -Dpg.version=14…18} chooses the major version of the last two.
 */
public final class PostgresServer {

  private static final String URL = "ORCHESTRATOR_TEST_POSTGRES_URL";
  private static final String USER = "ORCHESTRATOR_TEST_POSTGRES_USER";
  private static final String PASSWORD = "ORCHESTRATOR_TEST_POSTGRES_PASSWORD";
  private static final String CONTAINERS = "ORCHESTRATOR_TEST_CONTAINERS";
  private static final String IMAGE = "ORCHESTRATOR_TEST_POSTGRES_IMAGE";

  private static final String REMEDY =
      "name a server with "
          + URL
          + "=jdbc:postgresql://host:port/postgres ("
          + USER
          + ", "
          + PASSWORD
          + "; the user must be a superuser), or start Docker.";

  private static PostgresServer shared;
  private static IllegalStateException failure;

  private final String kind;
  private final String url;
  private final String user;
  private final String password;
  private final String version;

  private PostgresServer(String kind, String url, String user, String password) {
    this.kind = kind;
    this.url = url;
    this.user = user;
    this.password = password;
    try (Connection c = dataSource(null).getConnection();
        Statement s = c.createStatement();
        ResultSet rs = s.executeQuery("show server_version")) {
      rs.next();
      this.version = rs.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(
          kind + " does not answer at " + url + ": " + e.getMessage(), e);
    }
  }

  /**
   * The shared server, started by the first caller. Where none was asked for and none can be had,
   * tests are skipped with a loud message; but a build server (CI=true) fails, for it must never
   * pass by having run nothing.
   */
  public static synchronized PostgresServer get() {
    if (shared == null && failure == null) {
      try {
        shared = choose();
        System.out.println("Tests use PostgreSQL " + shared.version + ", " + shared.kind);
      } catch (Exception | LinkageError e) {
        failure =
            new IllegalStateException(
                "NO POSTGRESQL FOR THE TESTS: " + e.getMessage() + "\nREMEDY: " + REMEDY, e);
        System.err.println("!!!!\n!!!! " + failure.getMessage() + "\n!!!!");
      }
    }
    if (failure != null) {
      if (failure.getCause() instanceof NotStarted && !Boolean.parseBoolean(System.getenv("CI"))) {
        Assumptions.abort(failure.getMessage());
      }
      throw failure;
    }
    return shared;
  }

  /** What is used, for a person: "embedded on port 41234". */
  public String kind() {
    return kind;
  }

  /** As the server gives it, "17.11". */
  public String version() {
    return version;
  }

  public int majorVersion() {
    return Integer.parseInt(version.split("[^0-9]", 2)[0]);
  }

  /**
   * A new unpooled source for a database of this server; null stands for the maintenance database.
   */
  public PGSimpleDataSource dataSource(String database) {
    PGSimpleDataSource ds = new PGSimpleDataSource();
    ds.setURL(url);
    if (database != null) {
      ds.setDatabaseName(database);
    }
    if (user != null) {
      ds.setUser(user);
    }
    if (password != null) {
      ds.setPassword(password);
    }
    return ds;
  }

  private static PostgresServer choose() throws IOException {
    String given = setting(URL);
    if (given != null) {
      return new PostgresServer("given by " + URL, given, setting(USER), setting(PASSWORD));
    }
    String containers = setting(CONTAINERS);
    if (Boolean.parseBoolean(containers)) {
      return container();
    }
    if (containers == null && dockerAnswers()) {
      try {
        return container();
      } catch (RuntimeException e) {
        System.err.println(
            "Docker answers, but gives no PostgreSQL ("
                + e.getMessage()
                + "): trying the embedded one");
      }
    }
    return embedded();
  }

  /**
   * Looks for the socket first: Testcontainers alone takes seconds to find out that there is none.
   */
  private static boolean dockerAnswers() {
    boolean possible =
        setting("DOCKER_HOST") != null || Files.exists(Path.of("/var/run/docker.sock"));
    return possible && DockerClientFactory.instance().isDockerAvailable();
  }

  private static PostgresServer container() {
    String image = setting(IMAGE);
    DockerImageName name =
        DockerImageName.parse(image != null ? image : "postgres:" + wantedMajor())
            .asCompatibleSubstituteFor("postgres");
    PostgreSQLContainer postgres = new PostgreSQLContainer(name);
    postgres.setCommand(
        settings().entrySet().stream()
            .flatMap(e -> List.of("-c", e.getKey() + "=" + e.getValue()).stream())
            .toArray(String[]::new));
    postgres.start();
    Runtime.getRuntime().addShutdownHook(new Thread(postgres::stop, "stop-postgres"));
    return new PostgresServer(
        "in a container of " + name.asCanonicalNameString(),
        postgres.getJdbcUrl(),
        postgres.getUsername(),
        postgres.getPassword());
  }

  private static PostgresServer embedded() throws IOException {
    Path log = serverLog();
    EmbeddedPostgres.Builder builder =
        EmbeddedPostgres.builder()
            .setLocaleConfig("locale", "C")
            .setPGStartupWait(Duration.ofSeconds(60))
            .setOutputRedirector(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .setErrorRedirector(ProcessBuilder.Redirect.appendTo(log.toFile()));
    settings().forEach(builder::setServerConfig);
    EmbeddedPostgres postgres;
    try {
      // Stopped by its own shutdown hook.
      postgres = builder.start();
    } catch (IOException | RuntimeException | LinkageError e) {
      throw new NotStarted(whyEmbeddedFailed(e, log), e);
    }
    PostgresServer server =
        new PostgresServer(
            "embedded on port " + postgres.getPort() + ", its log is " + log,
            "jdbc:postgresql://localhost:" + postgres.getPort() + "/postgres",
            "postgres",
            null);
    if (server.majorVersion() != wantedMajor()) {
      throw new IllegalStateException(
          "pg.version asks for PostgreSQL "
              + wantedMajor()
              + ", but the binaries on the class path are "
              + server.version
              + ": add a profile for it to this module's POM.");
    }
    return server;
  }

  private static String whyEmbeddedFailed(Throwable e, Path log) {
    String tail = "";
    try {
      String text = Files.readString(log, StandardCharsets.UTF_8).strip();
      tail = text.substring(Math.max(0, text.length() - 2_000));
    } catch (IOException ignored) {
      // the cause still says something
    }
    String message =
        "the embedded PostgreSQL " + wantedMajor() + " did not start (" + e.getMessage() + ").";
    if (tail.contains("root") || tail.contains("unshare")) {
      message +=
          " PostgreSQL refuses to run as root; the embedded one gives up root through 'unshare -U', which this"
              + " machine or container seems to forbid: run the build as another user, or allow user namespaces.";
    }
    return tail.isEmpty() ? message : message + " Its log " + log + " ends with:\n" + tail;
  }

  private static Path serverLog() throws IOException {
    Path target = Path.of("target").toAbsolutePath();
    Path log =
        Files.isDirectory(target)
            ? target.resolve("embedded-postgres.log")
            : Files.createTempFile("embedded-postgres", ".log");
    Files.writeString(log, "");
    return log;
  }

  /** Fast because nothing here must survive a power cut; otherwise as strict as a real server. */
  private static Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("max_connections", "300");
    settings.put("max_prepared_transactions", "20");
    settings.put("fsync", "off");
    settings.put("full_page_writes", "off");
    settings.put("synchronous_commit", "on");
    return settings;
  }

  private static int wantedMajor() {
    return Integer.getInteger("pg.version", 17);
  }

  private static String setting(String name) {
    String value = System.getProperty(name, System.getenv(name));
    return value == null || value.isBlank() ? null : value;
  }

  /**
   * Nobody asked for a particular server, and this machine can't give one: the only case that skips
   * tests.
   */
  private static final class NotStarted extends RuntimeException {
    NotStarted(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
