package dev.zerodowntime.orchestrator.mysql.contract;

import dev.zerodowntime.orchestrator.mysql.crash.MysqlProduct;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.contract.OperationContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

class MariaDbOperationContractTest extends OperationContract {

  @Override
  protected Product server() {
    return new MysqlProduct(MysqlServer.get(MysqlServer.Flavor.MARIADB));
  }

  /** All of them take longer than a build may. */
  @Override
  protected int days() {
    return 5;
  }
}
