package dev.zerodowntime.orchestrator.postgres.contract;

import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.contract.RefusalContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

@PostgresTest
class PostgresRefusalContractTest extends RefusalContract {

  @Override
  protected Product server() {
    return new PostgresProduct();
  }
}
