package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.testing.Spelling;
import dev.zerodowntime.orchestrator.testing.crash.Subject.Row;
import java.time.Duration;

/** Subjects that differ between database products in no more than the spelling. */
public final class CommonSubjects {

  /** Smaller than the table, so that every backfill has several. */
  private static final int BATCH = 100;

  private final Spelling sql;

  public CommonSubjects(Spelling sql) {
    this.sql = sql;
  }

  /** What all subjects have in common. */
  public static <B extends Migration.Builder<B, ?>> B policy(B builder, String... approvals) {
    return builder
        // What is sampled by the clock would come at another statement in each run.
        .pace(pace -> pace.fullSpeed().rows(BATCH, BATCH))
        .retention(Duration.ZERO)
        .allowTriggers("count_touch")
        .approvalBefore(approvals);
  }

  /** With a key of a type that numbers itself. */
  public Subject<?> createTable(String numbered) {
    return new Subject<>(
        "CreateTable",
        CreateTable.Code.class,
        approvals ->
            policy(CreateTable.of("billing/orders"), approvals)
                .table("orders")
                .column("id", numbered)
                .notNullColumn("user_id", "bigint")
                .column("prior", "bigint")
                .primaryKey("id")
                .foreignKey("user_id", Subject.TABLE, "id", "ON DELETE CASCADE")
                .foreignKey("prior", "orders", "id", "")
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> addNullable() {
    return new Subject<>(
        "AddColumn nullable",
        AddColumn.Code.class,
        approvals ->
            policy(AddColumn.of("billing/users-level"), approvals)
                .table(Subject.TABLE)
                .column("level", "int")
                .defaultSql("7")
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> addNotNull() {
    return new Subject<>(
        "AddColumn NOT NULL",
        AddColumn.Code.class,
        approvals ->
            policy(AddColumn.of("billing/users-region"), approvals)
                .table(Subject.TABLE)
                .column("region", sql.text())
                .notNull()
                .fillWithSql("upper(country)")
                .build(),
        phase ->
            phase < AddColumn.DONE ? Row.PLAIN : new Row("id, country, region", "i, 'de', 'N'"));
  }

  public Subject<?> dropIndex() {
    return new Subject<>(
        "DropIndex",
        DropIndex.Code.class,
        approvals ->
            policy(DropIndex.of("billing/users-not-by-name"), approvals)
                .table(Subject.TABLE)
                .name("users_name_alone")
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> dropDefault() {
    return new Subject<>(
        "DropDefault",
        DropDefault.Code.class,
        approvals ->
            policy(DropDefault.of("billing/users-no-default"), approvals)
                .table(Subject.TABLE)
                .column("nick")
                .build(),
        phase -> new Row("id, country, nick", "i, 'de', " + sql.concat("'nick of '", "i")));
  }

  public Subject<?> dropNotNull() {
    return new Subject<>(
        "DropNotNull",
        DropNotNull.Code.class,
        approvals ->
            policy(DropNotNull.of("billing/users-nick-nullable"), approvals)
                .table(Subject.TABLE)
                .column("nick")
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> dropTable() {
    return new Subject<>(
        "DropTable",
        DropTable.Code.class,
        approvals -> policy(DropTable.of("billing/drop-visits"), approvals).table("visits").build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> backfill() {
    return new Subject<>(
        "Backfill",
        Backfill.Code.class,
        approvals ->
            policy(Backfill.of("billing/users-notes"), approvals)
                .table(Subject.TABLE)
                .set("note", sql.concat("'note '", "id"))
                .where("id < 100000")
                .undo("note", "NULL")
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> backfillOncePerKey() {
    return new Subject<>(
        "Backfill once per key",
        Backfill.Code.class,
        approvals ->
            policy(Backfill.of("billing/users-visits"), approvals)
                .table(Subject.TABLE)
                .set("visits", "visits + 1")
                .oncePerKey()
                .build(),
        phase -> Row.PLAIN,
        "SELECT count(*) FROM users WHERE visits <> 1");
  }

  public Subject<?> addForeignKey() {
    return new Subject<>(
        "AddForeignKey",
        AddForeignKey.Code.class,
        approvals ->
            policy(AddForeignKey.of("billing/notes-users"), approvals)
                .table("notes")
                .name("notes_users")
                .columns("user_id")
                .references(Subject.TABLE, "id")
                .onDelete(AddForeignKey.Action.CASCADE)
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> setNotNull() {
    return new Subject<>(
        "SetNotNull",
        SetNotNull.Code.class,
        approvals ->
            policy(SetNotNull.of("billing/users-note"), approvals)
                .table(Subject.TABLE)
                .column("note")
                .build(),
        phase -> new Row("id, country, note", "i, 'de', 'new'"));
  }

  public Subject<?> renameIndex(String from, String to) {
    return new Subject<>(
        "RenameIndex",
        RenameIndex.Code.class,
        approvals ->
            policy(RenameIndex.of("billing/users-other-index"), approvals)
                .table(Subject.TABLE)
                .from(from)
                .to(to)
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> dropConstraint(String name) {
    return new Subject<>(
        "DropConstraint",
        DropConstraint.Code.class,
        approvals ->
            policy(DropConstraint.of("billing/users-unruled"), approvals)
                .table(Subject.TABLE)
                .name(name)
                .build(),
        phase -> Row.PLAIN);
  }

  public Subject<?> rename() {
    return new Subject<>(
        "RenameColumn",
        RenameColumn.Code.class,
        approvals ->
            policy(RenameColumn.of("billing/users-nick"), approvals)
                .table(Subject.TABLE)
                .from("nick")
                .to("handle")
                .build(),
        phase -> Row.PLAIN);
  }
}
