/** Public API, dialect SPI and engine; the engine's packages stay closed. */
@SuppressWarnings("requires-transitive-automatic") // Flyway has no module of its own name
module dev.zerodowntime.orchestrator {
  requires transitive java.sql;
  requires org.slf4j;
  requires transitive flyway.core;
  requires static org.jspecify;

  exports dev.zerodowntime.orchestrator;
  exports dev.zerodowntime.orchestrator.operation;
  exports dev.zerodowntime.orchestrator.spi;

  uses dev.zerodowntime.orchestrator.spi.Dialect;
}
