package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import java.util.List;
import org.junit.jupiter.api.Test;

@PostgresTest
class PlainTest {

  @Test
  void everyWordThatTheServerReservesIsQuoted() {
    try (TestDatabase database = TestDatabase.create("plain")) {
      List<String> words =
          database.rows("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").stream()
              .map(row -> (String) row.get(0))
              .toList();
      assertThat(words).hasSizeGreaterThan(80);
      assertThat(Plain.RESERVED).containsAll(words);
    }
  }

  @Test
  void otherNamesAreQuotedWhereTheyMustBe() {
    assertThat(Plain.names(List.of("users", "Users", "user", "a b", "1st", "_1", "a\"b")))
        .isEqualTo("users, \"Users\", \"user\", \"a b\", \"1st\", _1, \"a\"\"b\"");
  }

  @Test
  void aSchemaIsSaidWhereItIsAnother() {
    Plain here = new Plain(new NetTarget("billing/x", "app", false));
    assertThat(here.in("users")).isEqualTo("users");
    assertThat(here.in("other", "users")).isEqualTo("other.users");
    assertThat(here.of("\"app\".\"Us\"\"ers\"")).isEqualTo("\"Us\"\"ers\"");
    assertThat(here.of("\"other\".\"users\"")).isEqualTo("\"other\".\"users\"");
    assertThat(new Plain(new NetTarget("billing/x", "app", true)).in("users"))
        .isEqualTo("app.users");
  }
}
