package dev.zerodowntime.orchestrator.mysql.contract;

import dev.zerodowntime.orchestrator.mysql.crash.MysqlProduct;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.contract.ExportContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

class MariaDbExportContractTest extends ExportContract {

  @Override
  protected Product server() {
    return new MysqlProduct(MysqlServer.get(MysqlServer.Flavor.MARIADB));
  }
}
