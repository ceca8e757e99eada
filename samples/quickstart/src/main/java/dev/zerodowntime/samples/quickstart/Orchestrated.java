package dev.zerodowntime.samples.quickstart;

import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.RolloutCheck;
import dev.zerodowntime.orchestrator.Span;
import java.util.Arrays;
import javax.sql.DataSource;

/**
 * The library's way: nothing is run here. The pods drive the schema among themselves, whenever the
 * whole fleet allows the next phase. The pipeline only looks on, and waits until the schema has
 * what a release needs before it starts the first pod of it.
 */
final class Orchestrated implements SchemaChange {

  private static final int POLL_MILLIS = 100;

  private final DataSource database;
  private final Console console;
  private final Orchestrator pipeline;
  private final Board board;

  Orchestrated(DataSource database, Console console) {
    this.database = database;
    this.console = console;
    // A job, not an instance: it isn't counted.
    this.pipeline =
        Orchestrator.builder(database)
            .application(Migrations.APPLICATION)
            .release("pipeline")
            .role(Role.DRIVER)
            .background(false)
            .timing(Migrations::hurried)
            .build();
    this.board = new Board(pipeline, console);
    checkReleases();
  }

  /** What CI would do with the manifests that the builds have left: no database is asked. */
  private void checkReleases() {
    RolloutCheck check =
        RolloutCheck.of(
            Arrays.stream(Release.values())
                .map(each -> each.manifest(database))
                .toArray(ReleaseManifest[]::new));
    if (!check.ok()) {
      throw new IllegalStateException(String.join("; ", check.problems()));
    }
    console.say("manifests checked: each release can run beside the one before it");
  }

  @Override
  public void before(Release from, Release to) throws InterruptedException {
    if (!from.hasLibrary()) {
      // The first pod with the library would install its tables as well.
      pipeline.drive();
      board.start();
    }
    if (to.ordinal() < from.ordinal()) {
      return; // The release is still warm: nothing has happened since that would not suit it.
    }
    ReleaseManifest manifest = to.manifest(database);
    boolean waited = false;
    while (!board.look().stream().allMatch(each -> fits(manifest, each))) {
      if (!waited) {
        console.say("release %d can't start yet: the schema is not ready for it", to.number());
        waited = true;
      }
      pause("waiting for the schema that release " + to.number() + " needs");
    }
  }

  private static boolean fits(ReleaseManifest manifest, MigrationReport report) {
    ReleaseManifest.Declaration declared = manifest.declarations().get(report.id());
    // The report's spans, for the database may allow more than the declaration alone can know.
    Lifecycle lifecycle = report.lifecycle();
    Span span =
        declared == null
            ? lifecycle.oldest().span()
            : lifecycle.span(declared.stages().get(declared.stages().size() - 1));
    return span.fits(report.state());
  }

  @Override
  public void everyPodHasLibrary() {
    // Until now, builds without the library counted as one that may do anything. That none is left,
    // nobody but the people who run them can know.
    console.say("every pod has the library: adopted(\"%s\")", Migrations.APPLICATION);
    pipeline.adopted(Migrations.APPLICATION);
  }

  @Override
  public void finish() throws InterruptedException {
    while (!board.look().stream().allMatch(MigrationReport::finished)) {
      pause("waiting for the last phases");
    }
  }

  private void pause(String doing) throws InterruptedException {
    console.requireTime(doing);
    Thread.sleep(POLL_MILLIS);
  }

  @Override
  public void close() {
    board.close();
    pipeline.close();
  }
}
