package dev.zerodowntime.samples.quarkus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.samples.rollingdeploy.Database;
import dev.zerodowntime.samples.rollingdeploy.Instance;
import dev.zerodowntime.samples.rollingdeploy.Settings;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What was built, release after release on one database; what they do side by side is proved by the
 * rolling deploy.
 */
class UsersIT {

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Settings SETTINGS =
      new Settings(
          Path.of(System.getProperty("sample.jar")), "/q/health/ready", Path.of("target", "it"));

  private static Database database;

  @BeforeAll
  static void start() throws IOException {
    database = Database.start();
  }

  @AfterAll
  static void stop() throws IOException {
    database.close();
  }

  private static HttpResponse<String> send(
      Instance instance, String method, String path, String body)
      throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(instance.uri().resolve(path))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void servesBeforeAndWithTheLibrary() throws Exception {
    String path;
    Instance before = Instance.start(1, 2, SETTINGS, database.url());
    try {
      before.awaitHealthy(HTTP);
      HttpResponse<String> created =
          send(before, "POST", "/users", "{\"name\":\"Ann\",\"country\":\"at\"}");
      assertThat(created.statusCode()).isEqualTo(201);
      assertThat(created.headers().firstValue("Release")).hasValue("1");
      assertThat(created.body()).contains("\"region\":null");
      path = "/users/" + created.body().replaceAll(".*\"id\":(\\d+).*", "$1");
      before.stop();
    } finally {
      before.kill();
    }
    Instance with = Instance.start(2, 3, SETTINGS, database.url());
    try {
      with.awaitHealthy(HTTP);
      assertThat(with.entity()).isEqualTo("UserWithoutRegion");
      assertThat(send(with, "PUT", path, "{\"name\":\"Anne\"}").statusCode()).isEqualTo(200);
      assertThat(send(with, "GET", path, "").body()).contains("\"name\":\"Anne\"");
      assertThat(send(with, "GET", "/users/0", "").statusCode()).isEqualTo(404);
      assertThat(send(with, "POST", "/users", "{\"country\":\"at\"}").statusCode()).isEqualTo(400);
      assertThat(send(with, "GET", "/q/metrics", "").body())
          .contains("orchestrator_fit 1.0", "orchestrator_unfinished 1.0");
      with.stop();
    } finally {
      with.kill();
    }
  }

  @Test
  void aReleaseThatDoesNotExistIsNamed() throws Exception {
    Instance wrong = Instance.start(9, 4, SETTINGS, database.url());
    try {
      assertThatThrownBy(() -> wrong.awaitHealthy(HTTP))
          .hasMessageContaining("ended with status 1")
          .hasMessageContaining("app.release is 9; there are releases 1 to 5");
    } finally {
      wrong.kill();
    }
  }
}
