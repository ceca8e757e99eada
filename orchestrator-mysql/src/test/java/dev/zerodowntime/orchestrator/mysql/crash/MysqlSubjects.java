package dev.zerodowntime.orchestrator.mysql.crash;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.mysql.MysqlDialect;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlSpelling;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.testing.crash.CommonSubjects;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import dev.zerodowntime.orchestrator.testing.crash.Subject.Row;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every operation that the dialect ships; one that nobody wrote a subject for is an error. */
final class MysqlSubjects {

  private static final CommonSubjects COMMON = new CommonSubjects(new MysqlSpelling());

  private final MysqlServer server;

  MysqlSubjects(MysqlServer server) {
    this.server = server;
  }

  List<Subject<?>> all() {
    Set<String> shipped = shipped();
    List<Subject<?>> subjects = new ArrayList<>();
    Set<String> covered = new TreeSet<>();
    // Refused there, whatever the table.
    Set<String> refused =
        server.flavor() == MysqlServer.Flavor.MARIADB ? Set.of("Reindex") : Set.of();
    for (Subject<?> each :
        List.of(
            COMMON.createTable("bigint AUTO_INCREMENT"),
            COMMON.addNullable(),
            COMMON.addNotNull(),
            createIndex(),
            addUnique(),
            COMMON.dropIndex(),
            COMMON.renameIndex("users_nick", "users_by_nick"),
            setDefault(),
            COMMON.dropDefault(),
            COMMON.dropNotNull(),
            COMMON.dropTable(),
            dropColumn(),
            COMMON.backfill(),
            COMMON.backfillOncePerKey(),
            rename(),
            changeType(),
            renameInCode(),
            renameTable("RenameTable", "calls"),
            // Comes after the old name: there the table moves earlier.
            renameTable("RenameTable later", "visits_made"),
            COMMON.addForeignKey(),
            COMMON.setNotNull(),
            COMMON.dropConstraint("users_countries"),
            addCheck(),
            dropCheck(),
            addGeneratedColumn(),
            addPrimaryKey(server.flavor() == MysqlServer.Flavor.MYSQL),
            reindex(),
            widenColumn(),
            phasePlan())) {
      String operation = each.migration(List.of()).lifecycle().operation();
      if (shipped.contains(operation)) {
        if (!refused.contains(operation)) {
          subjects.add(each);
        }
        covered.add(operation);
      }
    }
    if (!covered.equals(shipped)) {
      throw new AssertionError("the dialect ships " + shipped + ", but cut are only " + covered);
    }
    return subjects;
  }

  private Set<String> shipped() {
    return operations(server).stream()
        .map(each -> each.type().name())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  static List<OperationSupport<?>> operations(MysqlServer server) {
    try (Connection connection = server.dataSource(null).getConnection()) {
      return new MysqlDialect().forServer(connection).operations();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Subject<?> createIndex() {
    return new Subject<>(
        "CreateIndex",
        CreateIndex.Code.class,
        approvals ->
            CommonSubjects.policy(CreateIndex.of("billing/users-by-country-name"), approvals)
                .table(Subject.TABLE)
                .name("users_by_country_name")
                .columns("country", "name")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addUnique() {
    return new Subject<>(
        "AddUnique",
        AddUnique.Code.class,
        approvals ->
            CommonSubjects.policy(AddUnique.of("billing/users-id-nick"), approvals)
                .table(Subject.TABLE)
                .name("users_id_nick")
                .columns("id", "nick")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> setDefault() {
    return new Subject<>(
        "SetDefault",
        SetDefault.Code.class,
        approvals ->
            CommonSubjects.policy(SetDefault.of("billing/users-default-nick"), approvals)
                .table(Subject.TABLE)
                .column("nick")
                .defaultSql("'new'")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> dropColumn() {
    return new Subject<>(
        "DropColumn",
        DropColumn.Code.class,
        approvals ->
            CommonSubjects.policy(DropColumn.of("billing/users-drop-visits"), approvals)
                .table(Subject.TABLE)
                .column("visits")
                .fillBackWithSql("0")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> rename() {
    return COMMON
        .rename()
        .writing(
            phase ->
                switch (phase) {
                  case RenameColumn.ENFORCE ->
                      Stream.concat(writes("nick", 0), writes("handle", 1)).toList();
                  case RenameColumn.CONTRACT, RenameColumn.PURGE -> writes("handle", 1).toList();
                  default -> writes("nick", 0).toList();
                });
  }

  private static Subject<?> changeType() {
    return new Subject<>(
            "ChangeColumnType",
            ChangeColumnType.Code.class,
            approvals ->
                CommonSubjects.policy(ChangeColumnType.of("billing/users-long-nick"), approvals)
                    .table(Subject.TABLE)
                    .from("nick")
                    .to("long_nick")
                    .type("varchar(200)")
                    .up("nick")
                    .down("long_nick")
                    .defaultSql("'long nick'")
                    .build(),
            phase -> Row.PLAIN)
        .writing(
            phase ->
                switch (phase) {
                  case ChangeColumnType.ENFORCE ->
                      Stream.concat(writes("nick", 0), writes("long_nick", 1)).toList();
                  case ChangeColumnType.CONTRACT, ChangeColumnType.PURGE ->
                      writes("long_nick", 1).toList();
                  default -> writes("nick", 0).toList();
                });
  }

  private static Subject<?> renameTable(String name, String to) {
    return new Subject<>(
            name,
            RenameTable.Code.class,
            approvals ->
                CommonSubjects.policy(RenameTable.of("billing/" + to.replace('_', '-')), approvals)
                    .from("visits")
                    .to(to)
                    .build(),
            phase -> Row.PLAIN)
        .writing(
            phase ->
                switch (phase) {
                  case RenameTable.EXPAND -> List.of(visit("visits"), visit(to));
                  case RenameTable.CONTRACT -> List.of(visit(to));
                  default -> List.of(visit("visits"));
                });
  }

  private static String visit(String table) {
    return "INSERT INTO " + table + " (country) VALUES ('de'), ('" + table.charAt(0) + "')";
  }

  private static Subject<?> renameInCode() {
    return new Subject<>(
            "RenameColumnInCode",
            RenameColumnInCode.Code.class,
            approvals ->
                CommonSubjects.policy(
                        RenameColumnInCode.of("billing/users-nick-in-code"), approvals)
                    .table(Subject.TABLE)
                    .from("nick")
                    .to("handle")
                    .build(),
            phase -> Row.PLAIN)
        .writing(
            phase ->
                switch (phase) {
                  case 0 -> writes("nick", 0).toList();
                  case RenameColumnInCode.EXPAND, RenameColumnInCode.ENFORCE ->
                      List.of(
                          "UPDATE users SET nick = CONCAT('both ', id), handle = CONCAT('both ',"
                              + " id) WHERE id % 700 = 0");
                  case RenameColumnInCode.CONTRACT, RenameColumnInCode.PURGE ->
                      writes("handle", 1).toList();
                  default -> List.of();
                });
  }

  /** What code of one release writes; the other's rows are changed as well. */
  private static Stream<String> writes(String column, int release) {
    return Stream.of(
        "INSERT INTO users (id, country, %s) SELECT MAX(id) + 1, 'de', CONCAT('%s ', MAX(id)) FROM users"
            .formatted(column, column),
        "UPDATE users SET %s = CONCAT('%s of ', id, ' ', touched) WHERE id %% 700 = %d"
            .formatted(column, column, release * 70),
        "UPDATE users SET %s = CONCAT('again ', %s) WHERE id > 100000 AND id %% 3 = %d"
            .formatted(column, column, release));
  }

  private static Subject<?> addCheck() {
    return new Subject<>(
        "AddCheck",
        AddCheck.Code.class,
        approvals ->
            CommonSubjects.policy(AddCheck.of("billing/users-known-country"), approvals)
                .table(Subject.TABLE)
                .name("users_known_country")
                .expression("country <> 'xx' OR id < 0")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> dropCheck() {
    return new Subject<>(
        "DropConstraint of a check",
        DropConstraint.Code.class,
        approvals ->
            CommonSubjects.policy(DropConstraint.of("billing/users-any-touches"), approvals)
                .table(Subject.TABLE)
                .name("touches")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addGeneratedColumn() {
    return new Subject<>(
        "AddGeneratedColumn",
        AddGeneratedColumn.Code.class,
        approvals ->
            CommonSubjects.policy(AddGeneratedColumn.of("billing/users-label"), approvals)
                .table(Subject.TABLE)
                .column("label", "varchar(120)")
                .expression("CONCAT(name, ' of ', country)")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addPrimaryKey(boolean stays) {
    return new Subject<>(
        stays ? "AddPrimaryKey that stays" : "AddPrimaryKey",
        AddPrimaryKey.Code.class,
        approvals ->
            CommonSubjects.policy(AddPrimaryKey.of("billing/tags-key"), approvals)
                .table("tags")
                .name("tags_key")
                .columns("code")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> reindex() {
    return new Subject<>(
        "Reindex",
        Reindex.Code.class,
        approvals ->
            CommonSubjects.policy(Reindex.of("billing/users-anew"), approvals)
                .table(Subject.TABLE)
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> widenColumn() {
    return new Subject<>(
        "WidenColumn",
        WidenColumn.Code.class,
        approvals ->
            CommonSubjects.policy(WidenColumn.of("billing/users-wide-nick"), approvals)
                .table(Subject.TABLE)
                .column("nick")
                .type("varchar(60)")
                .build(),
        phase -> Row.PLAIN);
  }

  /** Of a plan's author. */
  enum PlanCode implements CodeStage {
    UNAWARE,
    KNOWS
  }

  private static String has(String view, String name) {
    return "SELECT EXISTS (SELECT 1 FROM information_schema."
        + view
        + " WHERE "
        + (view.equals("TRIGGERS") ? "TRIGGER" : "TABLE")
        + "_SCHEMA = '{schema}' AND "
        + name
        + ")";
  }

  private static Subject<?> phasePlan() {
    return new Subject<>(
        "PhasePlan",
        PlanCode.class,
        approvals ->
            CommonSubjects.policy(PhasePlan.of("billing/users-levels", PlanCode.class), approvals)
                .table(Subject.TABLE)
                .allowTriggers("users_level")
                .phase(
                    "EXPAND",
                    phase ->
                        phase
                            .ddl(
                                "create-levels",
                                "CREATE TABLE {schema}.levels (level int PRIMARY KEY)")
                            .probe(has("TABLES", "TABLE_NAME = 'levels'"))
                            .undo("DROP TABLE {schema}.levels")
                            .ddl(
                                "add-level",
                                "ALTER TABLE {schema}.users ADD COLUMN level int INVISIBLE,"
                                    + " ALGORITHM=INSTANT")
                            .probe(has("COLUMNS", "TABLE_NAME = 'users' AND COLUMN_NAME = 'level'"))
                            .override("drop-column", "nobody knew it")
                            .undo("ALTER TABLE {schema}.users DROP COLUMN level, ALGORITHM=INSTANT")
                            .ddl(
                                "fill-new",
                                "CREATE TRIGGER {schema}.users_level BEFORE INSERT ON {schema}.users"
                                    + " FOR EACH ROW BEGIN IF NEW.level IS NULL THEN SET NEW.level ="
                                    + " CHAR_LENGTH(NEW.name); END IF; END")
                            .probe(has("TRIGGERS", "TRIGGER_NAME = 'users_level'"))
                            .undo("DROP TRIGGER {schema}.users_level"))
                .phase(
                    "BACKFILL",
                    phase ->
                        phase
                            .backfill(
                                "fill-level",
                                rows ->
                                    rows.set("level", "CHAR_LENGTH(name)")
                                        .where("level IS NULL")
                                        .undo("level", "NULL"))
                            .java(
                                "count-levels",
                                connection -> {
                                  try (Statement statement = connection.createStatement()) {
                                    statement.execute("REPLACE INTO countries VALUES ('zz')");
                                  }
                                })
                            .undo(
                                connection -> {
                                  try (Statement statement = connection.createStatement()) {
                                    statement.execute("DELETE FROM countries WHERE code = 'zz'");
                                  }
                                }))
                .phase(
                    "DONE",
                    phase ->
                        phase
                            .verify("all-filled", "level IS NULL")
                            .online(
                                "index-level",
                                "ALTER TABLE {schema}.users ADD KEY users_level (level),"
                                    + " ALGORITHM=INPLACE, LOCK=NONE")
                            .probe(has("STATISTICS", "INDEX_NAME = 'users_level'"))
                            .override("drop-column", "it is an index")
                            .undo(
                                "ALTER TABLE {schema}.users DROP KEY users_level,"
                                    + " ALGORITHM=INPLACE, LOCK=NONE"))
                .stage(PlanCode.UNAWARE, "NOT_STARTED", "DONE")
                .stage(PlanCode.KNOWS, "DONE", "DONE")
                .build(),
        phase -> Row.PLAIN);
  }
}
