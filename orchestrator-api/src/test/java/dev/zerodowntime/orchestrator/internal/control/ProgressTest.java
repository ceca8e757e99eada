package dev.zerodowntime.orchestrator.internal.control;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {

  private static Progress of(boolean verifying, int batchRows) {
    return new Progress("fill", verifying, false, 1, null, null, 7, 30, 0, batchRows);
  }

  @ParameterizedTest
  @CsvSource({
    // Rows, milliseconds, rows of the next batch; the budget is 200 ms, the most are 1,000.
    "100, 49, 200",
    "100, 50, 100",
    "100, 200, 100",
    "100, 201, 50",
    "800, 1, 1000",
    "1000, 1, 1000",
    "3, 900, 1",
    "1, 900, 1",
    // The policy was changed meanwhile.
    "5000, 100, 1000",
  })
  void batchesFollowTheBudget(int rows, long millis, int next) {
    assertThat(of(false, rows).sized(millis, 200, 1_000).batchRows()).isEqualTo(next);
  }

  @Test
  void saysHowManyRowsABatchHas() {
    assertThat(of(false, 25).describe()).contains("7 rows", "about 30", "in batches of 25 rows");
    assertThat(of(false, 1).describe()).endsWith("in batches of 1 row");
    assertThat(of(true, 25).describe()).contains("verifying", "in batches of 250 rows");
  }
}
