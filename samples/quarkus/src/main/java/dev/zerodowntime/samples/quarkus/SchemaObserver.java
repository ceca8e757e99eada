package dev.zerodowntime.samples.quarkus;

import dev.zerodowntime.orchestrator.Orchestrator;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Health, metrics and the end. */
@Startup
@Singleton
@Readiness
class SchemaObserver implements HealthCheck {

  private final Schema schema = Schema.current();
  private final MeterRegistry registry;

  SchemaObserver(MeterRegistry registry) {
    this.registry = registry;
  }

  @PostConstruct
  void measure() {
    schema
        .orchestrator()
        .ifPresent(
            orchestrator -> {
              Gauge.builder("orchestrator.fit", orchestrator, each -> each.fit() ? 1 : 0)
                  .description("1 while this instance is counted and fits the schema")
                  .register(registry);
              Gauge.builder("orchestrator.unfinished", orchestrator, SchemaObserver::unfinished)
                  .description("Migrations that are not finished")
                  .register(registry);
            });
  }

  private static double unfinished(Orchestrator orchestrator) {
    return orchestrator.status().migrations().stream().filter(each -> !each.finished()).count();
  }

  /** An instance that was struck off gets no requests until it is admitted again. */
  @Override
  public HealthCheckResponse call() {
    return HealthCheckResponse.named("orchestrator")
        .status(schema.orchestrator().map(Orchestrator::fit).orElse(true))
        .withData("entity", schema.mapping().entity().getSimpleName())
        .build();
  }

  /** After the last request. */
  @PreDestroy
  void close() {
    schema.close();
  }
}
