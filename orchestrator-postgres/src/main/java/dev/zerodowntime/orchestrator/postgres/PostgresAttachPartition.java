package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A table that becomes a partition: proved, checked, validated, indexed, attached. */
final class PostgresAttachPartition implements OperationSupport<AttachPartition> {

  @Override
  public OperationType<AttachPartition> type() {
    return AttachPartition.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AttachPartition migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new AttachPartitionCheck(migration, target, connection).facts();
  }

  /** How a partition is detached depends on whether there is a default one. */
  @Override
  public void preflightBack(
      AttachPartition migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (phase == AttachPartition.DONE) {
      new AttachPartitionCheck(migration, target, connection)
          .requireSameDefault(PartitionSteps.of(facts).other());
    }
  }

  @Override
  public List<Step> steps(
      AttachPartition migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    PartitionSteps partition = PartitionSteps.of(facts);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case AttachPartition.ENFORCE -> up ? enforce(partition, facts) : release(partition);
      case AttachPartition.DONE ->
          up ? attach(target, partition, facts) : detach(target, partition, facts);
      default -> throw new IllegalArgumentException("AttachPartition has no phase " + phase);
    };
  }

  private static List<Step> enforce(PartitionSteps partition, Map<String, Object> facts) {
    List<Step> steps = new ArrayList<>();
    steps.add(
        new VerifyStep(
            "verify-rows",
            "no row of " + partition.table() + " may be out of bounds",
            new Scan(
                partition.table(),
                Facts.key(facts),
                "(" + partition.constraint() + ") IS NOT TRUE")));
    String other = partition.other();
    if (other != null) {
      steps.add(
          new VerifyStep(
              "verify-default",
              "no row of the default partition " + other + " may be within the bounds",
              new Scan(
                  other,
                  Facts.key(facts, AttachPartitionCheck.OTHER_KEY),
                  "(" + partition.constraint() + ") IS TRUE")));
    }
    steps.add(partition.addCheck());
    steps.addAll(partition.addOtherCheck());
    return steps;
  }

  private static List<Step> release(PartitionSteps partition) {
    List<Step> steps = new ArrayList<>(partition.dropOtherCheck());
    steps.add(partition.dropCheck());
    return steps;
  }

  private static List<Step> attach(
      Target target, PartitionSteps partition, Map<String, Object> facts) {
    List<Step> steps = new ArrayList<>();
    steps.add(partition.validate());
    steps.addAll(partition.validateOther());
    String table = partition.table();
    for (Map<String, Object> build : Facts.maps(facts, AttachPartitionCheck.BUILDS)) {
      String name = Facts.required(build, "name");
      String index = Sql.qualified(target.schema(), name);
      steps.add(
          new OnlineStep(
              "build-" + PartitionedIndex.key(name),
              "builds an index like the partitioned table's while the table is in use",
              TableLock.each("SHARE UPDATE EXCLUSIVE", List.of(table)),
              "CREATE "
                  + (Facts.flag(build, "unique") ? "UNIQUE " : "")
                  + "INDEX CONCURRENTLY "
                  + Sql.quote(name)
                  + " ON "
                  + table
                  + Facts.required(build, "tail"),
              Probes.all(Probes.validIndex(table, index)),
              Probes.all(Probes.invalidIndex(table, index)),
              List.of("DROP INDEX CONCURRENTLY IF EXISTS " + index)));
      String constraint = Facts.text(build, "constraint");
      if (constraint != null) {
        steps.add(
            new DdlStep(
                "constraint-" + PartitionedIndex.key(name),
                "makes it a constraint's, as it is there; the index is the proof",
                TableLock.each("ACCESS EXCLUSIVE", List.of(table)),
                List.of(
                    "ALTER TABLE "
                        + table
                        + " ADD CONSTRAINT "
                        + Sql.quote(name)
                        + " "
                        + constraint),
                Probes.all(Probes.constraint(table, name)),
                false));
      }
    }
    steps.add(partition.attach());
    steps.add(partition.dropCheck());
    steps.addAll(partition.dropOtherCheck());
    return steps;
  }

  private static List<Step> detach(
      Target target, PartitionSteps partition, Map<String, Object> facts) {
    List<Step> steps = new ArrayList<>();
    steps.add(partition.addCheck());
    steps.add(partition.validate());
    steps.addAll(partition.addOtherCheck());
    steps.addAll(partition.detach());
    String table = partition.table();
    for (Map<String, Object> build : Facts.maps(facts, AttachPartitionCheck.BUILDS)) {
      String name = Facts.required(build, "name");
      String index = Sql.qualified(target.schema(), name);
      if (build.containsKey("constraint")) {
        steps.add(
            ConstraintSteps.drop(
                "drop-constraint-" + PartitionedIndex.key(name),
                "drops the constraint that it had not, with its index",
                List.of(table),
                name));
      }
      steps.add(
          new OnlineStep(
              "drop-" + PartitionedIndex.key(name),
              "drops the index that it had not",
              TableLock.each("SHARE UPDATE EXCLUSIVE", List.of(table)),
              "DROP INDEX CONCURRENTLY IF EXISTS " + index,
              Probes.all(Probes.not(Probes.index(table, index))),
              Probes.NEVER,
              List.of()));
    }
    return steps;
  }

  /** Partitions and indexes may have come since. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public List<String> net(AttachPartition migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    return List.of(
        plain.alter(
            migration.table(),
            "ATTACH PARTITION " + plain.in(migration.partition()) + " " + migration.bound()));
  }
}
