package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.spi.Facts;
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

/** A check: proved for the rows there are before it is there, and again afterwards. */
final class MysqlAddCheck implements OperationSupport<AddCheck> {

  private final MysqlVersion version;
  private final CopyRoute copies;

  MysqlAddCheck(MysqlVersion version) {
    this(version, CopyRoute.none());
  }

  MysqlAddCheck(MysqlVersion version, CopyRoute copies) {
    this.version = version;
    this.copies = copies;
  }

  @Override
  public OperationType<AddCheck> type() {
    return AddCheck.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddCheck migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    AddCheckCheck check = new AddCheckCheck(migration, target, version, copies, connection);
    if (phase <= AddCheck.ENFORCE) {
      return check.facts(known);
    }
    check.requireKept(known);
    return known;
  }

  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public void preflightBack(
      AddCheck migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (phase == AddCheck.ENFORCE) {
      new AddCheckCheck(migration, target, version, copies, connection).requireUnchanged(facts);
    }
  }

  @Override
  public List<String> advice(AddCheck migration, Map<String, Object> facts) {
    return Facts.flag(facts, AddCheckCheck.ENFORCED)
        ? List.of()
        : List.of(
            "MySQL enforces a check only by copying the table, with every write blocked: check \""
                + migration.name()
                + "\" stays NOT ENFORCED in its catalog, and two triggers enforce it, also for"
                + " INSERT IGNORE. Whoever has a quiet hour may ALTER CHECK it ENFORCED by hand, and"
                + " drop them.");
  }

  @Override
  public List<Step> steps(
      AddCheck migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    CheckSteps check =
        new CheckSteps(version, target.schema(), migration.table(), migration.name(), facts);
    boolean up = direction == Direction.UP;
    boolean there = Facts.flag(facts, AddCheckCheck.THERE);
    // Somebody else's stays, on the way back too.
    boolean done = there && Facts.flag(facts, AddCheckCheck.ENFORCED);
    List<Step> steps = new ArrayList<>();
    if (CopyRoute.chosen(facts) && phase == AddCheck.ENFORCE) {
      CopySteps copy =
          new CopySteps(migration.id(), target.schema(), migration.table(), "up", facts);
      if (up) {
        steps.add(check.verify("verify-rows"));
        steps.addAll(
            copy.replace(
                check.clause(),
                "adds the check, enforced by the server",
                Probes.check(target.schema(), migration.table(), migration.name())));
      } else {
        steps.addAll(copy.undo());
        steps.add(check.dropNamed());
      }
      return steps;
    }
    switch (phase) {
      case AddCheck.ENFORCE -> {
        if (up) {
          steps.add(check.verify("verify-rows"));
        }
        if (!done) {
          steps.addAll(up ? check.add(there) : check.drop(there));
        }
      }
      case AddCheck.DONE -> {
        // Unproved it would reject the same rows: there is nothing to take back.
        if (up) {
          steps.add(check.verify("prove-rows"));
        }
      }
      default -> throw new IllegalArgumentException("AddCheck has no phase " + phase);
    }
    return steps;
  }

  @Override
  public List<String> net(AddCheck migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    boolean there = Facts.flag(facts, AddCheckCheck.THERE);
    plain.requireOurs(
        there && Facts.flag(facts, AddCheckCheck.ENFORCED), "check \"" + migration.name() + "\"");
    String check = "CHECK (" + migration.expression() + ")";
    String host = Facts.text(facts, AddCheckCheck.HOST);
    if (host != null) {
      return List.of(
          plain.modify(
              migration.table(),
              host,
              Facts.required(facts, AddCheckCheck.DEFINITION) + " " + check));
    }
    String name = Plain.name(migration.name());
    return List.of(
        plain.alter(
            migration.table(),
            (there ? "DROP CONSTRAINT " + name + ", " : "")
                + "ADD CONSTRAINT "
                + name
                + " "
                + check));
  }
}
