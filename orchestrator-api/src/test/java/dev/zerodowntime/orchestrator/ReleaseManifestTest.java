package dev.zerodowntime.orchestrator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReleaseManifestTest {

  private static final RenameColumn RENAME =
      RenameColumn.of("billing/rename").table("users").from("name").to("full_name").build();

  @TempDir Path folder;

  /** What an application has. */
  static class Billing implements ThisBuild {
    @Override
    public void declare(OrchestratorBuilder builder) {
      builder
          .application("billing")
          .release("2")
          .thisBuild(RENAME, RenameColumn.Code.USES_NEW_NAME)
          .thisBuild(Migration.ref("crm/drop", DropColumn.class), DropColumn.Code.UNUSED)
          .finished("billing/z", "billing/a", "billing/m")
          .touches("users", "orders", "invoices");
    }
  }

  static final class BillingBefore extends Billing {
    @Override
    public void declare(OrchestratorBuilder builder) {
      builder
          .application("billing")
          .release("1")
          .thisBuild(RENAME, RenameColumn.Code.USES_OLD_NAME)
          .thisBuild(Migration.ref("crm/drop", DropColumn.class), DropColumn.Code.UNUSED);
    }
  }

  static final class BillingTooFar extends Billing {
    @Override
    public void declare(OrchestratorBuilder builder) {
      builder
          .application("billing")
          .release("3")
          .thisBuild(RENAME, RenameColumn.Code.UPSERTS_NEW_NAME)
          .thisBuild(Migration.ref("crm/drop", DropColumn.class), DropColumn.Code.UNUSED);
    }
  }

  static final class NeedsItsSurroundings implements ThisBuild {
    @Override
    public void declare(OrchestratorBuilder builder) {
      throw new IllegalStateException("no configuration here");
    }
  }

  static final class NeedsAnArgument implements ThisBuild {
    private final String release;

    NeedsAnArgument(String release) {
      this.release = release;
    }

    @Override
    public void declare(OrchestratorBuilder builder) {
      builder.application("billing").release(release);
    }
  }

  private record Ran(int status, String out, String err) {}

  private Ran run(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        ReleaseManifestMain.run(
            args,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private String written(Class<?> build, String name) {
    String file = folder.resolve(name).toString();
    Ran ran = run("write", build.getName(), file);
    assertThat(ran.err()).isEmpty();
    assertThat(ran.status()).isZero();
    return file;
  }

  /** Set.of and Map.of have another order in every process; so the text itself is expected. */
  @Test
  void theSameDeclarationsGiveTheSameText() {
    assertThat(ReleaseManifest.of(new Billing()).toJson())
        .isEqualTo(
            "{\"manifest\":1,\"application\":\"billing\",\"release\":\"2\",\"declarations\":{"
                + "\"billing/rename\":{\"table\":\"users\",\"stages\":[\"USES_NEW_NAME\"],"
                + "\"lifecycle\":{\"operation\":\"RenameColumn\",\"phases\":[\"NOT_STARTED\","
                + "\"EXPAND\",\"BACKFILL\",\"VERIFY\",\"ENFORCE\",\"CONTRACT\",\"PURGE\"],"
                + "\"stages\":[{\"stage\":\"USES_OLD_NAME\",\"low\":0,\"high\":4},"
                + "{\"stage\":\"USES_NEW_NAME\",\"low\":4,\"high\":6},"
                + "{\"stage\":\"UPSERTS_NEW_NAME\",\"low\":5,\"high\":6}],"
                + "\"usable\":4,\"settled\":6,\"purge\":6}},"
                + "\"crm/drop\":{\"stages\":[\"UNUSED\"]}},"
                + "\"finished\":[\"billing/a\",\"billing/m\",\"billing/z\"],"
                + "\"touches\":[\"invoices\",\"orders\",\"users\"]}");
  }

  @Test
  void manifestsSurviveJson() {
    ReleaseManifest manifest = ReleaseManifest.of(new Billing());
    assertThat(ReleaseManifest.fromJson(manifest.toJson())).isEqualTo(manifest);
    ReleaseManifest warm =
        new ReleaseManifest("billing", "0", manifest.declarations(), List.of(), null, true);
    assertThat(ReleaseManifest.listFromJson(ReleaseManifest.toJson(List.of(manifest, warm))))
        .containsExactly(manifest, warm);
  }

  @Test
  void whatALaterVersionAddsIsPassedOver() {
    ReleaseManifest manifest = ReleaseManifest.of(new Billing());
    String later =
        manifest
            .toJson()
            .replace("{\"manifest\":1,", "{\"signed\":{\"by\":[\"x\"]},\"manifest\":1,")
            .replace("{\"table\":", "{\"colour\":\"red\",\"table\":");
    assertThat(later).contains("signed", "colour");
    assertThat(ReleaseManifest.fromJson(later)).isEqualTo(manifest);
  }

  @Test
  void aFormThatIsNotKnownYetIsRefused() {
    String later =
        ReleaseManifest.of(new Billing()).toJson().replace("\"manifest\":1", "\"manifest\":2");
    assertThatThrownBy(() -> ReleaseManifest.fromJson(later))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContainingAll("billing 2", "of form 2", "forms up to 1", "newer");
  }

  @Test
  void whatIsNoManifestIsRefused() {
    String good = ReleaseManifest.of(new Billing()).toJson();
    for (String bad :
        List.of(
            "",
            "{}",
            "3",
            "[]",
            "[3]",
            "{\"application\":1}",
            good.replace("\"manifest\":1", "\"manifest\":\"1\""),
            good.replace("\"application\":\"billing\",", ""),
            good.replace("\"release\":\"2\"", "\"release\":2"),
            good.replace("\"stages\":[\"UNUSED\"]", "\"stages\":[]"),
            good.replace("\"high\":6", "\"high\":\"six\""),
            good.replace("\"purge\":6", "\"purge\":null"))) {
      assertThatThrownBy(() -> ReleaseManifest.fromJson(bad))
          .as(bad)
          .isInstanceOf(DeclarationException.class)
          .hasMessageContaining("not a release manifest");
    }
    assertThatThrownBy(
            () -> ReleaseManifest.fromJson(good.replace("[\"USES_NEW_NAME\"]", "[\"DANCES\"]")))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContainingAll("DANCES", "USES_NEW_NAME");
  }

  @Test
  void aBuildWritesItsManifest() throws Exception {
    String file = written(Billing.class, "target/manifest.json");
    assertThat(Files.readString(Path.of(file)))
        .isEqualTo(ReleaseManifest.of(new Billing()).toJson() + "\n");
  }

  @Test
  void ciChecksACandidateAgainstAllThatAreCounted() throws Exception {
    String before = written(BillingBefore.class, "1.json");
    String candidate = written(Billing.class, "2.json");
    String tooFar = written(BillingTooFar.class, "3.json");
    Ran good = run("check", candidate, before);
    assertThat(good.err()).isEmpty();
    assertThat(good.status()).isZero();
    assertThat(good.out()).contains("billing 2 can roll out", "[billing 1]");

    Path counted = folder.resolve("counted.json");
    Files.writeString(
        counted,
        ReleaseManifest.toJson(
            List.of(ReleaseManifest.of(new Billing()), ReleaseManifest.of(new BillingBefore()))));
    Ran bad = run("check", tooFar, counted.toString());
    assertThat(bad.status()).isEqualTo(1);
    assertThat(bad.out()).isEmpty();
    assertThat(bad.err())
        .contains("billing 3 can't roll out", "release 1 of billing", "USES_NEW_NAME");
  }

  @Test
  void aBadCallIsNotTakenForABadRelease() throws Exception {
    String file = written(Billing.class, "2.json");
    Path broken = Files.writeString(folder.resolve("broken.json"), "[]");
    String target = folder.resolve("x.json").toString();
    record Bad(List<String> args, String says) {}
    for (Bad bad :
        List.of(
            new Bad(List.of(), "usage"),
            new Bad(List.of("check", file), "usage"),
            new Bad(List.of("write", Billing.class.getName()), "usage"),
            new Bad(List.of("wirte", Billing.class.getName(), target), "usage"),
            new Bad(List.of("check", file, target), "x.json can't be read"),
            new Bad(List.of("check", broken.toString(), file), "broken.json holds 0 manifests"),
            new Bad(List.of("write", "no.such.Build", target), "no.such.Build"),
            new Bad(List.of("write", "java.lang.String", target), "is no ThisBuild"),
            new Bad(
                List.of("write", NeedsAnArgument.class.getName(), target), "without parameters"),
            new Bad(
                List.of("write", NeedsItsSurroundings.class.getName(), target),
                "no configuration here"),
            new Bad(List.of("write", Billing.class.getName(), file + "/x"), "can't be written"))) {
      Ran ran = run(bad.args().toArray(String[]::new));
      assertThat(ran.status()).as("%s", bad).isEqualTo(2);
      assertThat(ran.err()).contains(bad.says());
      assertThat(ran.out()).isEmpty();
    }
    assertThat(Path.of(target)).doesNotExist();
  }
}
