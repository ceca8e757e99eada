package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A foreign key or a check, which come back as one is added, or a unique constraint, which is its
 * index.
 */
final class MysqlDropConstraint implements OperationSupport<DropConstraint> {

  /** A unique one: what follows ADD to build it again. */
  private static final String CLAUSE = "clause";

  private static final String SCHEMA = "referencedSchema";
  private static final String TABLE = "referencedTable";
  private static final String ON_DELETE = "onDelete";
  private static final String ON_UPDATE = "onUpdate";

  private final MysqlVersion version;

  MysqlDropConstraint(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<DropConstraint> type() {
    return DropConstraint.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropConstraint migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, version, connection);
    CatalogTable table = catalog.table(migration.table());
    Map<String, Object> key = foreignKey(catalog, table, migration.name());
    CatalogIndex index =
        catalog.find(table, migration.name()).filter(CatalogIndex::unique).orElse(null);
    if (!key.isEmpty() && index != null) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has both a foreign key and a unique index \""
              + migration.name()
              + "\"",
          "Rename the index first, with RenameIndex.");
    }
    if (!key.isEmpty()) {
      Map<String, Object> facts = new LinkedHashMap<>(key);
      facts.putAll(
          new AddForeignKeyCheck(added(migration, key), target, version, connection).facts());
      // It is this one that goes, and comes back.
      facts.put(AddForeignKeyCheck.THERE, false);
      return facts;
    }
    Map<String, Object> check =
        new DropCheck(version, migration, target).facts(catalog, table, known, connection);
    if (!check.isEmpty() && index != null) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has both a check and a unique index \""
              + migration.name()
              + "\"",
          "Rename the index first, with RenameIndex.");
    }
    if (!check.isEmpty()) {
      return check;
    }
    if (index == null) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has no foreign key, no check and no unique constraint \""
              + migration.name()
              + "\"",
          "It has "
              + table.definition().constraints().keySet()
              + ", and the indexes "
              + table.definition().keys().keySet()
              + (version.mariadb() ? "; a column's own check is called like the column." : "."));
    }
    Privileges.of(catalog).require(table, "INDEX");
    catalog.requireNoCluster("building the index again, as the way back does,");
    if (!index.columns().stream().allMatch(column -> !column.isEmpty())) {
      throw catalog.refuse(
          "unique constraint "
              + Sql.quote(index.name())
              + " of table "
              + table.display()
              + " is over an expression: the way back, which builds its index again, would block"
              + " every write meanwhile",
          "Drop it by hand, if you must.");
    }
    new IndexCheck(catalog, table).requireDispensable(index);
    return Map.of(CLAUSE, index.clause());
  }

  /** What it is like; empty where there is none. */
  private static Map<String, Object> foreignKey(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    Map<String, Object> facts = new LinkedHashMap<>();
    List<String> own = new ArrayList<>();
    List<String> other = new ArrayList<>();
    catalog.list(
        "SELECT COLUMN_NAME, REFERENCED_COLUMN_NAME, REFERENCED_TABLE_SCHEMA,"
            + " REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE "
            + Probes.isTable(table.schema(), table.name())
            + " AND CONSTRAINT_NAME = ? AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY"
            + " ORDINAL_POSITION",
        row -> {
          own.add(row.getString(1));
          other.add(row.getString(2));
          facts.put(SCHEMA, row.getString(3));
          return facts.put(TABLE, row.getString(4));
        },
        name);
    if (own.isEmpty()) {
      return Map.of();
    }
    String clause =
        table.definition().constraints().entrySet().stream()
            .filter(each -> each.getKey().equalsIgnoreCase(name))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElseThrow();
    facts.put(ON_DELETE, rule(catalog.version(), clause, "DELETE"));
    facts.put(ON_UPDATE, rule(catalog.version(), clause, "UPDATE"));
    facts.put(AddForeignKeyCheck.COLUMNS, own);
    facts.put(AddForeignKeyCheck.REFERENCED, other);
    return facts;
  }

  /**
   * As the server wrote it down; each leaves out another word for the same. Whatever is said, a
   * MariaDB that adds a foreign key in place takes RESTRICT for NO ACTION, which it is to InnoDB.
   */
  private static String rule(MysqlVersion version, String clause, String event) {
    Matcher rule =
        Pattern.compile(" ON " + event + " (CASCADE|SET NULL|SET DEFAULT|NO ACTION|RESTRICT)")
            .matcher(clause.substring(clause.lastIndexOf(')')));
    return rule.find()
        ? rule.group(1).replace(' ', '_')
        : version.mariadb() ? "RESTRICT" : "NO_ACTION";
  }

  /** The declaration that would have added it. */
  private static AddForeignKey added(DropConstraint migration, Map<String, Object> facts) {
    return AddForeignKey.of(migration.id())
        .table(migration.table())
        .name(migration.name())
        .columns(Facts.texts(facts, AddForeignKeyCheck.COLUMNS).toArray(String[]::new))
        .referencedSchema(Facts.required(facts, SCHEMA))
        .references(
            Facts.required(facts, TABLE),
            Facts.texts(facts, AddForeignKeyCheck.REFERENCED).toArray(String[]::new))
        .onDelete(AddForeignKey.Action.valueOf(Facts.required(facts, ON_DELETE)))
        .onUpdate(AddForeignKey.Action.valueOf(Facts.required(facts, ON_UPDATE)))
        .build();
  }

  /** What it referred to may be gone, or its name taken. */
  @Override
  public void preflightBack(
      DropConstraint migration,
      Target target,
      int phase,
      Map<String, Object> facts,
      Connection connection)
      throws SQLException {
    if (DropCheck.is(facts)) {
      new DropCheck(version, migration, target)
          .preflightBack(new Catalog(migration, target, version, connection), facts, connection);
    } else if (!facts.containsKey(CLAUSE)) {
      new AddForeignKeyCheck(added(migration, facts), target, version, connection).facts();
    }
  }

  @Override
  public Optional<String> consent(
      DropConstraint migration, Map<String, Object> facts, int phase, Direction direction) {
    return DropCheck.is(facts)
        ? new DropCheck(version, migration, new Target(migration.id(), "", ""))
            .consent(facts, direction)
        : Optional.empty();
  }

  @Override
  public List<Step> steps(
      DropConstraint migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != DropConstraint.DONE) {
      throw new IllegalArgumentException("DropConstraint has no phase " + phase);
    }
    if (DropCheck.is(facts)) {
      return new DropCheck(version, migration, target).steps(facts, direction);
    }
    boolean up = direction == Direction.UP;
    String schema = target.schema();
    String table = migration.table();
    if (facts.containsKey(CLAUSE)) {
      return List.of(
          up
              ? MysqlCreateIndex.drop(version, schema, table, migration.name())
              : Ddl.online(
                  "restore-unique",
                  "builds the index again while the table is in use; fails if there are duplicates"
                      + " by now",
                  schema,
                  table,
                  "ADD " + Facts.required(facts, CLAUSE) + Ddl.noCopy(version),
                  Probes.all(Probes.index(schema, table, migration.name(), "NON_UNIQUE = 0"))));
    }
    MysqlAddForeignKey key = new MysqlAddForeignKey(version);
    AddForeignKey added = added(migration, facts);
    if (up) {
      return key.steps(added, target, facts, AddForeignKey.ENFORCE, Direction.DOWN);
    }
    List<Step> steps =
        new ArrayList<>(key.steps(added, target, facts, AddForeignKey.ENFORCE, Direction.UP));
    steps.addAll(key.steps(added, target, facts, AddForeignKey.DONE, Direction.UP));
    return steps;
  }

  @Override
  public List<String> net(DropConstraint migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    if (DropCheck.is(facts)) {
      return List.of(DropCheck.net(plain, migration.table(), facts));
    }
    return List.of(
        plain.alter(
            migration.table(),
            (facts.containsKey(CLAUSE) ? "DROP INDEX " : "DROP FOREIGN KEY ")
                + Plain.name(migration.name())));
  }
}
