package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What this version was shipped with is what a server does. {@code -Dcapabilities.write=true} notes
 * what it does in the shipped data and in {@code docs/mysql-capabilities.md}, for the series that
 * were given.
 */
@Tag("long")
class CapabilityTest {

  @ParameterizedTest
  @EnumSource(Flavor.class)
  void theServerDoesWhatIsWritten(Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    CapabilityProof proof = new CapabilityProof(server);
    List<Capability> found = new ArrayList<>();
    for (Change each : Change.values()) {
      found.add(proof.find(each));
    }
    assertThat(found).hasSize(Change.values().length);
    if (Boolean.getBoolean("capabilities.write")) {
      CapabilityDocs.write(server, found);
      return;
    }
    Capabilities shipped = Capabilities.shipped();
    List<String> differences = new ArrayList<>();
    for (Capability each : found) {
      Optional<Capability> written = shipped.of(server.series(), each.change());
      if (!written.equals(Optional.of(each))) {
        differences.add(
            each.change()
                + ": "
                + each.words()
                + ", not "
                + written.map(Capability::words).orElse("(nothing is written)"));
      }
    }
    System.out.printf(
        "capabilities: %s (%s): %d changes, %d different from what is written%n",
        server.series(), server.version(), found.size(), differences.size());
    if (shipped.servers().contains(server.series())) {
      assertThat(differences).isEmpty();
    } else {
      // A series that is newer than this version: statements name their algorithm.
      System.out.println("!!!! " + server.series() + " is not in capabilities.tsv");
    }
  }
}
