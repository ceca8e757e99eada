package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.lang.reflect.Method;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class MysqlDialectTest {

  private final MysqlDialect dialect = new MysqlDialect();

  @Test
  void isFoundByTheServiceLoader() {
    List<Dialect> found =
        ServiceLoader.load(Dialect.class).stream().map(ServiceLoader.Provider::get).toList();

    assertThat(found).hasExactlyElementsOfTypes(MysqlDialect.class);
  }

  @Test
  void isForMysqlAndMariadbOnly() {
    assertThat(dialect.matches("MySQL")).isTrue();
    assertThat(dialect.matches("MariaDB")).isTrue();
    assertThat(dialect.matches("PostgreSQL")).isFalse();
  }

  @Test
  void refusesBeforeItTouchesTheConnection() throws Exception {
    // Called with no connection at all: whatever it would ask of one would fail differently.
    Method inspect = MysqlDialect.class.getMethod("inspect", java.sql.Connection.class);

    assertThatThrownBy(() -> inspect.invoke(dialect, new Object[] {null}))
        .cause()
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining("MySQL and MariaDB are not supported yet")
        .hasMessageContaining("PostgreSQL 14")
        .extracting(e -> ((DatabaseException) e).code())
        .isEqualTo(ErrorCode.UNSUPPORTED_SERVER);
  }

  @Test
  void hasNoOperations() {
    assertThat(dialect.operations()).isEmpty();
  }
}
