package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two users of Flyway in one database, each with a history of its own. The build copies the other
 * versions of Flyway to {@code target/flyway-NN}.
 */
@PostgresTest
@Tag("long")
class FlywayCoexistenceTest {

  private static final Path VERSIONS =
      Path.of(System.getProperty("orchestrator.test.jars", "target"));

  private TestDatabase database;

  @TempDir Path scripts;

  @BeforeEach
  void create() {
    database = TestDatabase.create("flyway");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  private void bothHistoriesAreClean() {
    assertThat(
            database.rows(
                "SELECT version, success FROM public.flyway_schema_history ORDER BY"
                    + " installed_rank"))
        .containsExactly(List.of("1", true), List.of("2", true));
    assertThat(
            database.rows(
                "SELECT version, success FROM orchestrator.orchestrator_history WHERE version IS"
                    + " NOT NULL ORDER BY installed_rank"))
        .containsExactly(List.of("1", true), List.of("2", true));
    assertThat(
            database.rows(
                "SELECT table_schema::text FROM information_schema.tables WHERE table_name LIKE"
                    + " '%history%' ORDER BY 1"))
        .containsExactly(List.of("orchestrator"), List.of("public"));
    assertThat(
            database.rows(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = 'invoices'::regclass AND"
                    + " attnum > 0 ORDER BY 1"))
        .containsExactly(List.of("id"), List.of("lines"), List.of("note"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void inEitherOrder(boolean oursFirst) {
    FlywayScenario.run(database.dataSource(), oursFirst, scripts);
    bothHistoriesAreClean();
  }

  /** The checks above would notice: a script that was edited makes validation fail. */
  @Test
  void validationIsReal() throws IOException {
    FlywayScenario.run(database.dataSource(), true, scripts);
    Files.writeString(scripts.resolve("V1__invoices.sql"), "CREATE TABLE edited (id int);");
    assertThatThrownBy(() -> FlywayScenario.application(database.dataSource(), scripts).validate())
        .hasMessageContaining("checksum");
  }

  @ParameterizedTest
  @CsvSource({
    "10,ours",
    "10,theirs",
    "11,ours",
    "11,theirs",
    "12,ours",
    "12,theirs",
    "13,ours",
    "13,theirs"
  })
  void withEachVersion(int version, String first) throws Exception {
    Set<Path> classPath = AdvanceOnce.libraryOnly();
    classPath.addAll(jars(version));
    AdvanceOnce.Ran ran =
        AdvanceOnce.run(
            FlywayScenario.class, database, classPath, List.of(), first, scripts.toString());
    assertThat(ran.exit()).as(ran.output()).isZero();
    assertThat(ran.output()).containsPattern("done with .*flyway-core-" + version + "\\.");
    bothHistoriesAreClean();
  }

  /** Places, a fresh database, and a script that is refused where it was put on the class path. */
  @ParameterizedTest
  @CsvSource({"10,true", "11,false", "12,true", "13,false", "13,true"})
  void joinedByEachVersion(int version, boolean inJar, @TempDir Path place) throws Exception {
    Path entry = inJar ? place.resolve("scripts.jar") : place;
    String script = "ALTER TABLE countries ADD COLUMN note text;";
    if (inJar) {
      try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(entry))) {
        jar.putNextEntry(new JarEntry("joined/"));
        jar.putNextEntry(new JarEntry("joined/V4__note.sql"));
        jar.write(script.getBytes(StandardCharsets.UTF_8));
      }
    } else {
      FlywayJoinScenario.script(place.resolve("joined"), "V4__note.sql", script);
    }
    Set<Path> classPath = AdvanceOnce.libraryOnly();
    classPath.addAll(jars(version));
    classPath.add(entry);
    AdvanceOnce.Ran ran =
        AdvanceOnce.run(
            FlywayJoinScenario.class, database, classPath, List.of(), scripts.toString());
    assertThat(ran.exit()).as(ran.output()).isZero();
    assertThat(ran.output())
        .containsPattern("done with .*flyway-core-" + version + "\\.")
        .containsPattern("refused: .*V4__note.sql names countries.*billing/note");
    assertThat(
            database.rows(
                "SELECT version, success FROM public.flyway_schema_history ORDER BY"
                    + " installed_rank"))
        .containsExactly(
            List.of("1", true),
            List.of("2", true),
            List.of("2.1", true),
            List.of("2.2", true),
            List.of("3", true),
            List.of("3.1", true));
  }

  private static List<Path> jars(int version) {
    Path directory = VERSIONS.resolve("flyway-" + version).toAbsolutePath();
    assertThat(directory)
        .as("copied by the build: run mvn generate-test-resources first")
        .isDirectory();
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> jars = files.filter(each -> each.toString().endsWith(".jar")).sorted().toList();
      assertThat(jars).isNotEmpty();
      return jars;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
