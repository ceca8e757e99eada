package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.io.EOFException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Names, texts and errors. */
@PostgresTest
class SqlTest {

  @Test
  void literalsMeanThemselves(TestDatabase db) {
    for (String text : new String[] {"", "'", "a'b", "\\", "\\'", "\\x41", "é\n\t'\\\\", "$$"}) {
      for (String conforming : new String[] {"on", "off"}) {
        String hex =
            db.queryOne(
                "SELECT encode(convert_to("
                    + Sql.literal(text)
                    + ", 'UTF8'), 'hex') FROM set_config('zdo.x', '"
                    + conforming
                    + "', false)");
        assertThat(hex).isEqualTo(hex(text));
      }
      // Parsed under the setting, so it has to be another statement.
      String sql =
          "SELECT encode(convert_to("
              + Sql.literal(text)
              + ", 'UTF8'), 'hex') = '"
              + hex(text)
              + "'";
      db.execute(
          "SET standard_conforming_strings = off",
          "SET standard_conforming_strings = off; DO "
              + Sql.literal("BEGIN ASSERT (" + sql + "); END"));
    }
  }

  private static String hex(String text) {
    StringBuilder hex = new StringBuilder();
    for (byte b : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
      hex.append(String.format("%02x", b));
    }
    return hex.toString();
  }

  @Test
  void identifiersMeanThemselves(TestDatabase db) {
    for (String name : new String[] {"select", "a\"b", "A b", "ключ", "'", "\\", "é".repeat(31)}) {
      db.execute(
          "CREATE TABLE " + Sql.qualified("public", name) + " (" + Sql.quote(name) + " int)");
      assertThat(db.<Boolean>queryOne("SELECT " + Sql.regclass("public", name) + " IS NOT NULL"))
          .isTrue();
      assertThat(
              db.queryLong(
                  "SELECT count(*) FROM pg_attribute WHERE attname = " + Sql.literal(name)))
          .isEqualTo(1);
    }
    assertThat(db.<Object>queryOne("SELECT " + Sql.regclass("nowhere", "nothing"))).isNull();
  }

  @Test
  void longNamesAreRefusedOrCut() {
    assertThat(Sql.requireFits("m/1", "column", "é".repeat(31) + "x")).hasSize(32);
    assertThatThrownBy(() -> Sql.requireFits("m/1", "column", "é".repeat(32)))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("column name \"" + "é".repeat(32) + "\" is 64 bytes")
        .hasMessageContaining("63 bytes");
    assertThat(Sql.cut("aé😀", 3)).isEqualTo("aé");
    assertThat(Sql.cut("aé😀", 6)).isEqualTo("aé");
    assertThat(Sql.cut("aé😀", 7)).isEqualTo("aé😀");
    String tombstone = Sql.tombstone("m/1", "public", "😀".repeat(15));
    assertThat(tombstone).startsWith("zdo_old_").endsWith("😀");
    assertThat(Sql.bytes(tombstone)).isLessThanOrEqualTo(63);
    assertThat(Sql.tombstone("m/1", "public", "c"))
        .isEqualTo(Sql.tombstone("m/1", "public", "c"))
        .isNotEqualTo(Sql.tombstone("m/2", "public", "c"))
        .isNotEqualTo(Sql.tombstone("m/1", "tenant", "c"))
        .matches("zdo_old_[0-9a-f]{8}_c");
    // Never to change: objects of earlier releases are found by it.
    assertThat(Sql.hash8("billing/1", "public")).isEqualTo("e91acf46");
    assertThat(Sql.hash8("a", "bc")).isNotEqualTo(Sql.hash8("ab", "c"));
  }

  @Test
  void errorsAreToldApart() {
    Map.of(
            "55P03", SqlErrorKind.LOCK_TIMEOUT,
            "57014", SqlErrorKind.CANCELLED,
            "40P01", SqlErrorKind.DEADLOCK,
            "40001", SqlErrorKind.DEADLOCK,
            "08006", SqlErrorKind.CONNECTION_LOST,
            "57P01", SqlErrorKind.CONNECTION_LOST,
            "42501", SqlErrorKind.PRIVILEGE,
            "42P01", SqlErrorKind.UNDEFINED_TABLE,
            "25006", SqlErrorKind.READ_ONLY,
            "22012", SqlErrorKind.DATA)
        .forEach(
            (state, kind) -> {
              SQLException plain = new SQLException("x", state);
              assertThat(PostgresErrors.classify(plain)).as(state).isEqualTo(kind);
              assertThat(PostgresErrors.classify(new SQLException("wrapped", plain)))
                  .isEqualTo(kind);
              BatchUpdateException batch = new BatchUpdateException();
              batch.setNextException(plain);
              assertThat(PostgresErrors.classify(batch)).isEqualTo(kind);
            });
    assertThat(PostgresErrors.classify(new SQLException("x", new EOFException())))
        .isEqualTo(SqlErrorKind.CONNECTION_LOST);
    assertThat(
            PostgresErrors.classify(new java.sql.SQLTransientConnectionException("pool is empty")))
        .isEqualTo(SqlErrorKind.CONNECTION_LOST);
  }
}
