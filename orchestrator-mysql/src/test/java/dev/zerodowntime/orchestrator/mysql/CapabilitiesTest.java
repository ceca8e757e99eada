package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.mysql.Capability.Algorithm;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {

  private final Capabilities shipped = Capabilities.shipped();

  @Test
  void everySeriesThatWasTriedHasEveryChange() {
    assertThat(shipped.servers()).anyMatch(each -> each.startsWith("MySQL "));
    assertThat(shipped.servers()).anyMatch(each -> each.startsWith("MariaDB "));
    for (String server : shipped.servers()) {
      for (Change each : Change.values()) {
        assertThat(shipped.of(server, each)).as("%s, %s", server, each).isPresent();
      }
    }
  }

  @Test
  void nothingIsKnownOfOthers() {
    assertThat(shipped.of("MySQL 5.5", Change.ADD_COLUMN)).isEmpty();
  }

  /** What the design rests on, whatever the series. */
  @Test
  void aColumnIsAddedAtOnceAndATypeIsNotChangedInPlace() {
    for (String server : shipped.servers()) {
      assertThat(shipped.of(server, Change.ADD_COLUMN).orElseThrow().algorithm())
          .isEqualTo(Algorithm.INSTANT);
      assertThat(shipped.of(server, Change.INT_TO_BIGINT).orElseThrow().algorithm())
          .isEqualTo(Algorithm.COPY);
    }
  }

  @Test
  void thePageSaysWhatTheDataSays() throws Exception {
    assertThat(Files.readString(CapabilityDocs.PAGE)).isEqualTo(CapabilityDocs.page(shipped));
  }

  @Test
  void aBrokenLineIsNamed() {
    assertThatThrownBy(() -> Capabilities.read("MySQL 9.7\tADD_COLUMN"))
        .hasMessageContaining("MySQL 9.7\tADD_COLUMN");
  }
}
