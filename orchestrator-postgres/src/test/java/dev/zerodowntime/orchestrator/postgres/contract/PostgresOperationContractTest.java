package dev.zerodowntime.orchestrator.postgres.contract;

import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.contract.OperationContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

@PostgresTest
class PostgresOperationContractTest extends OperationContract {

  @Override
  protected Product server() {
    return new PostgresProduct();
  }

  /** All of them take longer than a build may. */
  @Override
  protected int days() {
    return 5;
  }
}
