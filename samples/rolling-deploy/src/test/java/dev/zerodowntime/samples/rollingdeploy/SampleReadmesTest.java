package dev.zerodowntime.samples.rollingdeploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the samples' READMEs show is what their sources say, and what they link to exists. */
class SampleReadmesTest {

  private static final Pattern BLOCK = Pattern.compile("(?s)```java\n(.*?)```");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(?:#[^)]*)?\\)");

  @ParameterizedTest
  @ValueSource(strings = {"spring-boot", "quarkus"})
  void showsItsSources(String sample) throws IOException {
    Path folder = Path.of("..", sample);
    String readme = Files.readString(folder.resolve("README.md"));
    String sources = sources(folder);
    List<String> blocks = BLOCK.matcher(readme).results().map(each -> each.group(1)).toList();
    assertThat(blocks).isNotEmpty();
    for (String method :
        blocks.stream().flatMap(each -> Stream.of(each.split("\n\n(?=  \\S)"))).toList()) {
      assertThat(sources).contains(method.stripTrailing());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"spring-boot", "quarkus"})
  void linksToWhatExists(String sample) throws IOException {
    Path folder = Path.of("..", sample);
    Matcher link = LINK.matcher(Files.readString(folder.resolve("README.md")));
    int links = 0;
    while (link.find()) {
      links++;
      assertThat(folder.resolve(link.group(1))).exists();
    }
    assertThat(links).isGreaterThan(4);
  }

  private static String sources(Path folder) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.walk(folder.resolve(Path.of("src", "main", "java")))) {
      for (Path each : files.filter(file -> file.toString().endsWith(".java")).toList()) {
        text.append(Files.readString(each));
      }
    }
    return text.toString();
  }
}
