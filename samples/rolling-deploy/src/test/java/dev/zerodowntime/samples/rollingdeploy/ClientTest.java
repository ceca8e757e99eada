package dev.zerodowntime.samples.rollingdeploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client and the proxy make of an instance that isn't as it should be. */
@Timeout(120)
class ClientTest {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final HttpClient http = Http.client();
  private final Proof proof = new Proof();
  private final AtomicInteger received = new AtomicInteger();
  private HttpServer instance;
  private Proxy proxy;
  private URI uri;

  @BeforeEach
  void start() throws Exception {
    instance = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    instance.start();
    uri = URI.create("http://127.0.0.1:" + instance.getAddress().getPort());
    proxy = Proxy.start(http);
    proxy.takeIn(uri);
  }

  @AfterEach
  void stop() {
    proxy.close();
    instance.stop(0);
  }

  private interface Answer {
    void give(HttpExchange exchange, String body) throws IOException;
  }

  private void answers(Answer answer) {
    instance.createContext(
        "/",
        exchange -> {
          received.incrementAndGet();
          try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            answer.give(exchange, new String(body, StandardCharsets.UTF_8));
          }
        });
  }

  private static void respond(HttpExchange exchange, int status, String body) throws IOException {
    exchange.getResponseHeaders().set("Release", "1");
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  /** Lets a client try until it has failed some times. */
  private void runUntilFailed() throws Exception {
    Load load = Load.start(http, proxy, proof);
    Await.until("requests are to fail", LIMIT, () -> proof.failed() >= 8);
    load.stop();
  }

  @Test
  void anErrorIsAFailureAndNotRepeated() throws Exception {
    answers((exchange, body) -> respond(exchange, 500, "broken"));
    runUntilFailed();
    assertThat(proof.failed()).isEqualTo(proof.requests()).isEqualTo(received.get());
    assertThat(proof.failures()).first().asString().contains("status 500 broken");
    assertThat(proof.answeredBy(Release.R1)).isZero();
  }

  @Test
  void aClosedConnectionIsAFailureAndNotRepeated() throws Exception {
    AtomicInteger created = new AtomicInteger();
    answers(
        (exchange, body) -> {
          if (exchange.getRequestMethod().equals("POST")) {
            respond(
                exchange, 201, "{\"id\":" + created.incrementAndGet() + "," + body.substring(1));
          } else {
            exchange.close();
          }
        });
    runUntilFailed();
    assertThat(created.get()).isPositive();
    assertThat(proof.requests()).isEqualTo(received.get());
    assertThat(proof.failed()).isEqualTo(received.get() - created.get());
    assertThat(proof.answeredBy(Release.R1)).isEqualTo(created.get());
    assertThat(proof.failures()).allMatch(each -> each.contains("status 502"));
  }

  @Test
  void aWrongValueIsAFailure() throws Exception {
    answers(
        (exchange, body) ->
            respond(exchange, 200, "{\"id\":1,\"name\":\"Nobody\",\"country\":\"at\"}"));
    runUntilFailed();
    assertThat(proof.failures()).first().asString().contains("Nobody").contains("instead of");
    assertThat(proof.answeredBy(Release.R1)).isZero();
  }

  @Test
  void whatIsTakenOutHasAnsweredFirst() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    answers(
        (exchange, body) -> {
          asked.countDown();
          try {
            answer.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          respond(exchange, 500, "late");
        });
    Load load = Load.start(http, proxy, proof);
    asked.await();
    Thread out =
        new Thread(
            () -> {
              try {
                proxy.takeOut(uri);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    out.start();
    // It is out: a request finds no instance. But it still has to answer.
    Await.until(
        "a request is to find no instance",
        LIMIT,
        () ->
            proof.failures().stream().anyMatch(each -> each.contains("no instance is in"))
                || out.getState() == Thread.State.TIMED_WAITING);
    assertThat(out.isAlive()).isTrue();
    answer.countDown();
    out.join();
    load.stop();
    assertThat(proof.failures()).anyMatch(each -> each.contains("late"));
  }
}
