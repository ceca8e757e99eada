package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
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

/**
 * A foreign key, added without the server's own check of the rows there are, which would copy the
 * table. From then on the server checks what is written; the rows that were there are proved in
 * batches, before and after.
 */
final class MysqlAddForeignKey implements OperationSupport<AddForeignKey> {

  private final MysqlVersion version;

  MysqlAddForeignKey(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<AddForeignKey> type() {
    return AddForeignKey.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddForeignKey migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return phase <= AddForeignKey.ENFORCE
        ? new AddForeignKeyCheck(migration, target, version, connection).facts()
        : known;
  }

  @Override
  public List<Step> steps(
      AddForeignKey migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    boolean up = direction == Direction.UP;
    boolean there = Facts.flag(facts, AddForeignKeyCheck.THERE);
    return switch (phase) {
      case AddForeignKey.ENFORCE -> {
        List<Step> steps = new ArrayList<>();
        if (up) {
          steps.add(verify(migration, target, facts, "verify-rows", AddForeignKeyCheck.ORPHAN));
        }
        // Somebody else's stays, on the way back too.
        if (!there) {
          steps.add(up ? add(migration, target, facts) : drop(migration, target));
        }
        yield steps;
      }
      // Unproved it would reject the same rows: there is nothing to take back.
      case AddForeignKey.DONE ->
          up
              ? List.of(verify(migration, target, facts, "prove-rows", AddForeignKeyCheck.UNPROVED))
              : List.of();
      default -> throw new IllegalArgumentException("AddForeignKey has no phase " + phase);
    };
  }

  private static Step verify(
      AddForeignKey migration,
      Target target,
      Map<String, Object> facts,
      String step,
      String condition) {
    return new VerifyStep(
        step,
        "no row may refer to a row of " + referenced(migration, target) + " that is not there",
        new Scan(table(migration, target), Facts.key(facts), Facts.required(facts, condition)));
  }

  private Step add(AddForeignKey migration, Target target, Map<String, Object> facts) {
    return step(
        migration,
        target,
        "add-foreign-key",
        "new and changed rows must refer to a row, and what is referred to can't go; looks at no"
            + " row",
        MysqlLockBudget.UNCHECKED
            + "ALTER TABLE "
            + table(migration, target)
            + " ADD CONSTRAINT "
            + Sql.quote(migration.name())
            + " FOREIGN KEY ("
            + AddForeignKeyCheck.names(Facts.texts(facts, AddForeignKeyCheck.COLUMNS))
            + ") REFERENCES "
            + referenced(migration, target)
            + " ("
            + AddForeignKeyCheck.names(Facts.texts(facts, AddForeignKeyCheck.REFERENCED))
            + ") ON DELETE "
            + migration.onDelete().sql()
            + " ON UPDATE "
            + migration.onUpdate().sql(),
        true);
  }

  private Step drop(AddForeignKey migration, Target target) {
    return step(
        migration,
        target,
        "drop-foreign-key",
        "rows may refer to nothing from now on",
        "ALTER TABLE "
            + table(migration, target)
            + " DROP FOREIGN KEY "
            + Sql.quote(migration.name()),
        false);
  }

  /** Both tables are locked for a moment, wherever the server does so. */
  private Step step(
      AddForeignKey migration,
      Target target,
      String name,
      String summary,
      String sql,
      boolean added) {
    String there = Probes.foreignKey(target.schema(), migration.table(), migration.name());
    return new DdlStep(
        name,
        summary,
        TableLock.each(
            "EXCLUSIVE", List.of(table(migration, target), referenced(migration, target))),
        List.of(sql + Ddl.catalogOnly(version)),
        Probes.all(added ? there : Probes.not(there)),
        false);
  }

  private static String table(AddForeignKey migration, Target target) {
    return Sql.qualified(target.schema(), migration.table());
  }

  private static String referenced(AddForeignKey migration, Target target) {
    return Sql.qualified(
        migration.referencedSchema().orElse(target.schema()), migration.referencedTable());
  }

  @Override
  public List<String> net(AddForeignKey migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    plain.requireOurs(
        Facts.flag(facts, AddForeignKeyCheck.THERE), "foreign key \"" + migration.name() + "\"");
    return List.of(
        plain.alter(
            migration.table(),
            "ADD CONSTRAINT "
                + Plain.name(migration.name())
                + " FOREIGN KEY ("
                + Plain.names(migration.key())
                + ") REFERENCES "
                + plain.in(
                    migration.referencedSchema().orElse(target.schema()),
                    migration.referencedTable())
                + " ("
                + Plain.names(migration.referencedColumns())
                + ")"
                + " ON DELETE "
                + migration.onDelete().sql()
                + " ON UPDATE "
                + migration.onUpdate().sql()));
  }
}
