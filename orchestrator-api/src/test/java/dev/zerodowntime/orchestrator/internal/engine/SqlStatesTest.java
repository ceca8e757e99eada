package dev.zerodowntime.orchestrator.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqlStatesTest {

  private static final SQLException PASSWORD = new SQLException("no", "28P01");

  @Test
  void isFoundInCausesAndInWhatCameNext() {
    assertThat(SqlStates.any(PASSWORD, "28P01"::equals)).isTrue();
    assertThat(SqlStates.any(new SQLException("pool", "08001", PASSWORD), "28P01"::equals))
        .isTrue();
    SQLException first = new SQLException("batch");
    first.setNextException(PASSWORD);
    assertThat(SqlStates.any(first, "28P01"::equals)).isTrue();
    assertThat(SqlStates.any(first, "3D000"::equals)).isFalse();
  }

  @Test
  void causesMayFormACircle() {
    SQLException one = new SQLException("one");
    SQLException two = new SQLException("two", one);
    one.initCause(two);
    assertThat(SqlStates.any(one, "28P01"::equals)).isFalse();
    assertThat(SqlStates.unreachable(one)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"42501", "53300", "28P01", "XX000"})
  void whatAServerSaysIsAnAnswer(String state) {
    assertThat(SqlStates.unreachable(new SQLException("no", state))).isFalse();
  }

  @Test
  void noConnectionIsNone() {
    assertThat(SqlStates.unreachable(new SQLException("gone", "08006"))).isTrue();
    assertThat(SqlStates.unreachable(new SQLException("gone", new IOException()))).isTrue();
    assertThat(SqlStates.unreachable(new SQLTransientConnectionException("pool"))).isTrue();
  }
}
