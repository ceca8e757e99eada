package dev.zerodowntime.orchestrator.postgres.contract;

import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.contract.FleetContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

@PostgresTest
class PostgresFleetContractTest extends FleetContract {

  @Override
  protected Product server() {
    return new PostgresProduct();
  }
}
