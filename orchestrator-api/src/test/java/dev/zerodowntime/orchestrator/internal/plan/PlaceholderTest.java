package dev.zerodowntime.orchestrator.internal.plan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlaceholderTest {

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "SELECT {s}.f() | SELECT \"it's\".f()",
        "SELECT to_regclass('{s}.t'), {s}.f() | SELECT to_regclass('\"it''s\".t'), \"it's\".f()",
        "SELECT 'a''b', '{s}' | SELECT 'a''b', '\"it''s\"'",
        "/* don't */ SELECT {s}.f() | /* don't */ SELECT \"it's\".f()",
        "SELECT \"x'y\", {s}.f() | SELECT \"x'y\", \"it's\".f()",
        "$$ SELECT '{s}.t' $$ | $$ SELECT '\"it''s\".t' $$",
        "SELECT 1 -- '{s} | SELECT 1 -- '{s}"
      })
  void quotesWithinLiterals(String sql, String expected) {
    assertThat(Placeholder.replace(sql, "{s}", "\"it's\"")).isEqualTo(expected);
  }
}
