/** The PostgreSQL dialect, found by {@link java.util.ServiceLoader}. */
module dev.zerodowntime.orchestrator.postgres {
  requires dev.zerodowntime.orchestrator;
  requires org.slf4j;
  requires static org.jspecify;

  exports dev.zerodowntime.orchestrator.postgres;

  provides dev.zerodowntime.orchestrator.spi.Dialect with
      dev.zerodowntime.orchestrator.postgres.PostgresDialect;
}
