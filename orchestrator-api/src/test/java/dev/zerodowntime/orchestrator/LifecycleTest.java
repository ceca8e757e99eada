package dev.zerodowntime.orchestrator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.AddExclusion;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DetachPartition;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.operation.WidenKey;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LifecycleTest {

  static Stream<Lifecycle> shipped() {
    return Stream.of(
            AddColumn.of("t/add").table("t").column("c", "int").notNull().defaultSql("1").build(),
            AddColumn.of("t/add").table("t").column("c", "int").build(),
            Backfill.of("t/backfill").table("t").set("c", "1").build(),
            Backfill.of("t/backfill").table("t").set("c", "c + 1").oncePerLedger().build(),
            DropColumn.of("t/drop").table("t").column("c").build(),
            CreateIndex.of("t/index").table("t").name("i").columns("c").build(),
            RenameColumn.of("t/rename").table("t").from("a").to("b").build(),
            RenameColumnInCode.of("t/rename").table("t").from("a").to("b").build(),
            AddCheck.of("t/check").table("t").name("k").expression("c > 0").build(),
            SetNotNull.of("t/not-null").table("t").column("c").build(),
            AddUnique.of("t/unique").table("t").name("u").columns("c").build(),
            RenameColumnByView.of("t/rename").table("t").from("a").to("b").build(),
            AddForeignKey.of("t/key")
                .table("t")
                .name("k")
                .columns("c")
                .references("u", "id")
                .build(),
            DropNotNull.of("t/nullable").table("t").column("c").build(),
            DropConstraint.of("t/constraint").table("t").name("k").build(),
            SetDefault.of("t/set").table("t").column("c").defaultSql("1").build(),
            DropDefault.of("t/unset").table("t").column("c").build(),
            DropTable.of("t/gone").table("t").build(),
            AddEnumValue.of("t/value").table("t").type("e").value("v").build(),
            DropIndex.of("t/drop").table("t").name("i").build(),
            RenameIndex.of("t/rename").table("t").from("i").to("j").build(),
            AddPrimaryKey.of("t/key").table("t").name("p").columns("c").build(),
            RenameTable.of("t/rename").from("t").to("u").build(),
            CreateTable.of("t/new").table("t").column("c", "int").build(),
            Reindex.of("t/reindex").table("t").build(),
            RenameEnumValue.of("t/rename").table("t").type("e").from("a").to("b").build(),
            AddGeneratedColumn.of("t/add").table("t").column("c", "int").expression("1").build(),
            AddExclusion.of("t/apart").table("t").name("k").definition("(c WITH =)").build(),
            WidenColumn.of("t/wide").table("t").column("c").type("text").build(),
            ChangeColumnType.of("t/type")
                .table("t")
                .from("a")
                .to("b")
                .type("bigint")
                .up("a::bigint")
                .down("b::int")
                .build(),
            AttachPartition.of("t/in").table("t").partition("p").bound("FOR VALUES IN (1)").build(),
            DetachPartition.of("t/out").table("t").partition("p").build(),
            WidenKey.of("t/key").table("t").column("id").build())
        .map(Migration::lifecycle);
  }

  @ParameterizedTest
  @MethodSource("shipped")
  void everyTransitionThatIsNotInTheTableThrowsWithOperationFromAndTo(Lifecycle lifecycle) {
    int legal = 0;
    for (int from = 0; from <= lifecycle.last(); from++) {
      for (int to = 0; to <= lifecycle.last(); to++) {
        boolean up = to == from + 1;
        boolean down = to == from - 1 && from != lifecycle.purge() && from != lifecycle.closed();
        if (up || down) {
          legal++;
          assertThat(lifecycle.transition(from, to).direction())
              .isEqualTo(up ? Direction.UP : Direction.DOWN);
        } else {
          int start = from;
          int end = to;
          assertThatThrownBy(() -> lifecycle.transition(start, end))
              .isInstanceOfSatisfying(
                  IllegalTransitionException.class,
                  e -> {
                    assertThat(e.operation()).isEqualTo(lifecycle.operation());
                    assertThat(e.from()).isEqualTo(lifecycle.name(start));
                    assertThat(e.to()).isEqualTo(lifecycle.name(end));
                  });
        }
      }
    }
    assertThat(lifecycle.transitions()).hasSize(legal);
  }

  @ParameterizedTest
  @MethodSource("shipped")
  void successiveStagesShareAPhaseSoThatTheyCanRollOut(Lifecycle lifecycle) {
    List<StageSpan> stages = lifecycle.stages();
    for (int i = 1; i < stages.size(); i++) {
      assertThat(stages.get(i - 1).span().overlaps(stages.get(i).span())).as("%s", stages).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("shipped")
  void survivesBeingStored(Lifecycle lifecycle) {
    assertThat(Lifecycle.fromMap(lifecycle.toMap())).isEqualTo(lifecycle);
  }

  @Test
  void nothingLeadsBackOutOfAPurge() {
    Lifecycle drop = DropColumn.of("t/drop").table("t").column("c").build().lifecycle();

    assertThat(drop.reachable(DropColumn.CONTRACT, 0)).isTrue();
    assertThat(drop.reachable(DropColumn.PURGE, DropColumn.CONTRACT)).isFalse();
  }

  @Test
  void workThatIsDoneOnceGoesOnToItsEnd() {
    Backfill.Builder work = Backfill.of("t/backfill").table("t").set("c", "c + 1");

    assertThat(work.build().lifecycle().reachable(Backfill.BACKFILL, 0)).isTrue();
    assertThat(work.oncePerKey().build().lifecycle().reachable(Backfill.BACKFILL, 0)).isFalse();
    assertThat(work.build().lifecycle().reachable(0, Backfill.BACKFILL)).isTrue();
  }

  @Test
  void refusesSpansThatShrink() {
    assertThatThrownBy(
            () ->
                Lifecycle.of(
                    "Broken",
                    List.of("NOT_STARTED", "DONE"),
                    List.of(new StageSpan("A", new Span(0, 1)), new StageSpan("B", new Span(0, 0))),
                    1,
                    1,
                    -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("grow");
  }

  /** Until the tombstone is gone the way back needs both names. */
  @Test
  void aColumnInQuarantineIsNotYetAnotherMigrations() {
    for (Migration<?> each :
        List.of(
            DropColumn.of("t/drop").table("t").column("c").build(),
            RenameColumn.of("t/rename").table("t").from("a").to("b").build(),
            RenameColumnInCode.of("t/code").table("t").from("a").to("b").build(),
            DropTable.of("t/gone").table("t").build())) {
      assertThat(each.lifecycle().settled())
          .as(each.id())
          .isEqualTo(each.lifecycle().purge())
          .isEqualTo(each.lifecycle().last());
    }
  }
}
