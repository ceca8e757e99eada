package dev.zerodowntime.samples.rollingdeploy;

import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/** Five releases, one instance after the other, as Kubernetes does it with {@code maxSurge: 1}. */
final class Rollout implements AutoCloseable {

  private static final int INSTANCES = 2;

  /** What a release must have answered before the next one is rolled out. */
  private static final int ENOUGH_ANSWERS = 100;

  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private final Settings settings;
  private final Database database;
  private final HttpClient http;
  private final Proxy proxy;
  private final Proof proof;
  private final Console console;
  private final List<Instance> instances = new CopyOnWriteArrayList<>();
  private final List<Integer> served = new ArrayList<>();
  private final Set<String> eitherEntities = new LinkedHashSet<>();
  private int started;

  Rollout(
      Settings settings,
      Database database,
      HttpClient http,
      Proxy proxy,
      Proof proof,
      Console console) {
    this.settings = settings;
    this.database = database;
    this.http = http;
    this.proxy = proxy;
    this.proof = proof;
    this.console = console;
  }

  /** The first instances; afterwards requests can be sent. */
  void begin() throws IOException, InterruptedException {
    announce(Release.R1);
    for (int i = 0; i < INSTANCES; i++) {
      launch(Release.R1);
    }
    for (Instance instance : instances) {
      instance.awaitHealthy(http);
      proxy.takeIn(instance.uri());
    }
  }

  /** Everything else. */
  void run() throws IOException, InterruptedException {
    awaitServed(Release.R1, 0);
    roll(Release.R2);
    try (Pipeline pipeline = new Pipeline(database.dataSource())) {
      console.say("every instance has the library: adopted(\"users\")");
      pipeline.everyInstanceHasLibrary();
      // Each release needs what the one before it has announced.
      pipeline.awaitPhase("users/2026-11-region", "ENFORCE");
      roll(Release.R3);
      pipeline.awaitPhase("users/2026-11-full-name", "ENFORCE");
      roll(Release.R4);
      console.say("customers complain: back to release 3, and then forward again");
      roll(Release.R3);
      roll(Release.R4);
      console.say("waiting until both migrations are finished: %s", pipeline.phases());
      pipeline.awaitFinished();
      console.say("finished: %s", pipeline.phases());
      roll(Release.R5);
    }
  }

  /** The releases that have served, in their order. */
  List<Integer> served() {
    return List.copyOf(served);
  }

  /** The entities with which the one build has served that can use either name. */
  Set<String> eitherEntities() {
    return Set.copyOf(eitherEntities);
  }

  private void roll(Release release) throws IOException, InterruptedException {
    announce(release);
    long before = proof.answeredBy(release);
    for (Instance old : List.copyOf(instances)) {
      Instance instance = launch(release);
      instance.awaitHealthy(http);
      if (release == Release.R3) {
        console.say("  an instance of release 3 serves with %s", instance.entity());
        eitherEntities.add(instance.entity());
      }
      proxy.takeIn(instance.uri());
      proxy.takeOut(old.uri());
      old.stop();
      instances.remove(old);
    }
    awaitServed(release, before);
  }

  private void announce(Release release) {
    console.say("release %d %s", release.number(), release.news());
  }

  private Instance launch(Release release) throws IOException {
    Instance instance = Instance.start(release.number(), ++started, settings, database.url());
    instances.add(instance);
    return instance;
  }

  private void awaitServed(Release release, long before) throws InterruptedException {
    Await.until(
        "release " + release.number() + " is to answer " + ENOUGH_ANSWERS + " requests",
        PATIENCE,
        () -> proof.answeredBy(release) >= before + ENOUGH_ANSWERS);
    served.add(release.number());
    console.say(
        "  all instances run release %d (so far %,d requests, %,d failed, slowest %,d ms)",
        release.number(), proof.requests(), proof.failed(), proof.slowestMillis());
  }

  /** Stops those that run. */
  void stop() throws InterruptedException {
    for (Instance instance : List.copyOf(instances)) {
      instance.stop();
      instances.remove(instance);
    }
  }

  @Override
  public void close() {
    instances.forEach(Instance::kill);
  }
}
