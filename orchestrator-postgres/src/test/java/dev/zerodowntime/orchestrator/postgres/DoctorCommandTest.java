package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.DoctorCommand;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command: what it prints and how it exits. */
@PostgresTest
class DoctorCommandTest {

  private static final String SECRET = "Sesame-4711";

  private final TestDatabase database;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  DoctorCommandTest(TestDatabase database) {
    this.database = database;
  }

  private int run(Map<String, String> environment, String... arguments) {
    return Doctor.command()
        .run(
            arguments,
            environment,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private String printed() {
    return out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8);
  }

  private Map<String, String> login() {
    String password = database.password();
    return Map.of(
        "ORCHESTRATOR_USER",
        database.user(),
        "ORCHESTRATOR_PASSWORD",
        password == null ? "" : password);
  }

  @Test
  void healthy() {
    assertThat(run(login(), database.url())).isEqualTo(DoctorCommand.HEALTHY);
    assertThat(printed()).startsWith("0 problem").contains("control tables: not installed yet");
  }

  @Test
  void withProblems() {
    String user = database.name() + "_nobody";
    database.execute("CREATE ROLE " + user + " LOGIN PASSWORD '" + SECRET + "'");
    try {
      Map<String, String> login =
          Map.of("ORCHESTRATOR_USER", user, "ORCHESTRATOR_PASSWORD", SECRET);
      assertThat(run(login, database.url())).isEqualTo(DoctorCommand.PROBLEMS);
      assertThat(printed())
          .contains("PROBLEM privileges of user " + user, "GRANT CREATE ON DATABASE")
          .doesNotContain(SECRET);
    } finally {
      database.execute("DROP ROLE " + user);
    }
  }

  /** A user for DDL of its own is asked as well. */
  @Test
  void withAUserForDdl() {
    String user = database.name() + "_app";
    database.execute("CREATE ROLE " + user + " LOGIN PASSWORD '" + SECRET + "'");
    try {
      Map<String, String> login = login();
      Map<String, String> both =
          Map.of(
              "ORCHESTRATOR_USER",
              user,
              "ORCHESTRATOR_PASSWORD",
              SECRET,
              "ORCHESTRATOR_DDL_USER",
              login.get("ORCHESTRATOR_USER"),
              "ORCHESTRATOR_DDL_PASSWORD",
              login.get("ORCHESTRATOR_PASSWORD"));
      assertThat(run(both, database.url())).as(printed()).isEqualTo(DoctorCommand.HEALTHY);
      assertThat(printed()).contains("the connections for DDL", "as user " + user);
    } finally {
      database.execute("DROP ROLE " + user);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"user=nobody&password=", "user=nobody&sslpassword=x&password="})
  void aPasswordInTheUrlIsNotPrinted(String query) {
    String separator = database.url().contains("?") ? "&" : "?";
    String url =
        database.url().replaceFirst("/[^/?]*(\\?|$)", "/nowhere$1") + separator + query + SECRET;
    assertThat(run(Map.of(), url)).isEqualTo(DoctorCommand.PROBLEMS);
    assertThat(printed()).contains("PROBLEM").doesNotContain(SECRET);
  }

  @Test
  void badUsage() {
    for (List<String> arguments :
        List.of(
            List.<String>of(),
            List.of("jdbc:mysql://host/database?password=" + SECRET),
            List.of("jdbc:postgresql://host:x/a?password=" + SECRET),
            List.of("a", "b", "c"))) {
      assertThat(run(Map.of(), arguments.toArray(String[]::new))).isEqualTo(DoctorCommand.USAGE);
    }
    assertThat(run(Map.of("ORCHESTRATOR_ENVIRONMENT", "dev"), database.url()))
        .isEqualTo(DoctorCommand.USAGE);
    assertThat(printed())
        .contains("usage: java -cp", Doctor.class.getName(), "ORCHESTRATOR_PASSWORD")
        .doesNotContain(SECRET);
  }
}
