package dev.zerodowntime.samples.rollingdeploy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Sends requests to the instances in turn. An instance that is taken out gets no further request,
 * and is drained when it has answered those it has. Nothing is tried twice: what fails, fails.
 */
final class Proxy implements AutoCloseable {

  private static final Duration ANSWER = Duration.ofSeconds(30);

  private static final class Backend {
    final URI instance;
    int inFlight;

    Backend(URI instance) {
      this.instance = instance;
    }
  }

  private final HttpServer server;
  private final HttpClient http;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "proxy");
            thread.setDaemon(true);
            return thread;
          });
  private final List<Backend> backends = new ArrayList<>();
  private int next;

  private Proxy(HttpServer server, HttpClient http) {
    this.server = server;
    this.http = http;
  }

  /** Starts one, on a free port. */
  static Proxy start(HttpClient http) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    Proxy proxy = new Proxy(server, http);
    server.createContext("/", proxy::handle);
    server.setExecutor(proxy.threads);
    server.start();
    return proxy;
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
  }

  synchronized void takeIn(URI instance) {
    backends.add(new Backend(instance));
  }

  /** Takes an instance out, and waits until it has answered. */
  synchronized void takeOut(URI instance) throws InterruptedException {
    Backend backend =
        backends.stream()
            .filter(each -> each.instance.equals(instance))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException(instance + " is not in"));
    backends.remove(backend);
    long end = System.nanoTime() + ANSWER.multipliedBy(2).toNanos();
    while (backend.inFlight > 0) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(instance + " leaves requests unanswered");
      }
      wait(100);
    }
  }

  private synchronized Backend acquire() {
    if (backends.isEmpty()) {
      throw new IllegalStateException("no instance is in");
    }
    Backend backend = backends.get(next++ % backends.size());
    backend.inFlight++;
    return backend;
  }

  private synchronized void release(Backend backend) {
    backend.inFlight--;
    notifyAll();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      try {
        HttpResponse<byte[]> answer = ask(exchange, body);
        answer
            .headers()
            .firstValue("Release")
            .ifPresent(each -> exchange.getResponseHeaders().set("Release", each));
        respond(exchange, answer.statusCode(), answer.body());
      } catch (IOException | IllegalStateException e) {
        respond(exchange, 502, e.toString().getBytes(StandardCharsets.UTF_8));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private HttpResponse<byte[]> ask(HttpExchange exchange, byte[] body)
      throws IOException, InterruptedException {
    Backend backend = acquire();
    try {
      return forward(exchange, body, backend.instance);
    } finally {
      release(backend);
    }
  }

  private HttpResponse<byte[]> forward(HttpExchange exchange, byte[] body, URI instance)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(instance.resolve(exchange.getRequestURI()))
            .timeout(ANSWER)
            .header("Content-Type", "application/json")
            .method(
                exchange.getRequestMethod(),
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body))
            .build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  private static void respond(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
