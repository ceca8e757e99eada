package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.BackfillWindow;
import dev.zerodowntime.orchestrator.BuildLimits;
import dev.zerodowntime.orchestrator.LoadSignal;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Index builds that are too much for the server, at the beginning or while they run. */
@PostgresTest
@Timeout(120)
class BuildWatchTest {

  private static final String ID = "billing/by-zip";

  private final AtomicReference<Double> load = new AtomicReference<>(0.0);
  private final LoadSignal disk = new LoadSignal("disk used", "%", 85, load::get);
  private TestDatabase database;

  /** A transaction that has written to the table: a build waits for it. */
  private Connection writer;

  @BeforeEach
  void create() throws Exception {
    database = TestDatabase.create("watch");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, zip text)",
        "INSERT INTO users VALUES (1, 'z')");
    Members.install(database.dataSource());
    writer = database.newDataSource().getConnection();
    writer.setAutoCommit(false);
    try (Statement s = writer.createStatement()) {
      s.execute("UPDATE users SET zip = 'y'");
    }
  }

  @AfterEach
  void drop() throws Exception {
    writer.close();
    database.close();
  }

  private Orchestrator declared(UnaryOperator<CreateIndex.Builder> change) {
    CreateIndex index =
        change.apply(CreateIndex.of(ID).table("users").name("users_by_zip").columns("zip")).build();
    Orchestrator member =
        Members.member(database.dataSource(), "1")
            .role(Role.MEMBER)
            .timing(Members::patient)
            .thisBuild(index, CreateIndex.Code.UNAWARE)
            .build();
    assertThat(member.advance().admitted()).isTrue();
    return member;
  }

  private Orchestrator driver() {
    Orchestrator driver =
        Members.driver(database.dataSource())
            .timing(Members::patient)
            .loadSignal(disk)
            .background(true)
            .build();
    driver.advance();
    return driver;
  }

  private long indexes(String condition) {
    return database.queryLong(
        "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('users_by_zip') AND "
            + condition);
  }

  private void building() throws InterruptedException {
    Eventually.until("the build waits for the writer", () -> indexes("NOT indisvalid") == 1);
  }

  private static MigrationReport report(Orchestrator any) {
    return any.status().migrations().get(0);
  }

  private static String waits(Orchestrator any, Wait.Kind kind) {
    return report(any).waits().stream()
        .filter(each -> each.kind() == kind)
        .map(Wait::what)
        .reduce("", (a, b) -> a + b + "\n");
  }

  private void cancelled(String because) throws InterruptedException {
    Eventually.until(
        "it is cancelled",
        () ->
            database.queryLong(
                    "SELECT count(*) FROM orchestrator.event WHERE kind = 'CANCEL' AND outcome ="
                        + " 'CANCELLED' AND statement LIKE 'CREATE INDEX CONCURRENTLY%'")
                > 0);
    assertThat(
            database.<String>queryOne(
                "SELECT detail FROM orchestrator.event WHERE kind = 'CANCEL' ORDER BY id LIMIT 1"))
        .contains(because, "it had come to: ");
  }

  private void done(Orchestrator any) throws Exception {
    writer.commit();
    Eventually.until("it is done", () -> report(any).phase().equals("DONE"));
    assertThat(indexes("indisvalid")).isEqualTo(1);
  }

  /** Nothing useless is left, and it stays away until its time has come. */
  @Test
  void aLoadSignalCancelsABuildThatIsTriedAgainMuchLater() throws Exception {
    try (Orchestrator member = declared(b -> b.builds(l -> l.retryAfter(Duration.ofDays(1))));
        Orchestrator driver = driver()) {
      building();
      load.set(90.5);
      cancelled("load signal disk used is 90.5 %, limit 85 %");
      writer.commit();
      Eventually.until("what it left is gone", () -> indexes("true") == 0);
      Eventually.until(
          "others are told", () -> waits(member, Wait.Kind.LOAD).contains("cancelled: load"));
      assertThat(waits(member, Wait.Kind.LOAD)).contains("tried again after");
      load.set(0.0);
      // A driver that comes after it doesn't know when it was: the load decides.
      assertThat(report(driver).phase()).isEqualTo("NOT_STARTED");
    }
    try (Orchestrator driver = driver()) {
      done(driver);
    }
  }

  @Test
  void itGoesOnWhenTheLoadIsGone() throws Exception {
    try (Orchestrator member = declared(b -> b.builds(l -> l.retryAfter(Duration.ZERO)));
        Orchestrator driver = driver()) {
      building();
      load.set(90.0);
      cancelled("disk used");
      writer.commit();
      Eventually.until(
          "it does not begin anew",
          () -> waits(driver, Wait.Kind.LOAD).startsWith("load signal disk used is 90"));
      assertThat(indexes("true")).isZero();
      load.set(0.0);
      done(member);
    }
  }

  /** Somebody's own DDL on the table, and whoever queues behind it. */
  @Test
  void sessionsThatWaitForItCancelIt() throws Exception {
    CountDownLatch had = new CountDownLatch(1);
    try (Orchestrator member =
            declared(b -> b.builds(l -> l.maxWaiting(0).retryAfter(Duration.ofDays(1))));
        Orchestrator driver = driver();
        Connection other = database.newDataSource().getConnection()) {
      building();
      other.setAutoCommit(false);
      Thread waiter =
          new Thread(
              () -> {
                try (Statement s = other.createStatement()) {
                  // Conflicts with the build alone, not with the writer it waits for.
                  s.execute("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE");
                  had.countDown();
                } catch (java.sql.SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      waiter.start();
      cancelled("1 sessions wait for it, limit 0");
      had.await();
      waiter.join();
      other.rollback();
      assertThat(report(member).phase()).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void aBuildThatTakesTooLongIsCancelled() throws Exception {
    try (Orchestrator member =
            declared(
                b ->
                    b.builds(
                        l -> l.maxTime(Duration.ofMillis(1)).retryAfter(Duration.ofMillis(10))));
        Orchestrator driver = driver()) {
      cancelled("it takes longer than 1 ms");
      driver.pause(ID);
      writer.commit();
      Eventually.until("what it left is gone", () -> indexes("true") == 0);
      assertThat(report(member).phase()).isEqualTo("NOT_STARTED");
    }
  }

  @Test
  void nothingBeginsOutsideTheWindow() throws Exception {
    BackfillWindow tomorrow = closedNow();
    try (Orchestrator member = declared(b -> b.pace(p -> p.window(tomorrow)));
        Orchestrator driver = driver()) {
      Eventually.until(
          "it waits", () -> waits(driver, Wait.Kind.LOAD).startsWith("outside its window"));
      assertThat(indexes("true")).isZero();
      assertThat(waits(member, Wait.Kind.LOAD)).startsWith("outside its window");
    }
  }

  private static BackfillWindow closedNow() {
    java.time.DayOfWeek later =
        java.time.ZonedDateTime.now(java.time.ZoneOffset.UTC).getDayOfWeek().plus(3);
    return BackfillWindow.parse(later.name().substring(0, 3) + " 01:00-02:00 UTC");
  }

  /** A meter that broke keeps builds from beginning, and throws nobody's work away. */
  @Test
  void aSignalThatCannotBeReadCancelsNothing() throws Exception {
    try (Orchestrator member = declared(b -> b);
        Orchestrator driver = driver()) {
      building();
      load.set(Double.NaN);
      Eventually.until(
          "others read how far it has come",
          () -> waits(member, Wait.Kind.RUNNING).contains("waiting for session"));
      done(driver);
    }
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.event WHERE kind = 'CANCEL'"))
        .isZero();
  }

  @Test
  void limitsAreChecked() {
    assertThat(BuildLimits.DEFAULT.maxLag()).isEqualTo(Duration.ofMinutes(1));
    for (UnaryOperator<BuildLimits> bad :
        java.util.List.<UnaryOperator<BuildLimits>>of(
            l -> l.maxLag(Duration.ofMillis(-1)),
            l -> l.maxWaiting(-1),
            l -> l.maxTime(Duration.ZERO),
            l -> l.retryAfter(Duration.ofMillis(-1)))) {
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> bad.apply(BuildLimits.DEFAULT))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
