/** The MySQL and MariaDB dialect. */
module dev.zerodowntime.orchestrator.mysql {
  requires dev.zerodowntime.orchestrator;
  requires static org.jspecify;

  exports dev.zerodowntime.orchestrator.mysql;

  provides dev.zerodowntime.orchestrator.spi.Dialect with
      dev.zerodowntime.orchestrator.mysql.MysqlDialect;
}
