package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.zerodowntime.orchestrator.Diagnosis;
import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.Finding.Severity;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.SessionGroup;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.LoggerFactory;

/** Who is on the database and belongs to no member: before adopted(...), one wants to see that. */
@PostgresTest
@Timeout(120)
class StrangersTest {

  private TestDatabase database;
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  @BeforeEach
  void create() {
    database = TestDatabase.create("strangers");
    database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)");
    log.start();
    root.addAppender(log);
  }

  @AfterEach
  void drop() {
    root.detachAppender(log);
    database.close();
  }

  private PGSimpleDataSource named(String application) {
    return named(database, application);
  }

  private static PGSimpleDataSource named(TestDatabase database, String application) {
    PGSimpleDataSource source = database.newDataSource();
    source.setApplicationName(application);
    return source;
  }

  /** Without those of the test itself, which the server may still be about to end. */
  private static List<SessionGroup> strangers(List<SessionGroup> all) {
    return all.stream().filter(each -> !each.application().contains("JDBC")).toList();
  }

  private static List<String> names(Diagnosis diagnosis) {
    return strangers(diagnosis.strangers()).stream().map(SessionGroup::application).toList();
  }

  @Test
  void onlyWhoLooksLikeNoMemberIsListed() throws Exception {
    try (Orchestrator member =
            Members.member(named("billing 2"), "2").timing(Members::patient).build();
        Orchestrator doctor =
            Members.driver(named("doctor")).ddlDataSource(named("doctor's own for DDL")).build();
        Connection forDdl = named("doctor's own for DDL").getConnection();
        TestDatabase other = TestDatabase.create("elsewhere");
        Connection elsewhere = named(other, "elsewhere").getConnection();
        Connection legacy = named("legacy").getConnection();
        Connection again = named("legacy").getConnection();
        Connection heartbeats = named("billing 2").getConnection()) {
      assertThat(List.of(elsewhere, forDdl, legacy, again, heartbeats))
          .allMatch(StrangersTest::open);

      // Nobody is a member yet: all are strangers but who asks.
      assertThat(names(doctor.doctor())).containsExactlyInAnyOrder("legacy", "billing 2");

      assertThat(member.advance().admitted()).isTrue();
      // A pool keeps the session of its heartbeats; this source has one for each call.
      noteAsSessionOfTheMember(heartbeats);
      try (Connection pooled = named("billing 2").getConnection()) {
        assertThat(pooled.isValid(5)).isTrue();
        Diagnosis diagnosis = doctor.doctor();

        assertThat(names(diagnosis)).containsExactly("legacy");
        SessionGroup legacies = strangers(diagnosis.strangers()).get(0);
        assertThat(legacies.count()).isEqualTo(2);
        assertThat(legacies.user()).isEqualTo(database.user());
        assertThat(legacies.address()).isNotEmpty();
        assertThat(legacies.since()).isEqualTo(began(legacy));
        assertThat(said(diagnosis, Severity.WARN)).contains("2 sessions", "\"legacy\"", "since");
        // An older build of the same name on the same host would look the same: it is said.
        assertThat(said(diagnosis, Severity.UNKNOWN)).contains("\"billing 2\"");

        assertThat(strangers(doctor.status().strangers()))
            .isEqualTo(strangers(diagnosis.strangers()));
        assertThat(doctor.status().toString()).contains("of no member: 2 sessions");
        doctor.adopted("billing");
        assertThat(log.list)
            .extracting(ILoggingEvent::getFormattedMessage)
            .anyMatch(each -> each.contains("belong to no member") && each.contains("legacy"));
        // Nobody waits for them any more.
        assertThat(doctor.status().strangers()).isEmpty();
        assertThat(names(doctor.doctor())).containsExactly("legacy");
        assertThat(said(doctor.doctor(), Severity.OK)).contains("\"legacy\"");
      }
    }
  }

  private void noteAsSessionOfTheMember(Connection connection) throws Exception {
    try (var statement = connection.createStatement()) {
      statement.execute(
          "UPDATE orchestrator.member SET session = pg_backend_pid() || '@' || (SELECT (extract(epoch"
              + " FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE pid ="
              + " pg_backend_pid())");
    }
  }

  private static java.time.Instant began(Connection connection) throws Exception {
    try (var statement = connection.createStatement();
        var row =
            statement.executeQuery(
                "SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")) {
      row.next();
      return row.getTimestamp(1).toInstant();
    }
  }

  private static boolean open(Connection connection) {
    try {
      return connection.isValid(5);
    } catch (java.sql.SQLException e) {
      return false;
    }
  }

  private static String said(Diagnosis diagnosis, Severity severity) {
    return diagnosis.of(severity).stream()
        .filter(each -> each.subject().equals("sessions of no member"))
        .map(Finding::toString)
        .reduce("", String::concat);
  }

  private static List<Finding> hidden(Diagnosis diagnosis) {
    return diagnosis.of(Severity.UNKNOWN).stream()
        .filter(each -> each.subject().equals("sessions of no member"))
        .filter(each -> !each.statements().isEmpty())
        .toList();
  }

  /** Behind a pooler in transaction mode, a member has no session of its own. */
  @Test
  void membersBehindAPooler() throws Exception {
    try (Orchestrator member =
        Members.member(named("billing 2"), "2").timing(Members::patient).build()) {
      member.advance();
      database.execute("UPDATE orchestrator.member SET session = NULL");
      assertThat(said(member.doctor(), Severity.UNKNOWN)).contains("1 member is", "pooler");
    }
  }

  @Test
  void whatAUserMayNotSeeIsSaidWithTheGrant() throws Exception {
    String user = database.name() + "_blind";
    database.execute("CREATE ROLE " + user + " LOGIN PASSWORD 'secret'");
    PGSimpleDataSource blind = named("doctor");
    blind.setUser(user);
    blind.setPassword("secret");
    try (Connection legacy = named("legacy").getConnection();
        Orchestrator doctor = Members.driver(blind).role(Role.MEMBER).build()) {
      assertThat(open(legacy)).isTrue();
      Diagnosis before = doctor.doctor();
      assertThat(names(before)).containsExactly("legacy");
      assertThat(strangers(before.strangers()).get(0).address()).isNull();
      assertThat(strangers(before.strangers()).get(0).since()).isNull();
      List<Finding> hidden = hidden(before);
      assertThat(hidden).hasSize(1);
      assertThat(hidden.get(0).statements()).hasSize(1);

      hidden.get(0).statements().forEach(database::execute);

      Diagnosis after = doctor.doctor();
      assertThat(hidden(after)).isEmpty();
      assertThat(strangers(after.strangers()).get(0).since()).isEqualTo(began(legacy));
    } finally {
      database.execute("DROP OWNED BY " + user, "DROP ROLE " + user);
    }
  }
}
