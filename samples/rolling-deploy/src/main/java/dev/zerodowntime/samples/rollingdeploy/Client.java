package dev.zerodowntime.samples.rollingdeploy;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads without pause, and notes what it wrote: an answer that doesn't fail but is wrong
 * counts as a failure. It never repeats a request. One thread; each client has users of its own.
 */
final class Client implements Runnable {

  private static final String[] COUNTRIES = {"at", "us", "jp"};

  /** Keeps the machine free for what the demonstration is about. */
  private static final int PAUSE_MILLIS = 15;

  private final int number;
  private final HttpClient http;
  private final Proxy proxy;
  private final Proof proof;
  private final Random random;
  private final List<User> users = new ArrayList<>();
  private int written;
  private volatile boolean stopped;

  Client(int number, HttpClient http, Proxy proxy, Proof proof) {
    this.number = number;
    this.http = http;
    this.proxy = proxy;
    this.proof = proof;
    this.random = new Random(number);
  }

  @Override
  public void run() {
    try {
      while (!stopped) {
        int dice = random.nextInt(10);
        if (users.isEmpty() || dice == 0) {
          create();
        } else if (dice < 4) {
          rename();
        } else {
          read();
        }
        Thread.sleep(PAUSE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      proof.failed("client " + number + " has stopped: " + e);
    }
  }

  void stop() {
    stopped = true;
  }

  /** What it has written. To be called when its thread has ended. */
  List<User> users() {
    return List.copyOf(users);
  }

  private void create() throws InterruptedException {
    String name = newName();
    String country = COUNTRIES[random.nextInt(COUNTRIES.length)];
    String region = "Region " + random.nextInt(100);
    User created =
        send(
            "POST",
            "/users",
            json("name", name) + "," + json("country", country) + "," + json("region", region),
            (release, body) ->
                new User(
                    Long.parseLong(field(body, "id")),
                    name,
                    country,
                    // A release that doesn't know of it leaves it to the database.
                    release.hasRegion() ? region : country.toUpperCase(Locale.ROOT)));
    if (created != null) {
      users.add(created);
    }
  }

  private void rename() throws InterruptedException {
    int at = random.nextInt(users.size());
    User renamed = users.get(at).named(newName());
    User answered =
        send(
            "PUT",
            "/users/" + renamed.id(),
            json("name", renamed.name()),
            (release, body) -> renamed);
    if (answered == null) {
      users.remove(at); // Nobody can know which name it has: the failure is counted once.
    } else {
      users.set(at, renamed);
    }
  }

  private void read() throws InterruptedException {
    User user = users.get(random.nextInt(users.size()));
    send("GET", "/users/" + user.id(), "", (release, body) -> user);
  }

  /** Sends a request, and compares the answer with what it should say. */
  private @Nullable User send(
      String method, String path, String fields, BiFunction<Release, String, User> expected)
      throws InterruptedException {
    String what = method + " " + path;
    long start = System.nanoTime();
    try {
      HttpResponse<String> answer =
          http.send(
              HttpRequest.newBuilder(proxy.uri(path))
                  .timeout(Duration.ofSeconds(60))
                  .header("Content-Type", "application/json")
                  .method(
                      method,
                      fields.isEmpty()
                          ? HttpRequest.BodyPublishers.noBody()
                          : HttpRequest.BodyPublishers.ofString("{" + fields + "}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      proof.requested(System.nanoTime() - start);
      if (answer.statusCode() / 100 != 2) {
        proof.failed(what + ": status " + answer.statusCode() + " " + answer.body());
        return null;
      }
      Release release =
          Release.numbered(Integer.parseInt(answer.headers().firstValue("Release").orElse("0")));
      User user = expected.apply(release, answer.body());
      String wrong = difference(user, release, answer.body());
      if (wrong.isEmpty()) {
        proof.answered(release);
      } else {
        proof.failed(what + ": release " + release.number() + " answers " + wrong);
      }
      return user;
    } catch (IOException e) {
      proof.requested(System.nanoTime() - start);
      proof.failed(what + ": " + e);
    } catch (IllegalArgumentException e) {
      proof.failed(what + ": an answer that can't be read: " + e.getMessage());
    }
    return null;
  }

  private static String difference(User user, Release release, String body) {
    boolean same =
        field(body, "id").equals(Long.toString(user.id()))
            && field(body, "name").equals(user.name())
            && field(body, "country").equals(user.country())
            && (!release.hasRegion() || field(body, "region").equals(user.region()));
    return same ? "" : body + " instead of " + user;
  }

  private String newName() {
    return "Name " + ++written + " of client " + number;
  }

  private static String json(String name, String value) {
    return "\"" + name + "\":\"" + value + "\"";
  }

  /** Enough for what this client writes: no quotes, no nesting. */
  private static String field(String body, String name) {
    Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"?([^\",}]*)").matcher(body);
    if (!found.find()) {
      throw new IllegalArgumentException("no " + name + " in " + body);
    }
    return found.group(1);
  }
}
