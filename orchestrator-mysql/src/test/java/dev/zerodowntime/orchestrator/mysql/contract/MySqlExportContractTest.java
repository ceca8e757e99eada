package dev.zerodowntime.orchestrator.mysql.contract;

import dev.zerodowntime.orchestrator.mysql.crash.MysqlProduct;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.contract.ExportContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

class MySqlExportContractTest extends ExportContract {

  @Override
  protected Product server() {
    return new MysqlProduct(MysqlServer.get(MysqlServer.Flavor.MYSQL));
  }

  /** A check that is added in a new database is enforced by the server itself. */
  @Override
  protected String alike(String line) {
    return line.replace(" /*!80016 NOT ENFORCED */", "");
  }
}
