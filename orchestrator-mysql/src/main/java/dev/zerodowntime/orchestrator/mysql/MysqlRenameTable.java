package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A table gets a new name, and a view shows it by the other one for a while.
 *
 * <p>The table and the view change names in one statement, RENAME TABLE of several names, before
 * and after which there is something of either name: nobody finds nothing.
 *
 * <p>The view is always the one of the two names that comes first. A statement that uses it locks
 * its name and then the table's; RENAME TABLE locks names in their order. Were the table's the
 * first, it could get between the two, and a statement that has read what the view was by then
 * fails, for the server has it wait and go on with the other half of what was. So a table whose new
 * name comes after the old one moves in EXPAND, and one whose new name comes before moves in
 * CONTRACT.
 */
final class MysqlRenameTable implements OperationSupport<RenameTable> {

  private final MysqlVersion version;

  MysqlRenameTable(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<RenameTable> type() {
    return RenameTable.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameTable migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    RenameTableCheck check = new RenameTableCheck(migration, target, version, connection);
    if (phase == RenameTable.CONTRACT) {
      check.requireContractible(early(known));
      return known;
    }
    return check.facts();
  }

  @Override
  public void preflightBack(
      RenameTable migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    RenameTableCheck check = new RenameTableCheck(migration, target, version, connection);
    if (phase == RenameTable.CONTRACT) {
      check.requireShowable(early(facts));
    } else if (phase == RenameTable.EXPAND) {
      check.requireShrinkable(early(facts));
    }
  }

  private static boolean early(Map<String, Object> facts) {
    return Facts.flag(facts, RenameTableCheck.EARLY);
  }

  /** Somebody may have built on the view. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= RenameTable.CONTRACT;
  }

  @Override
  public List<String> advice(RenameTable migration, Map<String, Object> facts) {
    List<String> grantees = Facts.texts(facts, RenameTableCheck.GRANTEES);
    return grantees.isEmpty()
        ? List.of()
        : List.of(
            "rights on a table belong to its name: those of "
                + String.join(", ", grantees)
                + " are on \""
                + migration.table()
                + "\" and stay there; grant them on \""
                + migration.to()
                + "\" as well, once it is there");
  }

  @Override
  public List<Step> steps(
      RenameTable migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    Names names = new Names(migration, target, Facts.texts(facts, RenameTableCheck.PARTNERS));
    String from = migration.table();
    String to = migration.to();
    boolean up = direction == Direction.UP;
    boolean early = early(facts);
    return switch (phase) {
      case RenameTable.EXPAND ->
          early
              ? List.of(up ? names.show(to, from) : names.dropView(to))
              : up ? names.move(from, to) : names.moveBack(to, from);
      case RenameTable.CONTRACT ->
          early
              ? up ? names.moveBack(from, to) : names.move(to, from)
              : List.of(up ? names.dropView(from) : names.show(from, to));
      default -> throw new IllegalArgumentException("RenameTable has no phase " + phase);
    };
  }

  /** Our own empty table, unquoted. */
  static String placeholder(RenameTable migration, Target target) {
    return "zdo_empty_" + Sql.hash8(migration.id(), target.schema());
  }

  /** What is written on it while it has the new name. */
  static String mark(RenameTable migration) {
    return "empty; belongs to migration " + migration.id();
  }

  /** Everything by its name. */
  private static final class Names {
    private final String schema;
    private final String view;
    private final String empty;
    private final String mark;
    private final List<String> partners;

    Names(RenameTable migration, Target target, List<String> partners) {
      schema = target.schema();
      view = "zdo_view_" + Sql.hash8(migration.id(), schema);
      empty = placeholder(migration, target);
      mark = mark(migration);
      this.partners = partners;
    }

    private String full(String name) {
      return Sql.qualified(schema, name);
    }

    private String marked(String name) {
      return Probes.table(schema, name, "TABLE_COMMENT = " + Sql.literal(mark));
    }

    /**
     * The table moves to a name that comes after its own, and leaves a view. That can only be
     * created over a table that is there: so an empty one has the name until then, and leaves it by
     * the same statement; it is dropped by a name that nothing else ever has.
     */
    List<Step> move(String table, String later) {
      String moved = Probes.view(schema, table);
      return List.of(
          step(
              "make-placeholder",
              "an empty table like the one that is renamed, for the view to be made over",
              List.of(empty),
              "CREATE TABLE " + full(empty) + " LIKE " + full(table),
              any(Probes.table(schema, empty), marked(later), moved)),
          step(
              "place-placeholder",
              "it has the other name for a moment",
              List.of(empty),
              "ALTER TABLE "
                  + full(empty)
                  + " RENAME TO "
                  + full(later)
                  + ", COMMENT = "
                  + Sql.literal(mark),
              any(marked(later), moved)),
          step(
              "make-view",
              "a view of what has that name",
              List.of(view),
              createView(view, later),
              any(Probes.view(schema, view), moved)),
          swap(
              "rename-table",
              "the table gets that name, and the view the table's, in one statement; touches no"
                  + " row",
              table,
              later,
              List.of(renamed(later, empty), renamed(table, later), renamed(view, table)),
              moved),
          step(
              "drop-placeholder",
              "the empty table goes",
              List.of(empty),
              "DROP TABLE " + full(empty),
              Probes.not(Probes.table(schema, empty))));
    }

    /** The table takes the place of the view. */
    List<Step> moveBack(String table, String earlier) {
      return List.of(
          swap(
              "rename-table",
              "the table takes the view's name, in one statement; touches no row",
              table,
              earlier,
              List.of(renamed(earlier, view), renamed(table, earlier)),
              Probes.table(schema, earlier)),
          step(
              "drop-view",
              "the view goes, which nobody has known by this name",
              List.of(view),
              "DROP VIEW " + full(view),
              Probes.not(Probes.view(schema, view))),
          step(
              "displace-placeholder",
              "an empty table that is left gives the other name back",
              List.of(table),
              "ALTER TABLE " + full(table) + " RENAME TO " + full(empty),
              Probes.not(marked(table))),
          step(
              "drop-placeholder",
              "the empty table goes",
              List.of(empty),
              "DROP TABLE " + full(empty),
              Probes.not(Probes.table(schema, empty))));
    }

    Step dropView(String name) {
      return step(
          "drop-view",
          "drops the view: one name is left",
          List.of(name),
          "DROP VIEW " + full(name),
          Probes.not(Probes.view(schema, name)));
    }

    Step show(String name, String table) {
      return step(
          "show-table",
          "a view shows the table by the other name, too; touches no row",
          List.of(name),
          createView(name, table),
          Probes.view(schema, name));
    }

    /** With its maker's rights on the table: who has rights on the view's name needs no others. */
    private String createView(String name, String table) {
      return "CREATE ALGORITHM = MERGE SQL SECURITY DEFINER VIEW "
          + full(name)
          + " AS SELECT * FROM "
          + full(table);
    }

    private String renamed(String name, String other) {
      return full(name) + " TO " + full(other);
    }

    private static String any(String... conditions) {
      return "(" + String.join(" OR ", conditions) + ")";
    }

    private Step swap(
        String name,
        String summary,
        String table,
        String other,
        List<String> renames,
        String done) {
      List<String> locked = new ArrayList<>(List.of(full(table), full(other)));
      locked.addAll(partners);
      return ddl(name, summary, locked, "RENAME TABLE " + String.join(", ", renames), done);
    }

    private Step step(String name, String summary, List<String> tables, String sql, String done) {
      return ddl(name, summary, tables.stream().map(this::full).toList(), sql, done);
    }

    private static Step ddl(
        String name, String summary, List<String> locked, String sql, String done) {
      return new DdlStep(
          name,
          summary,
          TableLock.each("EXCLUSIVE", locked),
          List.of(sql),
          Probes.all(done),
          false);
    }
  }

  @Override
  public List<String> net(RenameTable migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    return List.of(
        "RENAME TABLE " + plain.in(migration.table()) + " TO " + plain.in(migration.to()));
  }
}
