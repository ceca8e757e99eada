package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.MigrationStatus;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Wait;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The plans of docs/phase-plans.md, taken from the page as they stand there: through all phases and
 * back, while code of both sides writes.
 */
@PostgresTest
@Timeout(180)
@Tag("long")
class PhasePlanDocsTest {

  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @TempDir private Path folder;
  private TestDatabase database;

  /** The page's code stages, oldest first. */
  private List<?> codes = List.of();

  /** Any author's enum. */
  private enum Any implements CodeStage {}

  @BeforeEach
  void createDatabase() {
    database = TestDatabase.create("plans");
  }

  @AfterEach
  void dropDatabase() {
    database.close();
  }

  @SuppressWarnings("unchecked")
  private PhasePlan<Any> plan(String name) throws Exception {
    Matcher block = BLOCK.matcher(Files.readString(Path.of("..", "docs", "phase-plans.md")));
    while (block.find()) {
      if (block.group(1).contains("class " + name + " ")) {
        Path source = folder.resolve(name + ".java");
        Files.writeString(source, block.group(1));
        int status =
            ToolProvider.getSystemJavaCompiler()
                .run(
                    null,
                    null,
                    null,
                    "-proc:none",
                    "-d",
                    folder.toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    source.toString());
        assertThat(status).isZero();
        URL[] urls = {folder.toUri().toURL()};
        URLClassLoader loader =
            new URLClassLoader(urls, Thread.currentThread().getContextClassLoader());
        codes = List.of(loader.loadClass(name + "$Code").getEnumConstants());
        Field plan = loader.loadClass(name).getDeclaredField("PLAN");
        plan.setAccessible(true);
        return (PhasePlan<Any>) plan.get(null);
      }
    }
    throw new AssertionError("the page has no class " + name);
  }

  private Orchestrator joined(String release, PhasePlan<Any> plan, int stage) throws Exception {
    OrchestratorBuilder builder =
        Members.member(database.dataSource(), release).timing(Members::patient);
    // The enum is the page's own: nothing here was compiled against it.
    Object code = codes.get(stage);
    Object array = Array.newInstance(code.getClass(), 1);
    Array.set(array, 0, code);
    OrchestratorBuilder.class
        .getMethod("thisBuild", Migration.class, Enum[].class)
        .invoke(builder, plan, array);
    return FleetFixture.joined(builder);
  }

  private Orchestrator job() {
    return Members.driver(database.dataSource()).timing(Members::patient).build();
  }

  private static MigrationReport report(Orchestrator job) {
    return job.status().migrations().get(0);
  }

  private static void driveTo(Orchestrator job, String phase) throws Exception {
    Eventually.until(
        phase + " is reached",
        () -> {
          job.drive();
          MigrationReport now = report(job);
          assertThat(now.status()).as(now.toString()).isNotEqualTo(MigrationStatus.FAILED);
          return now.phase().equals(phase);
        });
    // It goes no further by itself.
    job.drive();
    assertThat(report(job).phase()).isEqualTo(phase);
  }

  /** Code that writes without end, and fails the test when one of its statements fails. */
  private final class Code implements AutoCloseable {
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicInteger written = new AtomicInteger();
    private final CompletableFuture<Void> done;

    Code(IntFunction<List<String>> statements) {
      done =
          CompletableFuture.runAsync(
              () -> {
                for (int i = 1; !stopped.get(); i++) {
                  database.execute(statements.apply(i).toArray(String[]::new));
                  written.set(i);
                }
              },
              Threads.ONE_EACH);
    }

    /** Whatever comes next comes after some more writes. */
    void writes() throws Exception {
      int before = written.get();
      Eventually.until("it writes", () -> done.isDone() || written.get() > before + 5);
    }

    @Override
    public void close() throws Exception {
      writes();
      stopped.set(true);
      done.get();
    }
  }

  private String shape() {
    return database
            .rows(
                "SELECT attname, atttypid::regtype::text, attnotnull FROM pg_attribute WHERE"
                    + " attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY"
                    + " attnum")
            .toString()
        + database.rows(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'users'::regclass ORDER BY 1")
        + database.rows(
            "SELECT conname FROM pg_constraint WHERE 'users'::regclass IN (conrelid, confrelid) ORDER BY 1")
        + database.rows(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1")
        + database.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1");
  }

  private void inSync() {
    assertThat(
            database.rows(
                "SELECT u.id, u.street, u.city, a.street, a.city FROM users u FULL JOIN addresses a"
                    + " ON a.user_id = u.id WHERE (u.street, u.city) IS DISTINCT FROM (a.street,"
                    + " a.city) LIMIT 5"))
        .isEmpty();
  }

  @Test
  void aTableIsSplit() throws Exception {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text, street text, city text)",
        "INSERT INTO users SELECT i, 'n' || i, CASE WHEN i % 5 > 0 THEN 'street ' || i END, CASE"
            + " WHEN i % 7 > 0 THEN 'city' END FROM generate_series(1, 4000) i");
    Members.install(database.dataSource());
    PhasePlan<Any> plan = plan("SplitAddress");
    String before = shape();
    Orchestrator two = joined("2", plan, 0);
    try (Orchestrator job = job()) {
      // Of rows with an even number; the new code's are odd.
      Code old =
          new Code(
              i ->
                  List.of(
                      "INSERT INTO users VALUES (" + (10_000 + 2 * i) + ", 'n', 's', 'c')",
                      "UPDATE users SET street = 'moved " + i + "' WHERE id = 2 * " + i % 2000,
                      "UPDATE users SET street = NULL, city = NULL WHERE id = 2 * " + i % 611,
                      "DELETE FROM users WHERE id = 2 * " + (i % 11 == 0 ? i : 0)));
      try (old) {
        old.writes();
        driveTo(job, "VERIFY");
        old.writes();
        inSync();
        Orchestrator three = joined("3", plan, 1);
        Code fresh =
            new Code(
                i ->
                    List.of(
                        "INSERT INTO users (id, name) VALUES (" + (10_001 + 2 * i) + ", 'n')",
                        "INSERT INTO addresses VALUES (" + (10_001 + 2 * i) + ", 'new', 'c')",
                        "UPDATE addresses SET city = 'new "
                            + i
                            + "' WHERE user_id = 2 * "
                            + i % 2000
                            + " + 1",
                        "DELETE FROM addresses WHERE user_id = 2 * " + i % 611 + " + 1"));
        try (fresh) {
          fresh.writes();
          old.writes();
          inSync();
          old.close();
          two.close();
          driveTo(job, "CONTRACT");
          assertThat(FleetFixture.waits(report(job), Wait.Kind.APPROVAL))
              .contains("CLOSE", "not in users any more");
          fresh.writes();
          inSync();
          job.rollback(plan.id(), "VERIFY");
          driveTo(job, "VERIFY");
          fresh.writes();
          inSync();
        }
        three.close();
      }
      job.rollback(plan.id());
      driveTo(job, "NOT_STARTED");
      assertThat(shape()).isEqualTo(before);
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE street = 'new'"))
          .isPositive();
      job.resume(plan.id());
      driveTo(job, "CONTRACT");
      inSync();
      job.approve(plan.id(), "CLOSE");
      driveTo(job, "CLOSE");
      assertThat(report(job).status()).isEqualTo(MigrationStatus.DONE);
    }
  }

  private void merged(String and) {
    assertThat(
            database.rows(
                "SELECT id, first_name, last_name, full_name FROM users WHERE full_name IS DISTINCT"
                    + " FROM concat_ws(' ', first_name, last_name) AND "
                    + and
                    + " LIMIT 5"))
        .isEmpty();
  }

  @Test
  void columnsAreMerged() throws Exception {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, first_name text NOT NULL, last_name text NOT"
            + " NULL)",
        "INSERT INTO users SELECT i, 'First' || i, 'Last' FROM generate_series(1, 4000) i");
    Members.install(database.dataSource());
    PhasePlan<Any> plan = plan("MergeName");
    String before = shape();
    IntFunction<List<String>> twoNames =
        i ->
            List.of(
                "INSERT INTO users (id, first_name, last_name) VALUES ("
                    + (10_000 + 2 * i)
                    + ", 'A', 'B')",
                "UPDATE users SET last_name = 'Wed " + i + "' WHERE id = 2 * " + i % 2000);
    Orchestrator two = joined("2", plan, 0);
    try (Orchestrator job = job()) {
      try (Code old = new Code(twoNames)) {
        old.writes();
        driveTo(job, "ENFORCE");
        old.writes();
        merged("true");
        two.close();
        job.rollback(plan.id());
        driveTo(job, "NOT_STARTED");
        assertThat(shape()).isEqualTo(before);
        job.resume(plan.id());
        driveTo(job, "ENFORCE");
        Orchestrator three = joined("3", plan, 1);
        assertThat(FleetFixture.waits(job.drive().migrations().get(0), Wait.Kind.APPROVAL))
            .contains("RELAX", "no last name");
        job.approve(plan.id(), "RELAX");
        driveTo(job, "RELAX");
        Orchestrator four = joined("4", plan, 2);
        try (Code fresh =
            new Code(
                i ->
                    List.of(
                        "INSERT INTO users (id, full_name) VALUES ("
                            + (10_001 + 2 * i)
                            + ", 'Cher')",
                        "UPDATE users SET full_name = 'One' WHERE id = 2 * "
                            + i % 2000
                            + " + 1"))) {
          fresh.writes();
          old.writes();
          merged("id % 2 = 0");
          old.close();
          three.close();
          driveTo(job, "DONE");
          fresh.writes();
        }
        four.close();
      }
      merged("id % 2 = 0");
      assertThat(database.queryLong("SELECT count(*) FROM users WHERE full_name = 'Cher'"))
          .isPositive();
      assertThat(report(job).status()).isEqualTo(MigrationStatus.DONE);
    }
  }
}
