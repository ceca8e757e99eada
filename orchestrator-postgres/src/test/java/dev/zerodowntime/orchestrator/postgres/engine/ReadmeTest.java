package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The code on README's first screen is compiled and run as it stands there; all other code is
 * compiled.
 */
@PostgresTest
class ReadmeTest {

  @Test
  void theExampleWorksByCopyAndPaste(TestDatabase database, @TempDir Path folder) throws Exception {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, country text NOT NULL)");
    compile(examples(root().resolve("README.md")).get(0), folder);

    try (URLClassLoader loader =
        new URLClassLoader(
            new URL[] {folder.toUri().toURL()}, Thread.currentThread().getContextClassLoader())) {
      Method main = loader.loadClass("Billing").getDeclaredMethod("main", String[].class);
      main.setAccessible(true);
      String url = database.url();
      String separator = url.contains("?") ? "&" : "?";
      main.invoke(
          null,
          (Object)
              new String[] {
                url
                    + separator
                    + "autosave=conservative&user="
                    + database.user()
                    + "&password="
                    + database.password()
              });
    }
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.migration")).isEqualTo(2);
    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.member")).isEqualTo(1);
  }

  @Test
  void everyExampleCompiles(@TempDir Path folder) throws Exception {
    List<Path> texts;
    try (Stream<Path> docs = Files.list(root().resolve("docs"))) {
      texts = docs.filter(each -> each.toString().endsWith(".md")).sorted().toList();
    }
    int found = 0;
    for (Path text : texts) {
      for (String example : examples(text)) {
        compile(example, Files.createDirectories(folder.resolve("example-" + found++)));
      }
    }
    assertThat(found).isPositive();
  }

  /**
   * SQL for people is run as it stands there. Grants are run where their effect is asked for, and
   * MySQL's in its own module.
   */
  @Test
  void theSqlRuns() throws Exception {
    try (TestDatabase database = TestDatabase.create("docs")) {
      run(database);
    }
  }

  private static void run(TestDatabase database) throws Exception {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, zip text)",
        "CREATE TABLE invoices (id bigint PRIMARY KEY, code text)");
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .timing(timing -> Members.patient(timing).soak(Duration.ofDays(1)))
            .thisBuild(
                RenameColumn.of("billing/2026-11-users-full-name")
                    .table("users")
                    .from("name")
                    .to("full_name")
                    .build(),
                RenameColumn.Code.USES_OLD_NAME)
            .build()) {
      member.advance();
    }
    int found = 0;
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (String text :
          List.of(
              "README.md",
              "docs/operating.md",
              "docs/backfills.md",
              "docs/production.md",
              "docs/leaving.md")) {
        for (String sql : blocks(root().resolve(text), "sql")) {
          if (!sql.contains("GRANT ")) {
            try {
              statement.execute(sql);
            } catch (SQLException e) {
              throw new AssertionError(text + ": " + sql, e);
            }
            connection.rollback();
            found++;
          }
        }
      }
    }
    assertThat(found).isGreaterThan(10);
  }

  /** One class of its own. */
  private static void compile(String example, Path folder) throws Exception {
    Matcher name = Pattern.compile("(?m)^class (\\w+)").matcher(example);
    assertThat(name.find()).as(example).isTrue();
    Path source = folder.resolve(name.group(1) + ".java");
    Files.writeString(source, example);
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-encoding",
                "UTF-8",
                "-d",
                folder.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                source.toString());
    assertThat(status).as(example).isZero();
  }

  private static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("LICENSE"))) {
      folder = folder.getParent();
    }
    return folder;
  }

  private static List<String> examples(Path text) throws IOException {
    return blocks(text, "java");
  }

  private static List<String> blocks(Path text, String language) throws IOException {
    return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
        .matcher(Files.readString(text))
        .results()
        .map(each -> each.group(1))
        .toList();
  }
}
