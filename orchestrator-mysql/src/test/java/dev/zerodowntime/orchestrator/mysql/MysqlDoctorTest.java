package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.Diagnosis;
import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.Finding.Severity;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.SessionGroup;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.spi.DoctorCommand;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What would go wrong is said before anything is installed. */
class MysqlDoctorTest {

  private static final AddColumn AGE =
      AddColumn.of("billing/age").table("users").column("age", "INT").build();

  /** A database, and a user who may connect to it and read one table. */
  private record Case(MysqlDatabase database, String user, MysqlDataSource login)
      implements AutoCloseable {

    static Case create(Flavor flavor) {
      MysqlServer server = MysqlServer.get(flavor);
      MysqlDatabase database = MysqlDatabase.create(server, "doctor");
      String user = "u_" + database.name().substring(2);
      database.execute(
          "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL)",
          "INSERT INTO users VALUES (1, 'Ann')",
          "CREATE USER '" + user + "'@'%' IDENTIFIED BY 'a secret'",
          "GRANT SELECT ON " + database.name() + ".users TO '" + user + "'@'%'");
      MysqlDataSource login = server.dataSource(database.name());
      login.setUser(user);
      login.setPassword("a secret");
      return new Case(database, user, login);
    }

    @Override
    public void close() {
      database.execute("DROP USER '" + user + "'@'%'");
      database.close();
    }
  }

  private static OrchestratorBuilder member(DataSource dataSource) {
    return Orchestrator.builder(dataSource)
        .application("billing")
        .release("1")
        .background(false)
        .timing(timing -> timing.soak(java.time.Duration.ZERO));
  }

  private static Diagnosis ask(OrchestratorBuilder builder) {
    try (Orchestrator orchestrator = builder.build()) {
      return orchestrator.doctor();
    }
  }

  private static Finding only(Diagnosis diagnosis, String subject) {
    List<Finding> found =
        diagnosis.findings().stream().filter(each -> each.subject().startsWith(subject)).toList();
    assertThat(found).as("%s", diagnosis).hasSize(1);
    return found.get(0);
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsWrongWithADatabaseOfOnesOwn(Flavor flavor) {
    try (Case it = Case.create(flavor)) {
      Diagnosis diagnosis =
          ask(member(it.database().dataSource()).thisBuild(AGE, AddColumn.Code.UNAWARE));
      assertThat(diagnosis.healthy()).as("%s", diagnosis).isTrue();
      for (String each :
          List.of("the application's connections", "driver", "migration billing/age")) {
        assertThat(only(diagnosis, each).severity()).as(each).isEqualTo(Severity.OK);
      }
      assertThat(only(diagnosis, "isolation level").severity()).isEqualTo(Severity.WARN);
      assertThat(only(diagnosis, "isolation level").found()).contains("REPEATABLE READ", "1412");
      assertThat(only(diagnosis, "free disk").found()).contains("`users`");
      assertThat(it.database().rows("SHOW TABLES")).hasSize(1);
    }
  }

  /** All that is printed together makes all of it fine, but what is for a person to decide. */
  @ParameterizedTest
  @EnumSource
  void everyGrantCuresWhatItIsNamedFor(Flavor flavor) {
    try (Case it = Case.create(flavor)) {
      OrchestratorBuilder builder = member(it.login()).thisBuild(AGE, AddColumn.Code.UNAWARE);
      Diagnosis first = ask(builder);
      assertThat(first.healthy()).isFalse();
      Set<String> grants = new TreeSet<>();
      first.findings().forEach(each -> grants.addAll(each.statements()));
      grants.removeIf(each -> !each.startsWith("GRANT "));
      assertThat(grants).hasSize(flavor == Flavor.MARIADB ? 2 : 3);
      for (String each : grants) {
        it.database().execute(each);
        assertThat(ask(builder).findings())
            .as(each)
            .noneMatch(finding -> finding.statements().contains(each));
      }
      Diagnosis last = ask(builder);
      assertThat(last.healthy()).as("%s", last).isTrue();
      try (Orchestrator member = builder.build()) {
        assertThat(member.advance().admitted()).isTrue();
      }
      it.database()
          .execute("REVOKE UPDATE ON " + it.database().name() + ".* FROM '" + it.user() + "'@'%'");
      builder.role(Role.MEMBER);
      Diagnosis revoked = ask(builder);
      List<String> again = only(revoked, "privileges").statements();
      assertThat(again).hasSize(1);
      it.database().execute(again.get(0));
      assertThat(ask(builder).healthy()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void optionsOfTheDriver(Flavor flavor) {
    try (Case it = Case.create(flavor)) {
      Diagnosis prepared = ask(member(it.database().source("useServerPrepStmts=true")));
      assertThat(only(prepared, "driver").severity()).isEqualTo(Severity.WARN);
      assertThat(only(prepared, "driver").remedy()).contains("useServerPrepStmts");
      Diagnosis cached = ask(member(it.database().source("cacheResultSetMetadata=true")));
      assertThat(cached.healthy()).isFalse();
      assertThat(cached.toString())
          .contains("PROBLEM the application's connections", "cacheResultSetMetadata");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aViewThatNamesAColumnOfAPendingMigration(Flavor flavor) {
    try (Case it = Case.create(flavor)) {
      it.database().execute("CREATE VIEW names AS SELECT name FROM users");
      DropColumn drop = DropColumn.of("billing/drop").table("users").column("name").build();
      Diagnosis diagnosis =
          ask(member(it.database().dataSource()).thisBuild(drop, DropColumn.Code.USES));
      assertThat(only(diagnosis, "migration billing/drop").severity()).isEqualTo(Severity.PROBLEM);
      assertThat(only(diagnosis, "migration billing/drop").found()).contains("names");
    }
  }

  /** Another database of the same server. */
  private static MysqlDataSource as(Case it, MysqlDatabase other) {
    other.execute("GRANT SELECT ON " + other.name() + ".* TO '" + it.user() + "'@'%'");
    MysqlDataSource source = it.database().server().dataSource(other.name());
    source.setUser(it.user());
    source.setPassword("a secret");
    return source;
  }

  /** Where the server keeps what clients call themselves, they can be told apart by it. */
  @ParameterizedTest
  @EnumSource
  void sessionsOfNoMember(Flavor flavor) throws Exception {
    try (Case it = Case.create(flavor);
        MysqlDatabase other = MysqlDatabase.create(it.database().server(), "other");
        Connection elsewhere = as(it, other).getConnection();
        Connection legacy =
            it.database().source("connectionAttributes=program_name:legacy").getConnection();
        Orchestrator member = member(it.database().dataSource()).build()) {
      assertThat(legacy.isValid(5) && elsewhere.isValid(5)).isTrue();
      member.advance();
      boolean told = it.database().rows("SELECT @@performance_schema").get(0).get(0).equals("1");
      Diagnosis diagnosis = member.doctor();
      String said =
          diagnosis.findings().stream()
              .filter(each -> each.subject().equals("sessions of no member"))
              .map(Finding::toString)
              .reduce("", String::concat);
      if (told) {
        assertThat(diagnosis.strangers())
            .extracting(SessionGroup::application)
            .containsExactly("legacy");
        assertThat(member.status().strangers()).isEqualTo(diagnosis.strangers());
      } else {
        assertThat(diagnosis.strangers()).isEmpty();
        assertThat(said).contains("UNKNOWN", "of user ");
      }
      assertThat(said).doesNotContain(it.user());
    }
  }

  @ParameterizedTest
  @EnumSource
  void theCommandPrintsNoPassword(Flavor flavor) {
    try (Case it = Case.create(flavor)) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
      String url = it.login().getUrl();
      assertThat(
              Doctor.command()
                  .run(
                      new String[] {url},
                      Map.of("ORCHESTRATOR_USER", it.user(), "ORCHESTRATOR_PASSWORD", "a secret"),
                      print,
                      print))
          .isEqualTo(DoctorCommand.PROBLEMS);
      String wrong =
          "jdbc:mysql://" + it.user() + ":Sesame-4711@127.0.0.1:1/x?password=Sesame-0815";
      for (String each :
          List.of(wrong, wrong + "&(nonsense", "jdbc:mysql://h:x/y?password=Sesame-4711")) {
        assertThat(Doctor.command().run(new String[] {each}, Map.of(), print, print)).isPositive();
      }
      assertThat(out.toString(StandardCharsets.UTF_8))
          .contains("GRANT SELECT, ")
          .doesNotContain("a secret", "Sesame");
    }
  }
}
