package dev.zerodowntime.samples.quarkus;

import dev.zerodowntime.orchestrator.Orchestrator;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Optional;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigProvider;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;

/**
 * Flyway, then the library, with connections of their own: all this is before Quarkus has a pool,
 * and is closed when nothing uses the database any more.
 */
final class Schema {

  private static @Nullable Schema current;

  private final AgroalDataSource pool;
  private final @Nullable Orchestrator orchestrator;
  private final Mapping mapping;

  private Schema(AgroalDataSource pool, @Nullable Orchestrator orchestrator, Mapping mapping) {
    this.pool = pool;
    this.orchestrator = orchestrator;
    this.mapping = mapping;
  }

  /** Throws if this build doesn't fit the schema: it must not serve. */
  static synchronized Schema open() {
    Config config = ConfigProvider.getConfig();
    int number = config.getValue("app.release", Integer.class);
    AgroalDataSource pool = pool(config.getValue("quarkus.datasource.jdbc.url", String.class));
    Flyway.configure().dataSource(pool).load().migrate();
    // Release 1 is the application as it was.
    current =
        number == 1
            ? new Schema(pool, null, Mapping.WITHOUT_REGION)
            : advance(pool, Release.numbered(number));
    return current;
  }

  private static Schema advance(AgroalDataSource pool, Release release) {
    Orchestrator orchestrator =
        release
            .declare(Orchestrator.builder(pool).application("users").release(release.name()))
            .timing(Migrations::hurried)
            // Asked right before anything is dropped for good: is there a backup?
            .backupGate((migration, drops) -> true)
            .build();
    orchestrator.advance();
    return new Schema(pool, orchestrator, release.mapping(orchestrator));
  }

  /** One connection carries heartbeats, two are for what the library drives. */
  private static AgroalDataSource pool(String url) {
    try {
      return AgroalDataSource.from(
          new AgroalDataSourceConfigurationSupplier()
              .connectionPoolConfiguration(
                  each ->
                      each.maxSize(4)
                          .connectionFactoryConfiguration(factory -> factory.jdbcUrl(url))));
    } catch (SQLException e) {
      throw new IllegalStateException("no pool for " + url, e);
    }
  }

  /** The one of this process. */
  static synchronized Schema current() {
    return Objects.requireNonNull(current, "Main has not opened it");
  }

  /** Empty in release 1. */
  Optional<Orchestrator> orchestrator() {
    return Optional.ofNullable(orchestrator);
  }

  Mapping mapping() {
    return mapping;
  }

  void close() {
    if (orchestrator != null) {
      orchestrator.close();
    }
    pool.close();
  }
}
