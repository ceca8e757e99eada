package dev.zerodowntime.orchestrator.postgres.contract;

import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.contract.BackfillContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

@PostgresTest
class PostgresBackfillContractTest extends BackfillContract {

  @Override
  protected Product server() {
    return new PostgresProduct();
  }
}
