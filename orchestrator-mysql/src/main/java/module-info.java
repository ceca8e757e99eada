/** The MySQL and MariaDB dialect. */
module dev.zerodowntime.orchestrator.mysql {
  requires dev.zerodowntime.orchestrator;
  requires static org.jspecify;
}
