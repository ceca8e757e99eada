package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One dialect must match, no more and no less; whoever is at fault names the artifact. */
@PostgresTest
class DialectChoiceTest {

  private static final String LIBRARY = "dev.zerodowntime.orchestrator.";
  private static final String SERVICES = "META-INF/services/" + Dialect.class.getName();

  private final TestDatabase database;

  DialectChoiceTest(TestDatabase database) {
    this.database = database;
  }

  /**
   * The library loaded once more, with the dialects that a file lists instead of those there are.
   */
  private static final class Isolated extends ClassLoader {

    private final URL services;

    Isolated(Path directory, String... providers) throws IOException {
      super(DialectChoiceTest.class.getClassLoader());
      Path file = directory.resolve("services");
      Files.write(file, List.of(providers));
      services = file.toUri().toURL();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        if (loaded != null) {
          return loaded;
        }
        return name.startsWith(LIBRARY) ? define(name) : super.loadClass(name, resolve);
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      return name.equals(SERVICES)
          ? Collections.enumeration(List.of(services))
          : super.getResources(name);
    }

    Throwable advance(DataSource dataSource) throws ReflectiveOperationException {
      Class<?> api = loadClass(LIBRARY + "Orchestrator");
      Object builder = api.getMethod("builder", DataSource.class).invoke(null, dataSource);
      Class<?> type = builder.getClass();
      type.getMethod("application", String.class).invoke(builder, "billing");
      type.getMethod("release", String.class).invoke(builder, "1");
      type.getMethod("background", boolean.class).invoke(builder, false);
      Object orchestrator = type.getMethod("build").invoke(builder);
      try {
        api.getMethod("advance").invoke(orchestrator);
        return null;
      } catch (InvocationTargetException e) {
        return e.getCause();
      } finally {
        api.getMethod("close").invoke(orchestrator);
      }
    }
  }

  private void refused(Throwable thrown, String... says) throws ReflectiveOperationException {
    assertThat(thrown).isNotNull();
    // Not the same class: it comes from the other loader.
    assertThat(thrown.getClass().getName()).isEqualTo(DatabaseException.class.getName());
    assertThat(thrown.getClass().getMethod("code").invoke(thrown)).hasToString("NO_DIALECT");
    assertThat(thrown).hasMessageContainingAll(says);
    assertThat(
            database.queryLong("SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestrator'"))
        .isZero();
  }

  @Test
  void noDialectNamesTheArtifact(@TempDir Path directory) throws Exception {
    refused(
        new Isolated(directory).advance(database.dataSource()),
        "No dialect for PostgreSQL",
        "dev.zerodowntime:orchestrator-postgres",
        "dialect(");
  }

  @Test
  void twoDialectsAreNamed(@TempDir Path directory) throws Exception {
    Isolated two =
        new Isolated(directory, PostgresDialect.class.getName(), SecondDialect.class.getName());
    refused(
        two.advance(database.dataSource()),
        "More than one dialect for PostgreSQL",
        PostgresDialect.class.getName(),
        SecondDialect.class.getName(),
        "Leave one");
  }

  @Test
  void oneDialectIsFound(@TempDir Path directory) throws Exception {
    try (TestDatabase own = TestDatabase.create("one_dialect")) {
      Isolated one = new Isolated(directory, PostgresDialect.class.getName());
      assertThat(one.advance(own.dataSource())).isNull();
    }
  }

  @Test
  void aGivenDialectMustSuitTheDatabase() {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").dialect(new SecondDialect("Oracle")).build()) {
      Throwable thrown = catchThrowable(member::advance);
      assertThat(thrown)
          .isInstanceOf(DatabaseException.class)
          .hasMessageContainingAll("Oracle", "PostgreSQL");
      assertThat(((DatabaseException) thrown).code()).isEqualTo(ErrorCode.NO_DIALECT);
    }
  }

  @Test
  void aGivenDialectNeedsNoServiceFile() {
    try (TestDatabase own = TestDatabase.create("given_dialect");
        Orchestrator member =
            Members.member(own.dataSource(), "1").dialect(PostgresDialect.create()).build()) {
      assertThat(member.advance().admitted()).isTrue();
    }
  }
}
