/** Tests of an application's own migrations, for JUnit 5. */
module dev.zerodowntime.orchestrator.junit {
  requires transitive dev.zerodowntime.orchestrator;
  requires transitive java.sql;
  requires transitive org.junit.jupiter.api;
  requires static org.jspecify;

  exports dev.zerodowntime.orchestrator.junit;
}
