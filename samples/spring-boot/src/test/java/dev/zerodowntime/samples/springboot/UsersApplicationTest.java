package dev.zerodowntime.samples.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.samples.rollingdeploy.Database;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * Release after release on one database, one at a time; what they do side by side is proved by the
 * rolling deploy.
 */
class UsersApplicationTest {

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private static Database database;

  @BeforeAll
  static void start() throws IOException {
    database = Database.start();
  }

  @AfterAll
  static void stop() throws IOException {
    database.close();
  }

  private static ConfigurableApplicationContext run(int release) {
    return new SpringApplicationBuilder(UsersApplication.class)
        .run(
            "--app.release=" + release,
            "--server.port=0",
            "--spring.datasource.url=" + database.url());
  }

  private static HttpResponse<String> send(
      ConfigurableApplicationContext application, String method, String path, String body)
      throws IOException, InterruptedException {
    String port = application.getEnvironment().getProperty("local.server.port");
    return HTTP.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void servesBeforeAndWithTheLibrary() throws Exception {
    String path;
    try (ConfigurableApplicationContext before = run(1)) {
      HttpResponse<String> created =
          send(before, "POST", "/users", "{\"name\":\"Ann\",\"country\":\"at\"}");
      assertThat(created.statusCode()).isEqualTo(201);
      assertThat(created.headers().firstValue("Release")).hasValue("1");
      assertThat(created.body()).contains("\"region\":null");
      path = "/users/" + created.body().replaceAll(".*\"id\":(\\d+).*", "$1");
      assertThat(send(before, "GET", "/actuator/health/readiness", "").statusCode()).isEqualTo(200);
    }
    try (ConfigurableApplicationContext with = run(2)) {
      assertThat(send(with, "PUT", path, "{\"name\":\"Anne\"}").statusCode()).isEqualTo(200);
      assertThat(send(with, "GET", path, "").body()).contains("\"name\":\"Anne\"");
      assertThat(send(with, "GET", "/users/0", "").statusCode()).isEqualTo(404);
      assertThat(send(with, "POST", "/users", "{\"country\":\"at\"}").statusCode()).isEqualTo(400);
      HttpResponse<String> health = send(with, "GET", "/actuator/health/readiness", "");
      assertThat(health.statusCode()).isEqualTo(200);
      assertThat(health.body()).contains("\"orchestrator\"", "UserWithoutRegion");
      assertThat(send(with, "GET", "/actuator/metrics/orchestrator.fit", "").body())
          .contains("\"value\":1.0");
      assertThat(send(with, "GET", "/actuator/metrics/orchestrator.unfinished", "").body())
          .contains("\"value\":1.0");
    }
  }
}
