package dev.zerodowntime.orchestrator.postgres.contract;

import dev.zerodowntime.orchestrator.postgres.crash.PostgresProduct;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.testing.contract.ExportContract;
import dev.zerodowntime.orchestrator.testing.crash.Product;

@PostgresTest
class PostgresExportContractTest extends ExportContract {

  @Override
  protected Product server() {
    return new PostgresProduct();
  }

  /** Of the parts of a partitioned table's indexes. */
  @Override
  protected String chosenNames() {
    return "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE"
        + " c.relkind IN ('i', 'I')";
  }
}
