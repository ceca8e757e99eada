package dev.zerodowntime.orchestrator.testing.rolling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChosenTest {

  private static final List<String> NAMES =
      IntStream.range(0, 24).mapToObj(each -> "scenario " + each).toList();

  @Test
  void everyScenarioComesUpOnceAWeek() {
    for (int monday : new int[] {0, 20_783, -5}) {
      Set<String> week = new TreeSet<>();
      for (int day = monday; day < monday + 7; day++) {
        List<String> chosen = new Chosen(false, day, 7, null).of(NAMES);
        assertThat(chosen).hasSizeBetween(3, 4);
        assertThat(week).doesNotContainAnyElementsOf(chosen);
        week.addAll(chosen);
      }
      assertThat(week).hasSameSizeAs(NAMES).containsAll(NAMES);
    }
  }

  @Test
  void theSameDayTakesTheSame() {
    assertThat(new Chosen(false, 3, 7, null).of(NAMES))
        .isEqualTo(new Chosen(false, 10, 7, null).of(NAMES))
        .isNotEqualTo(new Chosen(false, 4, 7, null).of(NAMES));
  }

  @Test
  void allOrThoseOfAName() {
    assertThat(new Chosen(true, 3, 7, null).of(NAMES)).isEqualTo(NAMES);
    assertThat(new Chosen(false, 3, 7, "scenario 1.").of(NAMES)).hasSize(10);
  }

  @Test
  void noneIsAnError() {
    assertThatThrownBy(() -> new Chosen(true, 3, 7, "szenario.*").of(NAMES))
        .hasMessageContaining("rolling.only=szenario.* takes none of [scenario 0,");
    assertThatThrownBy(() -> new Chosen(false, 5, 7, null).of(NAMES.subList(0, 2)))
        .hasMessageContaining("rolling.sample=5");
  }
}
