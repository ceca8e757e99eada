package dev.zerodowntime.samples.rollingdeploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VerdictTest {

  private static final List<Integer> ALL = List.of(1, 2, 3, 4, 3, 4, 5);
  private static final Set<String> BOTH = Set.of("UserByName", "UserByFullName");

  @Test
  void holds() {
    Verdict verdict = new Verdict(5_000, 0, 400, 0, ALL, BOTH);
    assertThat(verdict.objections()).isEmpty();
    assertThat(verdict.line(12))
        .isEqualTo(
            "proof: requests=5000 failed=0 slowest_ms=12 users=400 differ=0"
                + " releases=1,2,3,4,3,4,5");
  }

  @Test
  void doesNotHoldWhereSomethingWentWrong() {
    assertThat(new Verdict(5_000, 1, 400, 0, ALL, BOTH).objections())
        .singleElement()
        .asString()
        .contains("1 requests have failed");
    assertThat(new Verdict(5_000, 0, 400, 2, ALL, BOTH).objections())
        .singleElement()
        .asString()
        .contains("2 users are lost");
  }

  @Test
  void doesNotHoldWhereTooLittleWasTried() {
    assertThat(new Verdict(999, 0, 400, 0, ALL, BOTH).objections())
        .containsExactly("too little was tried");
    assertThat(new Verdict(5_000, 0, 0, 0, ALL, BOTH).objections())
        .containsExactly("too little was tried");
    assertThat(new Verdict(5_000, 0, 400, 0, List.of(1, 2, 3, 4, 5), BOTH).objections())
        .singleElement()
        .asString()
        .contains("[1, 2, 3, 4, 5] have served");
    assertThat(new Verdict(5_000, 0, 400, 0, ALL, Set.of("UserByFullName")).objections())
        .singleElement()
        .asString()
        .contains("both sides of the rename");
  }
}
