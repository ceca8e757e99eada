package dev.zerodowntime.orchestrator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RolloutCheckTest {

  private static final RenameColumn RENAME =
      RenameColumn.of("billing/rename").table("users").from("name").to("full_name").build();

  private static ReleaseManifest release(String name, RenameColumn.Code... stages) {
    Map<String, ReleaseManifest.Declaration> declarations =
        stages.length == 0
            ? Map.of()
            : Map.of(
                RENAME.id(),
                new ReleaseManifest.Declaration(
                    RENAME.lifecycle(), Stream.of(stages).map(Enum::name).toList()));
    return new ReleaseManifest("billing", name, declarations, List.of());
  }

  @Test
  void oldThenNewCanRollOut() {
    RolloutCheck check =
        RolloutCheck.of(
            release("1"),
            release("2", RenameColumn.Code.USES_OLD_NAME),
            release("3", RenameColumn.Code.USES_NEW_NAME),
            release("4", RenameColumn.Code.UPSERTS_NEW_NAME));

    assertThat(check.problems()).isEmpty();
    assertThat(check.ok()).isTrue();
  }

  @Test
  void aReleaseThatSkipsAStageIsFoundWithoutADatabase() {
    RolloutCheck check =
        RolloutCheck.of(release("1"), release("2", RenameColumn.Code.UPSERTS_NEW_NAME));

    assertThat(check.ok()).isFalse();
    assertThat(check.problems())
        .singleElement()
        .asString()
        .contains("billing/rename", "release 1", "release 2", "USES_NEW_NAME");
  }

  @Test
  void aBuildThatCanDoEitherBridgesTheGap() {
    assertThat(
            RolloutCheck.of(
                    release("1"),
                    release(
                        "2", RenameColumn.Code.USES_NEW_NAME, RenameColumn.Code.UPSERTS_NEW_NAME))
                .ok())
        .isTrue();
  }

  @Test
  void aBuildThatForgetsTheMigrationIsAtItsOldestStage() {
    assertThat(RolloutCheck.of(release("1", RenameColumn.Code.UPSERTS_NEW_NAME), release("2")).ok())
        .isFalse();
  }

  @Test
  void manifestsSurviveJson() {
    ReleaseManifest manifest = release("1", RenameColumn.Code.USES_OLD_NAME);

    assertThat(ReleaseManifest.fromJson(manifest.toJson())).isEqualTo(manifest);
    assertThatThrownBy(() -> ReleaseManifest.fromJson("{\"application\":1}"))
        .isInstanceOf(DeclarationException.class)
        .hasMessageContaining("not a release manifest");
  }
}
