package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.DetachPartition;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A partition, detached CONCURRENTLY with a check that attaches it again without a look. */
final class PostgresDetachPartition implements OperationSupport<DetachPartition> {

  @Override
  public OperationType<DetachPartition> type() {
    return DetachPartition.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DetachPartition migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    CatalogTable parent = PartitionCheck.parent(catalog, migration.table());
    String name = Sql.qualified(target.schema(), migration.partition());
    List<CatalogPartition> siblings = PartitionCheck.siblings(catalog, parent);
    CatalogPartition partition =
        siblings.stream()
            .filter(each -> each.qualified().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    catalog.refuse(
                        "table " + name + " is not a partition of " + parent.display(),
                        "Its partitions are "
                            + siblings.stream().map(CatalogPartition::qualified).toList()
                            + "; names are taken literally, upper and lower case included."));
    Optional<CatalogPartition> other = PartitionCheck.other(siblings);
    if (other.isPresent()) {
      throw catalog.refuse(
          "table "
              + parent.display()
              + " has a default partition, "
              + other.get().qualified()
              + ": with one the server detaches nothing CONCURRENTLY",
          "Detach that one by hand first, or this one in a quiet moment.");
    }
    if (!partition.kind().equals("r")) {
      throw catalog.refuse(
          "partition "
              + name
              + (partition.leaf() ? " is a foreign table" : " is partitioned itself"),
          "Only partitions that are ordinary tables are supported so far.");
    }
    if (!partition.owned()) {
      throw catalog.forbid(
          "user \"" + catalog.user() + "\" does not own partition " + name,
          "GRANT " + Sql.quote(partition.owner()) + " TO " + Sql.quote(catalog.user()) + ";");
    }
    String constraint =
        catalog
            .list(
                "SELECT pg_get_partition_constraintdef(?::bigint::oid)",
                row -> String.valueOf(row.getString(1)),
                partition.oid())
            .get(0);
    return PartitionSteps.facts(
        parent, name, String.valueOf(partition.bound()), constraint, null, catalog);
  }

  @Override
  public List<Step> steps(
      DetachPartition migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    PartitionSteps partition = PartitionSteps.of(facts);
    List<Step> steps = new ArrayList<>();
    if (direction == Direction.UP) {
      steps.add(partition.addCheck());
      steps.add(partition.validate());
      steps.addAll(partition.detach());
    } else {
      steps.add(partition.attach());
      steps.add(partition.dropCheck());
    }
    return steps;
  }

  @Override
  public List<String> net(DetachPartition migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    return List.of(
        plain.alter(migration.table(), "DETACH PARTITION " + plain.in(migration.partition())));
  }
}
