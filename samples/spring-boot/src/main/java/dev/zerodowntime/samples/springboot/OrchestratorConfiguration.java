package dev.zerodowntime.samples.springboot;

import dev.zerodowntime.orchestrator.Orchestrator;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnExpression;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.orm.jpa.persistenceunit.PersistenceManagedTypes;

/** All that the application has to do with the library, but for what it declares. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnExpression("${app.release} != 1")
class OrchestratorConfiguration {

  @Bean
  Release release(@Value("${app.release}") int number) {
    return Release.numbered(number);
  }

  /** After Flyway. Closed by Spring: after everything that uses the pool, before the pool. */
  @Bean
  @DependsOnDatabaseInitialization
  Orchestrator orchestrator(DataSource pool, Release release) {
    Orchestrator orchestrator =
        release
            .declare(Orchestrator.builder(pool).application("users").release(release.name()))
            .timing(Migrations::hurried)
            // Asked right before anything is dropped for good: is there a backup?
            .backupGate((migration, drops) -> true)
            .build();
    try {
      orchestrator.advance(); // Throws if this build doesn't fit the schema: it must not serve.
      return orchestrator;
    } catch (RuntimeException e) {
      orchestrator.close();
      throw e;
    }
  }

  /** Before the EntityManagerFactory, which is made of this. */
  @Bean
  PersistenceManagedTypes entities(Orchestrator orchestrator, Release release) {
    return PersistenceManagedTypes.of(release.entity(orchestrator).getName());
  }

  /** An instance that was struck off gets no requests until it is admitted again. */
  @Bean
  HealthIndicator orchestratorHealthIndicator(Orchestrator orchestrator, Release release) {
    return () ->
        (orchestrator.fit() ? Health.up() : Health.outOfService())
            .withDetail("entity", release.entity(orchestrator).getSimpleName())
            .build();
  }

  @Bean
  MeterBinder metrics(Orchestrator orchestrator) {
    return registry -> {
      Gauge.builder("orchestrator.fit", orchestrator, each -> each.fit() ? 1 : 0)
          .description("1 while this instance is counted and fits the schema")
          .register(registry);
      Gauge.builder("orchestrator.unfinished", orchestrator, OrchestratorConfiguration::unfinished)
          .description("Migrations that are not finished")
          .register(registry);
    };
  }

  private static double unfinished(Orchestrator orchestrator) {
    return orchestrator.status().migrations().stream().filter(each -> !each.finished()).count();
  }
}
