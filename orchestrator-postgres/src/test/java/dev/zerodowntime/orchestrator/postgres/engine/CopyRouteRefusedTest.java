package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** No operation copies a table here. */
@PostgresTest
class CopyRouteRefusedTest {

  @Test
  void whatIsToGoByACopyIsRefused(TestDatabase database) {
    database.execute("CREATE TABLE t (id int PRIMARY KEY)");
    Members.install(database.dataSource());
    Reindex migration = Reindex.of("billing/anew").table("t").byCopy().build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .thisBuild(migration, Reindex.Code.UNAWARE)
            .build()) {
      assertThatThrownBy(member::advance)
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("PostgreSQL needs for no operation. Leave byCopy() out");
    }
  }

  @Test
  void aToolIsRefused(TestDatabase database) {
    try (Orchestrator member =
        Members.member(database.dataSource(), "1")
            .copyTool(
                CopyTool.ptOnlineSchemaChange(
                    Path.of("/usr/bin/pt-online-schema-change"), "db", 3306, "me", () -> ""))
            .build()) {
      assertThatThrownBy(member::advance)
          .isInstanceOf(DeclarationException.class)
          .hasMessageContaining("PostgreSQL has no copy route");
    }
  }
}
