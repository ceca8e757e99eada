package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.AddExclusion;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DetachPartition;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.operation.WidenKey;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresSpelling;
import dev.zerodowntime.orchestrator.testing.crash.CommonSubjects;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import dev.zerodowntime.orchestrator.testing.crash.Subject.Row;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Every operation that the dialect ships; one that nobody wrote a subject for is an error. */
final class Subjects {

  private static final CommonSubjects COMMON = new CommonSubjects(new PostgresSpelling());

  private static final String NOT_ONCE = "SELECT count(*) FROM users WHERE visits <> 1";

  private Subjects() {}

  static List<Subject<?>> all() {
    Set<String> shipped =
        PostgresDialect.create().operations().stream()
            .map(each -> each.type().name())
            .collect(Collectors.toCollection(TreeSet::new));
    List<Subject<?>> subjects = new ArrayList<>();
    Set<String> covered = new TreeSet<>();
    for (Subject<?> each :
        List.of(
            COMMON.addNotNull(),
            COMMON.addNullable(),
            COMMON.backfill(),
            COMMON.backfillOncePerKey(),
            backfillOncePerLedger(),
            backfillComputed(),
            backfillCopied(),
            createIndex(),
            dropColumn(),
            COMMON.rename(),
            renameInCode(),
            addCheck(),
            COMMON.setNotNull(),
            COMMON.addForeignKey(),
            COMMON.dropNotNull(),
            COMMON.dropConstraint("touches"),
            addUnique(),
            renameByView(),
            setDefault(),
            COMMON.dropDefault(),
            COMMON.dropTable(),
            addEnumValue(),
            COMMON.dropIndex(),
            COMMON.renameIndex("users_country", "users_by_country"),
            addPrimaryKey(),
            renameTable(),
            COMMON.createTable("bigserial"),
            reindex(),
            renameEnumValue(),
            addGeneratedColumn(),
            addExclusion(),
            phasePlan(),
            widenColumn(),
            changeColumnType(),
            createIndexPartitioned(),
            attachPartition(),
            detachPartition(),
            dropUnique(),
            widenKey(),
            addColumnPartitioned(),
            dropColumnNotNull(),
            backfillPartitioned(),
            setNotNullPartitioned(),
            dropColumnPartitioned(),
            setNotNullAtOnce(),
            createIndexAtOnce())) {
      String operation = each.migration(List.of()).lifecycle().operation();
      if (shipped.contains(operation)) {
        subjects.add(each);
        covered.add(operation);
      }
    }
    if (!covered.equals(shipped)) {
      throw new AssertionError("the dialect ships " + shipped + ", but cut are only " + covered);
    }
    return subjects;
  }

  private static Subject<?> backfillOncePerLedger() {
    return new Subject<>(
        "Backfill once per ledger",
        Backfill.Code.class,
        approvals ->
            CommonSubjects.policy(Backfill.of("billing/users-visits"), approvals)
                .table(Subject.TABLE)
                .set("visits", "visits + 1")
                .oncePerLedger()
                .build(),
        phase -> Row.PLAIN,
        NOT_ONCE);
  }

  private static Subject<?> backfillComputed() {
    return new Subject<>(
        "Backfill computed",
        Backfill.Code.class,
        approvals ->
            CommonSubjects.policy(Backfill.of("billing/users-visits"), approvals)
                .table(Subject.TABLE)
                .compute(List.of("visits"), List.of("visits"), "one more", Subjects::oneMore)
                .oncePerKey()
                .build(),
        phase -> Row.PLAIN,
        NOT_ONCE);
  }

  private static void oneMore(List<RowFunction.Row> rows) {
    for (RowFunction.Row row : rows) {
      row.set("visits", Integer.toString(1 + Integer.parseInt(row.get("visits"))));
    }
  }

  private static Subject<?> backfillCopied() {
    return new Subject<>(
        "Backfill copied",
        Backfill.Code.class,
        approvals ->
            CommonSubjects.policy(Backfill.of("billing/users-copied"), approvals)
                .table(Subject.TABLE)
                .copyInto("notes", "user_id")
                .set("user_id", "id")
                .set("body", "note")
                .build(),
        phase -> Row.PLAIN,
        "SELECT count(*) FROM users LEFT JOIN notes ON user_id = id WHERE body IS DISTINCT FROM note");
  }

  private static Subject<?> createIndex() {
    return new Subject<>(
        "CreateIndex",
        CreateIndex.Code.class,
        approvals ->
            CommonSubjects.policy(CreateIndex.of("billing/users-by-note"), approvals)
                .table(Subject.TABLE)
                .name("users_by_note")
                .column("note", "DESC NULLS LAST")
                .expression("lower(name)")
                .include("country")
                .where("touched < 1000")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> dropColumn() {
    return new Subject<>(
        "DropColumn",
        DropColumn.Code.class,
        approvals ->
            CommonSubjects.policy(DropColumn.of("billing/users-drop-name"), approvals)
                .table(Subject.TABLE)
                .column("name")
                .fillBackWithSql("'again ' || id")
                .alsoDropsIndexes("users_name", "users_name_lower")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> renameInCode() {
    return new Subject<>(
        "RenameColumnInCode",
        RenameColumnInCode.Code.class,
        approvals ->
            CommonSubjects.policy(RenameColumnInCode.of("billing/users-full-name"), approvals)
                .table(Subject.TABLE)
                .from("name")
                .to("full_name")
                .build(),
        phase ->
            switch (phase) {
              case 0 -> Row.PLAIN;
              case RenameColumnInCode.CONTRACT, RenameColumnInCode.PURGE ->
                  new Row("id, country, full_name", "i, 'de', 'new ' || i");
              default ->
                  new Row("id, country, name, full_name", "i, 'de', 'new ' || i, 'new ' || i");
            });
  }

  private static Subject<?> addCheck() {
    return new Subject<>(
        "AddCheck",
        AddCheck.Code.class,
        approvals ->
            CommonSubjects.policy(AddCheck.of("billing/users-note-short"), approvals)
                .table(Subject.TABLE)
                .name("note_short")
                .expression("length(note) < 95")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addUnique() {
    return new Subject<>(
        "AddUnique",
        AddUnique.Code.class,
        approvals ->
            CommonSubjects.policy(AddUnique.of("billing/users-nick-country"), approvals)
                .table(Subject.TABLE)
                .name("users_nick_country")
                .columns("nick", "country")
                .include("note")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> renameByView() {
    return new Subject<>(
        "RenameColumnByView",
        RenameColumnByView.Code.class,
        approvals ->
            CommonSubjects.policy(RenameColumnByView.of("billing/users-by-view"), approvals)
                .table(Subject.TABLE)
                .from("name")
                .to("full_name")
                .build(),
        phase ->
            phase == 0 ? Row.PLAIN : new Row("id, country, full_name", "i, 'de', 'new ' || i"));
  }

  private static Subject<?> setDefault() {
    return new Subject<>(
        "SetDefault",
        SetDefault.Code.class,
        approvals ->
            CommonSubjects.policy(SetDefault.of("billing/users-default-nick"), approvals)
                .table(Subject.TABLE)
                .column("nick")
                .defaultSql("'new-' || nextval('name_numbers')")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addEnumValue() {
    return new Subject<>(
        "AddEnumValue",
        AddEnumValue.Code.class,
        approvals ->
            CommonSubjects.policy(AddEnumValue.of("billing/visits-kind"), approvals)
                .table("visits")
                .type("kind")
                .value("short")
                .beforeValue("long")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addPrimaryKey() {
    return new Subject<>(
        "AddPrimaryKey",
        AddPrimaryKey.Code.class,
        approvals ->
            CommonSubjects.policy(AddPrimaryKey.of("billing/tallies-key"), approvals)
                .table("tallies")
                .name("tallies_pkey")
                .columns("country", "day")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> renameTable() {
    return new Subject<>(
        "RenameTable",
        RenameTable.Code.class,
        approvals ->
            CommonSubjects.policy(RenameTable.of("billing/calls"), approvals)
                .from("visits")
                .to("calls")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> reindex() {
    return new Subject<>(
        "Reindex",
        Reindex.Code.class,
        approvals ->
            CommonSubjects.policy(Reindex.of("billing/users-reindex"), approvals)
                .table(Subject.TABLE)
                .name("users_name_lower")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> renameEnumValue() {
    return new Subject<>(
        "RenameEnumValue",
        RenameEnumValue.Code.class,
        approvals ->
            CommonSubjects.policy(RenameEnumValue.of("billing/visits-lengthy"), approvals)
                .table("visits")
                .type("kind")
                .from("long")
                .to("lengthy")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addGeneratedColumn() {
    return new Subject<>(
        "AddGeneratedColumn",
        AddGeneratedColumn.Code.class,
        approvals ->
            CommonSubjects.policy(AddGeneratedColumn.of("billing/bookings-length"), approvals)
                .table("bookings")
                .column("length", "int")
                .expression("upper(during) - lower(during)")
                .stored()
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addExclusion() {
    return new Subject<>(
        "AddExclusion",
        AddExclusion.Code.class,
        approvals ->
            CommonSubjects.policy(AddExclusion.of("billing/bookings-apart"), approvals)
                .table("bookings")
                .name("bookings_apart")
                .definition("USING gist (during WITH &&)")
                .build(),
        phase -> Row.PLAIN);
  }

  /** Of a plan with a step of every kind. */
  private enum PlanCode implements CodeStage {
    OLD,
    NEW
  }

  private static Subject<?> phasePlan() {
    return new Subject<>(
        "PhasePlan",
        PlanCode.class,
        approvals ->
            CommonSubjects.policy(PhasePlan.of("billing/users-levels", PlanCode.class), approvals)
                .table(Subject.TABLE)
                .phase(
                    "EXPAND",
                    phase ->
                        phase
                            .ddl(
                                "create-levels",
                                "CREATE TABLE {schema}.levels (user_id bigint PRIMARY KEY"
                                    + " REFERENCES {schema}.users, level int)")
                            .probe("SELECT to_regclass('{schema}.levels') IS NOT NULL")
                            .undo("DROP TABLE {schema}.levels")
                            .undoLocks("ACCESS EXCLUSIVE", "levels", "users")
                            .ddl(
                                "add-level",
                                "ALTER TABLE {schema}.users ADD level int",
                                "COMMENT ON COLUMN {schema}.users.level IS 'from the plan'")
                            .override("several-ddl", "a comment reads no row")
                            .probe(hasColumn("level"))
                            .undo("ALTER TABLE {schema}.users DROP level")
                            .online(
                                "index-level",
                                "CREATE INDEX CONCURRENTLY users_level ON {schema}.users (level)")
                            .probe("SELECT to_regclass('{schema}.users_level') IS NOT NULL")
                            .undo("DROP INDEX CONCURRENTLY {schema}.users_level"))
                .phase(
                    "BACKFILL",
                    phase ->
                        phase
                            .backfill(
                                "fill-level",
                                rows -> rows.set("level", "length(name)").undo("level", "0"))
                            .backfill(
                                "copy-level",
                                rows ->
                                    rows.copyInto("levels", "user_id")
                                        .set("user_id", "id")
                                        .set("level", "length(name)"))
                            .java(
                                "count-levels",
                                connection -> {
                                  try (Statement statement = connection.createStatement()) {
                                    statement.execute(
                                        "INSERT INTO countries SELECT 'levels' WHERE NOT EXISTS"
                                            + " (SELECT FROM countries WHERE code = 'levels')");
                                  }
                                })
                            .undo(
                                connection -> {
                                  try (Statement statement = connection.createStatement()) {
                                    statement.execute(
                                        "DELETE FROM countries WHERE code = 'levels'");
                                  }
                                })
                            .verify(
                                "all-have-a-level", "level IS DISTINCT FROM length(users.name)"))
                .phase(
                    "ENFORCE",
                    phase ->
                        phase
                            .ddl(
                                "demand-level",
                                "ALTER TABLE {schema}.users ADD CONSTRAINT level_positive CHECK"
                                    + " (level >= 0) NOT VALID")
                            .probe(constraint("true"))
                            .undo("ALTER TABLE {schema}.users DROP CONSTRAINT level_positive")
                            .online(
                                "prove-level",
                                "ALTER TABLE {schema}.users VALIDATE CONSTRAINT level_positive")
                            .probe(constraint("convalidated"))
                            .undoNothing())
                .stage(PlanCode.OLD, "NOT_STARTED", "EXPAND")
                .stage(PlanCode.NEW, "EXPAND", "ENFORCE")
                .build(),
        phase ->
            phase < 2 ? Row.PLAIN : new Row("id, country, level", "i, 'de', length('nobody')"));
  }

  private static String hasColumn(String column) {
    return "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('{schema}.users')"
        + " AND NOT attisdropped AND attname = '"
        + column
        + "')";
  }

  private static String constraint(String condition) {
    return "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid ="
        + " to_regclass('{schema}.users') AND conname = 'level_positive' AND "
        + condition
        + ")";
  }

  private static Subject<?> widenColumn() {
    return new Subject<>(
        "WidenColumn",
        WidenColumn.Code.class,
        approvals ->
            CommonSubjects.policy(WidenColumn.of("billing/parcels-code"), approvals)
                .table("parcels")
                .column("code")
                .type("varchar(200)")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> changeColumnType() {
    return new Subject<>(
        "ChangeColumnType",
        ChangeColumnType.Code.class,
        approvals ->
            CommonSubjects.policy(ChangeColumnType.of("billing/parcels-grams"), approvals)
                .table("parcels")
                .from("weight")
                .to("grams")
                .type("bigint")
                .up("weight::bigint * 1000")
                .down("(grams / 1000)::int")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> createIndexPartitioned() {
    return new Subject<>(
        "CreateIndex partitioned",
        CreateIndex.Code.class,
        approvals ->
            CommonSubjects.policy(CreateIndex.of("billing/events-by-country"), approvals)
                .table("events")
                .name("events_by_country")
                .columns("country")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> attachPartition() {
    return new Subject<>(
        "AttachPartition",
        AttachPartition.Code.class,
        approvals ->
            CommonSubjects.policy(AttachPartition.of("billing/events-more"), approvals)
                .table("events")
                .partition("events_3")
                .bound("FOR VALUES FROM (200) TO (1000)")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> detachPartition() {
    return new Subject<>(
        "DetachPartition",
        DetachPartition.Code.class,
        approvals ->
            CommonSubjects.policy(DetachPartition.of("billing/events-less"), approvals)
                .table("events")
                .partition("events_1")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> dropUnique() {
    return new Subject<>(
        "DropConstraint UNIQUE",
        DropConstraint.Code.class,
        approvals ->
            CommonSubjects.policy(DropConstraint.of("billing/tallies-any-day"), approvals)
                .table("tallies")
                .name("tallies_day")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> widenKey() {
    return new Subject<>(
        "WidenKey",
        WidenKey.Code.class,
        approvals ->
            CommonSubjects.policy(WidenKey.of("billing/crates-id"), approvals)
                .table("crates")
                .column("id")
                .noUpserts()
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> addColumnPartitioned() {
    return new Subject<>(
        "AddColumn partitioned",
        AddColumn.Code.class,
        approvals ->
            CommonSubjects.policy(AddColumn.of("billing/events-region"), approvals)
                .table("events")
                .column("region", "text")
                .notNull()
                .fillWithSql("coalesce(upper(country), '?')")
                .build(),
        phase -> Row.PLAIN);
  }

  /** Of a table of its own: code that doesn't know the column must be able to write before. */
  private static Subject<?> dropColumnNotNull() {
    return new Subject<>(
        "DropColumn NOT NULL",
        DropColumn.Code.class,
        approvals ->
            CommonSubjects.policy(DropColumn.of("billing/letters-drop-body"), approvals)
                .table("letters")
                .column("body")
                .fillBackWithSql("'again ' || id")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> backfillPartitioned() {
    return new Subject<>(
        "Backfill partitioned",
        Backfill.Code.class,
        approvals ->
            CommonSubjects.policy(Backfill.of("billing/events-country"), approvals)
                .table("events")
                .set("country", "'DE'")
                .undo("country", "'de'")
                .build(),
        phase -> Row.PLAIN,
        "SELECT count(*) FROM events WHERE country <> 'DE'");
  }

  private static Subject<?> setNotNullPartitioned() {
    return new Subject<>(
        "SetNotNull partitioned",
        SetNotNull.Code.class,
        approvals ->
            CommonSubjects.policy(SetNotNull.of("billing/events-country-given"), approvals)
                .table("events")
                .column("country")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> dropColumnPartitioned() {
    return new Subject<>(
        "DropColumn partitioned",
        DropColumn.Code.class,
        approvals ->
            CommonSubjects.policy(DropColumn.of("billing/events-without-seen"), approvals)
                .table("events")
                .column("seen")
                .fillBackWithSql("1")
                .build(),
        phase -> Row.PLAIN);
  }

  /** In a table without rows; the usual steps come after it. */
  private static Subject<?> setNotNullAtOnce() {
    return new Subject<>(
        "SetNotNull at once",
        SetNotNull.Code.class,
        approvals ->
            CommonSubjects.policy(SetNotNull.of("billing/drafts-title"), approvals)
                .table("drafts")
                .column("title")
                .build(),
        phase -> Row.PLAIN);
  }

  private static Subject<?> createIndexAtOnce() {
    return new Subject<>(
        "CreateIndex at once",
        CreateIndex.Code.class,
        approvals ->
            CommonSubjects.policy(CreateIndex.of("billing/drafts-by-title"), approvals)
                .table("drafts")
                .name("drafts_by_title")
                .columns("title")
                .build(),
        phase -> Row.PLAIN);
  }
}
