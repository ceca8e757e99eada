package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Diagnosis;
import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.Finding.Severity;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** What would go wrong is said before anything is installed. */
@PostgresTest
@Timeout(120)
class DoctorTest {

  private TestDatabase database;
  private String owner;
  private String user;

  @BeforeEach
  void create() {
    database = TestDatabase.create("doctor");
    owner = database.name() + " Owner";
    user = database.name() + "_user";
    database.execute(Representative.tables());
    database.execute(
        "REVOKE ALL ON DATABASE " + database.name() + " FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE ROLE \"" + owner + "\" NOLOGIN",
        "CREATE ROLE " + user + " LOGIN PASSWORD 'a secret'",
        "GRANT CONNECT ON DATABASE " + database.name() + " TO " + user,
        "GRANT USAGE ON SCHEMA public TO " + user,
        "ALTER TABLE users OWNER TO \"" + owner + "\"");
  }

  @AfterEach
  void drop() {
    database.execute(
        "DROP SCHEMA IF EXISTS orchestrator CASCADE", "DROP TABLE users, people CASCADE");
    for (String role : List.of(user, "\"" + owner + "\"")) {
      database.execute("DROP OWNED BY " + role + " CASCADE", "DROP ROLE " + role);
    }
    database.close();
  }

  private PGSimpleDataSource login() {
    PGSimpleDataSource source = database.newDataSource();
    source.setUser(user);
    source.setPassword("a secret");
    return source;
  }

  private static Diagnosis ask(OrchestratorBuilder builder) {
    try (Orchestrator orchestrator = builder.build()) {
      return orchestrator.doctor();
    }
  }

  private static Diagnosis ask(PGSimpleDataSource source) {
    return ask(Members.member(source, "1"));
  }

  private static Finding only(Diagnosis diagnosis, String subject) {
    List<Finding> found =
        diagnosis.findings().stream().filter(each -> each.subject().startsWith(subject)).toList();
    assertThat(found).as("%s", diagnosis).hasSize(1);
    return found.get(0);
  }

  private static Set<String> statements(Diagnosis diagnosis, Severity severity) {
    Set<String> statements = new TreeSet<>();
    diagnosis.of(severity).forEach(each -> statements.addAll(each.statements()));
    return statements;
  }

  @Test
  void nothingIsWrongWithADatabaseOfOnesOwn() {
    List<List<Object>> before = Untouched.of(database);
    PGSimpleDataSource source = database.newDataSource();
    source.setPrepareThreshold(0);

    Diagnosis diagnosis =
        ask(
            Members.member(source, "1")
                .thisBuild(Representative.ADD, AddColumn.Code.UNAWARE)
                .thisBuild(Representative.RENAME, RenameColumn.Code.USES_OLD_NAME));

    assertThat(diagnosis.healthy()).as("%s", diagnosis).isTrue();
    assertThat(diagnosis.toString()).startsWith("0 problem, ");
    for (String each :
        List.of(
            "the application's connections",
            "poolers",
            "driver",
            "isolation level",
            "replicas",
            "control tables",
            "publications",
            "event triggers",
            "migration billing/1-add",
            "migration billing/2-rename",
            "privileges")) {
      assertThat(only(diagnosis, each).severity()).as(each).isEqualTo(Severity.OK);
    }
    // No server tells that.
    assertThat(only(diagnosis, "free disk").severity()).isEqualTo(Severity.UNKNOWN);
    assertThat(only(diagnosis, "free disk").found()).contains("\"public\".\"people\"");
    assertThat(Untouched.of(database)).isEqualTo(before);
    assertThat(
            database.queryLong("SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'"))
        .isZero();
  }

  /** One after the other: each cures what it was named for, and together they suffice. */
  @Test
  void everyGrantCuresWhatItIsNamedFor() {
    OrchestratorBuilder builder =
        Members.member(login(), "1").thisBuild(Representative.ADD, AddColumn.Code.UNAWARE);
    List<List<Object>> before = Untouched.of(database);
    Diagnosis first = ask(builder);
    assertThat(Untouched.of(database)).isEqualTo(before);
    Set<String> missing = statements(first, Severity.PROBLEM);
    assertThat(missing)
        .containsExactlyInAnyOrder(
            "GRANT CREATE ON DATABASE \"" + database.name() + "\" TO \"" + user + "\"",
            "GRANT TEMPORARY ON DATABASE \"" + database.name() + "\" TO \"" + user + "\"",
            "GRANT CREATE ON SCHEMA \"public\" TO \"" + user + "\"",
            "GRANT \"" + owner + "\" TO \"" + user + "\"");
    assertThat(first.healthy()).isFalse();
    List<String> left = new ArrayList<>(missing);
    for (String each : missing) {
      database.execute(each);
      left.remove(each);
      assertThat(statements(ask(builder), Severity.PROBLEM))
          .containsExactlyInAnyOrderElementsOf(left);
    }
    Diagnosis last = ask(builder);
    assertThat(last.healthy()).as("%s", last).isTrue();
    try (Orchestrator member = builder.build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
  }

  /** Before anything is declared, it is said which tables migrations could not change. */
  @Test
  void withoutAMigrationAllTablesAreLookedAt() {
    Diagnosis diagnosis = ask(login());
    Set<String> grants = statements(diagnosis, Severity.WARN);
    assertThat(grants)
        .contains(
            "GRANT \"" + owner + "\" TO \"" + user + "\"",
            "GRANT CREATE ON SCHEMA \"public\" TO \"" + user + "\"");
    assertThat(diagnosis.toString()).contains("1 table of schema \"public\"", "such as \"users\"");
    grants.forEach(database::execute);
    assertThat(statements(ask(login()), Severity.WARN)).isEmpty();
  }

  /** With what docs/production.md lists, and nothing else. */
  @Test
  void theDocumentedGrantsSuffice() throws Exception {
    database.execute(
        "ALTER TABLE people OWNER TO \"" + owner + "\"", "GRANT SELECT ON users TO " + user);
    List<String> documented =
        Files.readAllLines(Path.of("../docs/production.md")).stream()
            .filter(each -> each.startsWith("GRANT "))
            .map(each -> each.replaceAll(";.*", ""))
            .toList();
    assertThat(documented).hasSizeGreaterThan(4);
    String ddl = database.name() + "_ddl";
    database.execute("CREATE ROLE " + ddl + " LOGIN PASSWORD 'a secret'");
    try {
      for (String each : documented) {
        database.execute(
            each.replace("billing_owner", "\"" + owner + "\"")
                .replace("billing_ddl", ddl)
                .replace("billing_app", user)
                .replace("DATABASE billing", "DATABASE " + database.name()));
      }
      PGSimpleDataSource forDdl = login();
      forDdl.setUser(ddl);
      OrchestratorBuilder builder =
          Members.member(login(), "1")
              .ddlDataSource(forDdl)
              .thisBuild(Representative.ADD, AddColumn.Code.UNAWARE)
              .thisBuild(Representative.RENAME, RenameColumn.Code.USES_OLD_NAME);
      Diagnosis diagnosis = ask(builder);
      assertThat(diagnosis.healthy()).as("%s", diagnosis).isTrue();
      for (Severity each : Severity.values()) {
        assertThat(statements(diagnosis, each)).as("%s", diagnosis).isEmpty();
      }
      try (Orchestrator member = builder.build()) {
        assertThat(member.advance().admitted()).isTrue();
        assertThat(ask(builder).healthy()).as("%s", member.doctor()).isTrue();
      }
    } finally {
      database.execute(
          "DROP SCHEMA IF EXISTS orchestrator CASCADE",
          "DROP OWNED BY " + ddl + " CASCADE",
          "DROP ROLE " + ddl);
    }
  }

  @Test
  void aMemberWithoutRightsOnTheControlTables() {
    Members.install(database.dataSource());
    OrchestratorBuilder builder = Members.member(login(), "1").role(Role.MEMBER);
    Diagnosis diagnosis = ask(builder);
    assertThat(only(diagnosis, "control tables").severity()).isEqualTo(Severity.PROBLEM);
    assertThat(only(diagnosis, "privileges of user " + user).statements()).hasSize(3);

    statements(diagnosis, Severity.PROBLEM).forEach(database::execute);

    assertThat(ask(builder).healthy()).isTrue();
    try (Orchestrator member = builder.build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
  }

  /** Two data sources: each user is told what it needs itself. */
  @Test
  void theApplicationsUserNeedsNoRightsOfDdl() {
    Diagnosis diagnosis =
        ask(
            Members.member(login(), "1")
                .ddlDataSource(database.newDataSource())
                .thisBuild(Representative.ADD, AddColumn.Code.UNAWARE));

    assertThat(diagnosis.healthy()).as("%s", diagnosis).isTrue();
    assertThat(only(diagnosis, "privileges of user " + user).found()).contains("a member needs");
    assertThat(only(diagnosis, "the connections for DDL").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void aDriverThatKeepsPreparedStatements() {
    PGSimpleDataSource source = database.newDataSource();
    Finding finding = only(ask(source), "driver");
    assertThat(finding.severity()).isEqualTo(Severity.WARN);
    assertThat(finding.found()).contains("prepareThreshold=5", "autosave=never");
    assertThat(finding.remedy()).contains("autosave=conservative");
    source.setAutosave(org.postgresql.jdbc.AutoSave.CONSERVATIVE);
    assertThat(only(ask(source), "driver").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void repeatableReadByDefault() {
    database.execute(
        "ALTER DATABASE "
            + database.name()
            + " SET default_transaction_isolation = 'repeatable read'");
    Finding finding = only(ask(database.newDataSource()), "isolation level");
    assertThat(finding.severity()).isEqualTo(Severity.WARN);
    assertThat(finding.found()).contains("repeatable read", "40001");
  }

  /** By name, and one migration's refusal doesn't hide what is to be said of the next. */
  @Test
  void viewsAndTriggersThatNameAColumnOfAPendingMigration() {
    database.execute(
        "CREATE VIEW names AS SELECT name FROM people",
        "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER on_zip AFTER UPDATE OF zip ON users FOR EACH ROW EXECUTE FUNCTION audit()");
    RenameColumn zip =
        RenameColumn.of("billing/zip").table("users").from("zip").to("postcode").build();
    Diagnosis diagnosis =
        ask(
            Members.member(database.newDataSource(), "1")
                .thisBuild(Representative.RENAME, RenameColumn.Code.USES_OLD_NAME)
                .thisBuild(zip, RenameColumn.Code.USES_OLD_NAME));

    Finding view = only(diagnosis, "migration billing/2-rename");
    assertThat(view.severity()).isEqualTo(Severity.PROBLEM);
    assertThat(view.found()).contains("names");
    assertThat(view.remedy()).isNotEmpty();
    Finding trigger = only(diagnosis, "migration billing/zip");
    assertThat(trigger.severity()).isEqualTo(Severity.PROBLEM);
    assertThat(trigger.found()).contains("on_zip");
  }

  @Test
  void publicationsAndEventTriggers() {
    database.execute(
        "CREATE PUBLICATION all_of_it FOR ALL TABLES",
        "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION noted()");
    Diagnosis diagnosis =
        ask(
            Members.member(database.newDataSource(), "1")
                .thisBuild(Representative.RENAME, RenameColumn.Code.USES_OLD_NAME));

    assertThat(only(diagnosis, "publications").found()).contains("all_of_it (all tables)");
    assertThat(only(diagnosis, "event triggers").found()).contains("note on ddl_command_end");
    List<Finding> consents =
        diagnosis.findings().stream()
            .filter(each -> each.subject().equals("migration billing/2-rename"))
            .toList();
    assertThat(consents).isNotEmpty().allMatch(each -> each.severity() == Severity.WARN);
    assertThat(consents.get(0).remedy()).contains("approve(\"billing/2-rename\", \"EXPAND\")");
  }

  @Test
  void readersThatAreNone() {
    PGSimpleDataSource nowhere = database.newDataSource();
    nowhere.setDatabaseName("nowhere_" + database.name());
    Diagnosis diagnosis =
        ask(
            Members.member(database.newDataSource(), "1")
                .reader("primary", database.newDataSource())
                .reader("gone", nowhere));

    assertThat(only(diagnosis, "reader primary").severity()).isEqualTo(Severity.WARN);
    assertThat(only(diagnosis, "reader gone").severity()).isEqualTo(Severity.PROBLEM);
  }

  /** Whatever the database says, it is a finding. */
  @Test
  void nobodyIsLetIn() {
    PGSimpleDataSource source = login();
    source.setDatabaseName("nowhere_" + database.name());
    Diagnosis diagnosis = ask(source);
    assertThat(only(diagnosis, "database").found()).contains("no such database");
    assertThat(diagnosis.healthy()).isFalse();
    assertThat(diagnosis.toString()).contains("Check the database's name");
  }

  @Test
  void whatIsPausedOrAnothersIsSaid() {
    Members.install(database.dataSource());
    database.execute(
        "UPDATE orchestrator.control SET paused = true, paused_reason = 'lunch', identity = 'elsewhere'");
    Diagnosis diagnosis = ask(database.newDataSource());
    assertThat(diagnosis.findings())
        .filteredOn(each -> each.subject().equals("control tables"))
        .extracting(Finding::severity)
        .containsExactly(Severity.PROBLEM, Severity.WARN, Severity.OK);
    assertThat(diagnosis.toString()).contains("elsewhere", "moved()", "lunch");
  }

  /** Rows that nobody can read are a finding, and so is a function that may not be called. */
  @Test
  void whatCantBeReadIsNoFailure() {
    Members.install(database.dataSource());
    database.execute(
        "INSERT INTO orchestrator.pinned_member (application, label, stages) VALUES ('a', 'b', 'not"
            + " JSON')");
    Diagnosis broken = ask(database.newDataSource());
    assertThat(only(broken, "sessions of no member").severity()).isEqualTo(Severity.PROBLEM);
    database.execute(
        "DELETE FROM orchestrator.pinned_member WHERE application = 'a'",
        "REVOKE EXECUTE ON FUNCTION pg_current_wal_insert_lsn() FROM PUBLIC");
    Diagnosis blind = ask(login());
    assertThat(only(blind, "replicas").severity()).isEqualTo(Severity.UNKNOWN);
    assertThat(only(blind, "replicas").found()).contains("pg_current_wal_insert_lsn");
  }
}
