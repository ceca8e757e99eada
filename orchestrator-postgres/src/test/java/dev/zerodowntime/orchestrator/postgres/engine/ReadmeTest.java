package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code on README's first screen is compiled and run as it stands there. */
@PostgresTest
class ReadmeTest {

  @Test
  void theExampleWorksByCopyAndPaste(TestDatabase database, @TempDir Path folder) throws Exception {
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, country text NOT NULL)");
    Path source = folder.resolve("Billing.java");
    Files.writeString(source, example());
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

  private static String example() throws Exception {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("LICENSE"))) {
      folder = folder.getParent();
    }
    Matcher block =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(folder.resolve("README.md")));
    assertThat(block.find()).isTrue();
    return block.group(1);
  }
}
