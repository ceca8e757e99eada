package dev.zerodowntime.orchestrator.mysql.contract;

import dev.zerodowntime.orchestrator.mysql.crash.MysqlProduct;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.testing.contract.AnyNameContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import java.util.Set;

class MariaDbAnyNameContractTest extends AnyNameContract {

  @Override
  protected Product server() {
    return new MysqlProduct(MysqlServer.get(MysqlServer.Flavor.MARIADB));
  }

  /** The SQL of a plan is its author's. */
  @Override
  protected Set<String> others() {
    return Set.of("PhasePlan");
  }
}
