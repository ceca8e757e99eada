package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.spi.Dialect;
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
}
