package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.FleetStatus;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Replaces releases pod by pod while they serve, and waits in each situation until the migration is
 * where this fleet lets it be and every pod has served there for a while.
 */
public final class Rollout<C extends Enum<C> & CodeStage> implements AutoCloseable {

  private static final boolean LONG = Boolean.getBoolean("rolling.long");
  private static final int PODS = LONG ? 3 : 2;
  private static final long QUERIES = LONG ? 4_000 : 300;

  private final Product product;
  private final Load load;
  private final Database database;
  private final Scenario<C> scenario;
  private final Tally tally = new Tally();
  private final Ledger ledger = new Ledger();
  private final AtomicBoolean backupConfirmed = new AtomicBoolean();
  private final List<Pod<C>> pods = new ArrayList<>();
  private final Journal journal;
  private final Times times = new Times();
  private boolean safe = true;
  private Orchestrator driver;
  private int started;

  /** Makes the database and its first rows; nobody serves yet. */
  public Rollout(Product product, Scenario<C> scenario, Load load) {
    this.product = product;
    this.scenario = scenario;
    this.load = load;
    this.database = product.create("rolling " + scenario.name());
    this.journal = new Journal(database, scenario.migration().lifecycle());
    times.of("prepare", this::prepare);
  }

  private void prepare() {
    scenario.tables().forEach(database::execute);
    ledger.load(database, scenario.before());
    try (Orchestrator job =
        Pod.builder(database.dataSource(), backupConfirmed)
            .release("job")
            .role(Role.DRIVER)
            .background(false)
            .build()) {
      job.advance();
      job.adopted("rolling");
    }
    database.watchWorkers();
  }

  public Tally tally() {
    return tally;
  }

  public Journal journal() {
    return journal;
  }

  public Database database() {
    return database;
  }

  Times times() {
    return times;
  }

  /** A job that declares the migration and drives it, without being counted. */
  public void startDriver() {
    driver =
        Pod.builder(database.dataSource(), backupConfirmed)
            .release("driver")
            .role(Role.DRIVER)
            .thisBuild(scenario.migration(), scenario.releases().get(scenario.last()).get(0))
            .build();
    driver.advance();
  }

  void pauseAll() {
    anyone().pauseAll("rolling");
  }

  /** Pods started from now on have drivers that a changed row type breaks, and say otherwise. */
  public void withUnsafeDrivers() {
    safe = false;
  }

  /** Lets quarantined columns be dropped from now on. */
  public void confirmBackup() {
    backupConfirmed.set(true);
  }

  /** Starts a release beside what is there. */
  Pod<C> start(int release) {
    Pod<C> pod =
        new Pod<>(product, database, scenario, load, release, ++started, backupConfirmed, safe);
    pods.add(pod);
    times.of("start", () -> pod.start(ledger, tally));
    return pod;
  }

  public void startAll(int release) {
    for (int i = 0; i < PODS; i++) {
      start(release);
    }
  }

  /** Replaces all pods by another release's, newer or older, one by one. */
  void replaceBy(int release) {
    consentTo(release);
    List<Pod<C>> leaving = List.copyOf(pods);
    journal.mixed(true);
    for (Pod<C> old : leaving) {
      start(release);
      settle();
      if (old == leaving.get(leaving.size() - 1)) {
        journal.mixed(false);
      }
      pods.remove(old);
      times.of("close", old::close);
    }
    // Who has just left is still counted, and holds back releases that are older yet.
    times.of(
        "drain",
        () -> tally.until(() -> !draining(), () -> "members go on draining: " + explain()));
    settle();
    audit();
  }

  /** As a person does who sees what an older release waits for. */
  private void consentTo(int release) {
    Optional<MigrationReport> report = report();
    if (!scenario.consents() || report.isEmpty()) {
      return;
    }
    Lifecycle lifecycle = report.get().lifecycle();
    int highest = lifecycle.span(scenario.stage(release).name()).high();
    if (highest < report.get().state().reached()) {
      anyone().approve(scenario.migration().id(), lifecycle.name(highest));
    }
  }

  private boolean draining() {
    return anyone().status().members().stream().anyMatch(each -> each.contains(", draining"));
  }

  /** As a person does who wants to go back as far as the code that runs allows. */
  void rollBack() {
    Lifecycle lifecycle = report().orElseThrow().lifecycle();
    int target = 0;
    for (Pod<C> pod : pods) {
      target = Math.max(target, lifecycle.span(pod.stage().name()).low());
    }
    anyone().rollback(scenario.migration().id(), lifecycle.name(target));
    if (scenario.consents() && report().orElseThrow().state().reached() > target) {
      anyone().approve(scenario.migration().id(), lifecycle.name(target));
    }
    settleAt(target);
    audit();
  }

  void resume() {
    anyone().resume(scenario.migration().id());
    settle();
    audit();
  }

  private Orchestrator anyone() {
    return pods.get(0).orchestrator();
  }

  /** Waits until the migration is as high as everybody who runs allows. */
  void settle() {
    Optional<MigrationReport> report = report();
    if (report.isEmpty()) {
      serve();
      return;
    }
    Lifecycle lifecycle = report.get().lifecycle();
    int highest = lifecycle.last();
    if (lifecycle.purge() >= 0 && !backupConfirmed.get()) {
      highest = lifecycle.purge() - 1;
    }
    for (Pod<C> pod : pods) {
      Span span = lifecycle.span(pod.stage().name());
      highest = Math.min(highest, span.high());
    }
    settleAt(highest);
  }

  private void settleAt(int phase) {
    times.of(
        "phase",
        () ->
            tally.until(() -> at(phase), () -> "phase " + phase + " is not reached: " + explain()));
    serve();
    if (!at(phase)) {
      throw new AssertionError("phase " + phase + " was left again: " + explain());
    }
    for (Pod<C> pod : pods) {
      if (!pod.orchestrator().fit()) {
        throw new AssertionError(pod + " does not fit: " + explain());
      }
    }
  }

  private boolean at(int phase) {
    return report()
        .filter(each -> each.state().atRest() && each.state().reached() == phase)
        .isPresent();
  }

  /** Waits until every pod has served for a while. */
  public void serve() {
    times.of("serve", this::awaitQueries);
  }

  private void awaitQueries() {
    Map<Pod<C>, Long> goals = new HashMap<>();
    pods.forEach(each -> goals.put(each, each.queries() + QUERIES));
    tally.until(
        () -> pods.stream().allMatch(each -> each.queries() >= goals.get(each)),
        () -> "not every pod serves: " + explain());
  }

  /** Waits until something goes wrong; the first thing that did. */
  public String untilHarm() {
    tally.until(
        () -> tally.failed() + tally.differing() > 0,
        () -> "nothing failed and nothing differs: " + explain());
    return tally.details().get(0);
  }

  private Optional<MigrationReport> report() {
    FleetStatus status = anyone().status();
    return status.migrations().stream()
        .filter(each -> each.id().equals(scenario.migration().id()))
        .findFirst();
  }

  private String explain() {
    return scenario.name() + ", " + pods + "\n" + anyone().status() + "\n" + journal.tail();
  }

  private void audit() {
    times.of("audit", this::compare);
  }

  private void compare() {
    int phase = report().map(each -> each.state().reached()).orElse(0);
    ledger.audit(
        database, scenario, scenario.table().apply(phase), scenario.subjects().apply(phase), tally);
  }

  @Override
  public void close() {
    if (driver != null) {
      driver.close();
    }
    pods.forEach(Pod::close);
    database.close();
  }
}
