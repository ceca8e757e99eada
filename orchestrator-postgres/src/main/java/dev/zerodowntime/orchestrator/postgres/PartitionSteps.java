package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Attaches a table as a partition, and detaches it, each with a check that says what the server
 * would otherwise read all rows to find out.
 *
 * @param parent the partitioned table, quoted and qualified
 * @param table the other one, quoted and qualified
 * @param bound which rows are its, as SQL
 * @param constraint the same as a condition over a row
 * @param check name of the check, unquoted
 * @param other the default partition, quoted and qualified; null if there is none
 * @param otherCheck name of the default partition's check, unquoted
 * @param references tables that the partitioned one's foreign keys point to, quoted and qualified
 * @param locked those of them that the user may lock
 */
record PartitionSteps(
    String parent,
    String table,
    String bound,
    String constraint,
    String check,
    @Nullable String other,
    String otherCheck,
    List<String> references,
    List<String> locked) {

  private static final String SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE";
  private static final String SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE";
  private static final String ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE";

  /** What LOCK TABLE wants. */
  private static final String MAY_LOCK =
      "has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')"
          + " AND has_schema_privilege(n.oid, 'USAGE')";

  /** What facts need to make this anew. */
  static Map<String, Object> facts(
      CatalogTable whole,
      String table,
      String bound,
      String constraint,
      @Nullable String other,
      Catalog catalog)
      throws SQLException {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("parent", whole.qualified());
    facts.put("partition", table);
    facts.put("bound", bound);
    facts.put("constraint", constraint);
    if (other != null) {
      facts.put("default", other);
    }
    List<String> references = references(catalog, whole, "true");
    if (!references.isEmpty()) {
      facts.put("references", references);
      facts.put("locked", references(catalog, whole, MAY_LOCK));
    }
    return facts;
  }

  private static List<String> references(Catalog catalog, CatalogTable whole, String condition)
      throws SQLException {
    return catalog.list(
        "SELECT DISTINCT n.nspname, c.relname FROM pg_constraint k JOIN pg_class c"
            + " ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
            + " k.contype = 'f' AND k.conrelid = ?::bigint::oid AND "
            + condition
            + " ORDER BY 1, 2",
        row -> Sql.qualified(row.getString(1), row.getString(2)),
        whole.oid());
  }

  static PartitionSteps of(Map<String, Object> facts) {
    String parent = Facts.required(facts, "parent");
    String table = Facts.required(facts, "partition");
    return new PartitionSteps(
        parent,
        table,
        Facts.required(facts, "bound"),
        Facts.required(facts, "constraint"),
        checkName(parent, table),
        Facts.text(facts, "default"),
        "zdo_default_" + Sql.hash8(parent, table),
        Facts.texts(facts, "references"),
        Facts.texts(facts, "locked"));
  }

  /** The same for whoever attaches and whoever detaches. */
  static String checkName(String parent, String table) {
    return "zdo_bound_" + Sql.hash8(parent, table);
  }

  private String attached() {
    return Probes.partition(parent, table);
  }

  /** New and changed rows of the table must be within the bounds. */
  Step addCheck() {
    return new DdlStep(
        "add-bound-check",
        "new and changed rows must be within the bounds; existing ones are not looked at",
        TableLock.each(ACCESS_EXCLUSIVE, List.of(table)),
        List.of(add(table, check, constraint)),
        Probes.all(Probes.constraint(table, check)),
        false);
  }

  /** None of the default partition's may be. */
  List<Step> addOtherCheck() {
    return other == null
        ? List.of()
        : List.of(
            new DdlStep(
                "add-default-check",
                "new and changed rows of the default partition must not be within the bounds",
                TableLock.each(ACCESS_EXCLUSIVE, List.of(other)),
                List.of(add(other, otherCheck, "NOT (" + constraint + ")")),
                Probes.all(Probes.constraint(other, otherCheck)),
                false));
  }

  private static String add(String table, String check, String constraint) {
    return "ALTER TABLE "
        + table
        + " ADD CONSTRAINT "
        + Sql.quote(check)
        + " CHECK ("
        + constraint
        + ") NOT VALID";
  }

  /** Proves the check for the rows there are. */
  Step validate() {
    return validate("validate-bound", table, check);
  }

  /** Proves the default partition's. */
  List<Step> validateOther() {
    return other == null ? List.of() : List.of(validate("validate-default", other, otherCheck));
  }

  private Step validate(String step, String on, String name) {
    return new OnlineStep(
        step,
        "reads all rows of " + on + " while it is in use, so that the server needn't later",
        TableLock.each(SHARE_UPDATE_EXCLUSIVE, List.of(on)),
        "ALTER TABLE " + on + " VALIDATE CONSTRAINT " + Sql.quote(name),
        Probes.all(Probes.validated(on, name)),
        Probes.NEVER,
        List.of());
  }

  /** Its check is the proof, so no row is looked at. */
  Step attach() {
    // The triggers of the table's own foreign keys are dropped, for the partitioned table's do.
    List<TableLock> locks =
        withReferences(
            ACCESS_EXCLUSIVE,
            new TableLock(ACCESS_EXCLUSIVE, table),
            new TableLock(SHARE_UPDATE_EXCLUSIVE, parent));
    if (other != null) {
      locks.add(new TableLock(ACCESS_EXCLUSIVE, other));
    }
    return new DdlStep(
        "attach",
        "its rows are the partitioned table's from then on; the checks are the proof, so that no"
            + " row is looked at",
        locks,
        afterLocks("ALTER TABLE " + parent + " ATTACH PARTITION " + table + " " + bound),
        Probes.all(attached()),
        false);
  }

  /**
   * Whoever uses both tables comes from the referenced one, or reads both at once; the statement by
   * itself would lock them the other way round, and end as a deadlock for as long as there is load.
   * Nobody else may hold the first lock: who does, and then waits for the second, is in the way of
   * it.
   */
  private List<String> afterLocks(String statement) {
    return Stream.concat(
            locked.stream()
                .map(each -> "LOCK TABLE ONLY " + each + " IN " + ACCESS_EXCLUSIVE + " MODE"),
            Stream.of(statement))
        .toList();
  }

  private List<TableLock> withReferences(String mode, TableLock... locks) {
    List<TableLock> all = new ArrayList<>(TableLock.each(mode, references));
    all.addAll(List.of(locks));
    return all;
  }

  /** The bound says the same. */
  Step dropCheck() {
    return drop("drop-bound-check", table, check);
  }

  /** The default partition's own bound says the same. */
  List<Step> dropOtherCheck() {
    return other == null ? List.of() : List.of(drop("drop-default-check", other, otherCheck));
  }

  private static Step drop(String step, String table, String check) {
    return ConstraintSteps.drop(step, "the check is not needed any more", List.of(table), check);
  }

  /**
   * The server does it in two transactions: after the first the partitioned table's new queries
   * don't see it any more, and the second waits for those that still do. Where that takes longer
   * than the lock budget the second is done by another statement, when it can be.
   */
  List<Step> detach() {
    if (other != null) {
      return List.of(
          new DdlStep(
              "detach",
              "its rows are its own from then on; with a default partition that can't be done"
                  + " CONCURRENTLY",
              withReferences(
                  ACCESS_EXCLUSIVE,
                  new TableLock(ACCESS_EXCLUSIVE, parent),
                  new TableLock(ACCESS_EXCLUSIVE, table),
                  new TableLock(ACCESS_EXCLUSIVE, other)),
              afterLocks("ALTER TABLE " + parent + " DETACH PARTITION " + table),
              Probes.all(Probes.not(attached())),
              false));
    }
    Probe gone =
        Probes.all(
            Probes.not(
                "EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = "
                    + Sql.regclass(table)
                    + ")"));
    return List.of(
        new OnlineStep(
            "detach",
            "new queries of the partitioned table don't see its rows any more",
            withReferences(
                SHARE_ROW_EXCLUSIVE,
                new TableLock(SHARE_UPDATE_EXCLUSIVE, parent),
                new TableLock(ACCESS_EXCLUSIVE, table)),
            "ALTER TABLE " + parent + " DETACH PARTITION " + table + " CONCURRENTLY",
            Probes.all(Probes.not(attached())),
            Probes.NEVER,
            List.of(),
            true),
        new DdlStep(
            "finalize",
            "ends what was interrupted, if the queries that still saw it have taken longer than"
                + " the lock budget",
            withReferences(
                SHARE_ROW_EXCLUSIVE,
                new TableLock(ACCESS_EXCLUSIVE, table),
                new TableLock(SHARE_UPDATE_EXCLUSIVE, parent)),
            // With a lock in hand it would wait for statements that wait for that.
            List.of("ALTER TABLE " + parent + " DETACH PARTITION " + table + " FINALIZE"),
            gone,
            false));
  }
}
