package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Declarations that the database contradicts: refused by name, before anything is touched. */
@PostgresTest
@Tag("long")
class BadInputTest {

  private static final String ID = "billing/bad";
  private static final String TOO_LONG = "x".repeat(64);
  private static final String TOO_MANY_BYTES = "ü".repeat(32);

  private TestDatabase database;

  @BeforeEach
  void create() {
    database = TestDatabase.create("bad_input");
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, zip text)",
        "CREATE INDEX users_zip ON users (zip)",
        "CREATE TABLE log (line text)",
        "INSERT INTO users VALUES (1, 'a@x', '1'), (2, 'b@x', NULL), (3, 'c@x', '3')",
        "INSERT INTO log VALUES ('one')",
        "CREATE TYPE mood AS ENUM ('good')",
        "CREATE TABLE moods (id int PRIMARY KEY, mood mood)");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  record Case(String name, UnaryOperator<OrchestratorBuilder> declare, String... says) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static AddColumn.Builder add(String table, String column, String type) {
    return AddColumn.of(ID).table(table).column(column, type);
  }

  private static Case add(String name, AddColumn.Builder column, String... says) {
    return new Case(name, b -> b.thisBuild(column.build(), AddColumn.Code.UNAWARE), says);
  }

  private static Case index(String name, CreateIndex.Builder index, String... says) {
    return new Case(name, b -> b.thisBuild(index.build(), CreateIndex.Code.UNAWARE), says);
  }

  private static Case drop(String name, String table, String column, String... says) {
    DropColumn drop = DropColumn.of(ID).table(table).column(column).build();
    return new Case(name, b -> b.thisBuild(drop, DropColumn.Code.USES), says);
  }

  private static Case rename(String name, String table, String from, String to, String... says) {
    RenameColumn rename = RenameColumn.of(ID).table(table).from(from).to(to).build();
    return new Case(name, b -> b.thisBuild(rename, RenameColumn.Code.USES_OLD_NAME), says);
  }

  private static Case renameInCode(
      String name, String table, String from, String to, String... says) {
    RenameColumnInCode rename = RenameColumnInCode.of(ID).table(table).from(from).to(to).build();
    return new Case(name, b -> b.thisBuild(rename, RenameColumnInCode.Code.OLD), says);
  }

  private static <C extends Enum<C> & CodeStage, M extends Migration<C>> Case any(
      String name, Migration.Builder<?, M> migration, C stage, String... says) {
    M built = migration.build();
    return new Case(name, b -> b.thisBuild(built, stage), says);
  }

  /** Every other operation: what it is about is not there, or its new name is not to be had. */
  static Stream<Case> others() {
    String[] noTable = {"\"nobody\"", "\"public\""};
    String[] noColumn = {"users", "\"mail\"", "email, zip"};
    String[] noConstraint = {"users", "\"nothing\""};
    return Stream.of(
        any(
            "check: no table",
            AddCheck.of(ID).table("nobody").name("k").expression("true"),
            AddCheck.Code.MAY_VIOLATE,
            noTable),
        any(
            "check: no column",
            AddCheck.of(ID).table("users").name("k").expression("mail <> ''"),
            AddCheck.Code.MAY_VIOLATE,
            "users",
            "mail"),
        any(
            "check: too long",
            AddCheck.of(ID).table("users").name(TOO_LONG).expression("id > 0"),
            AddCheck.Code.MAY_VIOLATE,
            TOO_LONG,
            "63"),
        any(
            "label: no type",
            AddEnumValue.of(ID).table("users").type("colour").value("red"),
            AddEnumValue.Code.UNAWARE,
            "colour"),
        any(
            "label: no table",
            AddEnumValue.of(ID).table("nobody").type("mood").value("bad"),
            AddEnumValue.Code.UNAWARE,
            noTable),
        any(
            "label: no neighbour",
            AddEnumValue.of(ID).table("moods").type("mood").value("bad").afterValue("fine"),
            AddEnumValue.Code.UNAWARE,
            "mood",
            "fine"),
        any(
            "label: too long",
            AddEnumValue.of(ID).table("moods").type("mood").value(TOO_MANY_BYTES),
            AddEnumValue.Code.UNAWARE,
            TOO_MANY_BYTES,
            "63"),
        any(
            "foreign key: no table",
            AddForeignKey.of(ID).table("nobody").name("k").columns("a").references("users", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            noTable),
        any(
            "foreign key: no other table",
            AddForeignKey.of(ID).table("users").name("k").columns("id").references("nobody", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            noTable),
        any(
            "foreign key: no column",
            AddForeignKey.of(ID).table("users").name("k").columns("mail").references("users", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            noColumn),
        any(
            "foreign key: too long",
            AddForeignKey.of(ID)
                .table("users")
                .name(TOO_LONG)
                .columns("id")
                .references("users", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            TOO_LONG,
            "63"),
        any(
            "primary key: no table",
            AddPrimaryKey.of(ID).table("nobody").name("k").columns("id"),
            AddPrimaryKey.Code.MAY_VIOLATE,
            noTable),
        any(
            "primary key: there is one",
            AddPrimaryKey.of(ID).table("users").name("k").columns("email"),
            AddPrimaryKey.Code.MAY_VIOLATE,
            "users",
            "primary key"),
        any(
            "primary key: nullable",
            AddPrimaryKey.of(ID).table("log").name("k").columns("line"),
            AddPrimaryKey.Code.MAY_VIOLATE,
            "log",
            "line",
            "NULL"),
        any(
            "unique: no column",
            AddUnique.of(ID).table("users").name("k").columns("mail"),
            AddUnique.Code.MAY_VIOLATE,
            noColumn),
        any(
            "unique: name taken",
            AddUnique.of(ID).table("users").name("users_zip").columns("email"),
            AddUnique.Code.MAY_VIOLATE,
            "users_zip",
            "another name"),
        any(
            "unique: too long",
            AddUnique.of(ID).table("users").name(TOO_LONG).columns("email"),
            AddUnique.Code.MAY_VIOLATE,
            TOO_LONG,
            "63"),
        any(
            "backfill: no table",
            Backfill.of(ID).table("nobody").set("a", "1"),
            Backfill.Code.UNAWARE,
            noTable),
        any(
            "backfill: no column",
            Backfill.of(ID).table("users").set("mail", "'x'"),
            Backfill.Code.UNAWARE,
            "users",
            "\"mail\""),
        any(
            "backfill: no key",
            Backfill.of(ID).table("log").set("line", "'x'"),
            Backfill.Code.UNAWARE,
            "log",
            "primary key"),
        any(
            "constraint: no table",
            DropConstraint.of(ID).table("nobody").name("nothing"),
            DropConstraint.Code.USES,
            noTable),
        any(
            "constraint: none",
            DropConstraint.of(ID).table("users").name("nothing"),
            DropConstraint.Code.USES,
            noConstraint),
        any(
            "no default: no column",
            DropDefault.of(ID).table("users").column("mail"),
            DropDefault.Code.USES,
            noColumn),
        any(
            "no default: has none",
            DropDefault.of(ID).table("users").column("email"),
            DropDefault.Code.USES,
            "users",
            "email",
            "default"),
        any(
            "no index: no table",
            DropIndex.of(ID).table("nobody").name("users_zip"),
            DropIndex.Code.USES,
            noTable),
        any(
            "no index: none",
            DropIndex.of(ID).table("users").name("nothing"),
            DropIndex.Code.USES,
            noConstraint),
        any(
            "no index: of another table",
            DropIndex.of(ID).table("log").name("users_zip"),
            DropIndex.Code.USES,
            "users_zip",
            "log"),
        any(
            "nullable: no column",
            DropNotNull.of(ID).table("users").column("mail"),
            DropNotNull.Code.USES,
            noColumn),
        any(
            "nullable: key",
            DropNotNull.of(ID).table("users").column("id"),
            DropNotNull.Code.USES,
            "users",
            "id",
            "primary key"),
        any("no table: none", DropTable.of(ID).table("nobody"), DropTable.Code.USES, noTable),
        any(
            "by view: no table",
            RenameColumnByView.of(ID).table("nobody").from("a").to("b"),
            RenameColumnByView.Code.USES_OLD_NAME,
            noTable),
        any(
            "by view: no column",
            RenameColumnByView.of(ID).table("users").from("mail").to("address"),
            RenameColumnByView.Code.USES_OLD_NAME,
            noColumn),
        any(
            "by view: too long",
            RenameColumnByView.of(ID).table("users").from("email").to(TOO_LONG),
            RenameColumnByView.Code.USES_OLD_NAME,
            TOO_LONG,
            "63"),
        any(
            "index name: no table",
            RenameIndex.of(ID).table("nobody").from("users_zip").to("b"),
            RenameIndex.Code.UNAWARE,
            noTable),
        any(
            "index name: no index",
            RenameIndex.of(ID).table("users").from("nothing").to("b"),
            RenameIndex.Code.UNAWARE,
            noConstraint),
        any(
            "index name: taken",
            RenameIndex.of(ID).table("users").from("users_zip").to("log"),
            RenameIndex.Code.UNAWARE,
            "\"log\"",
            "taken"),
        any(
            "index name: too long",
            RenameIndex.of(ID).table("users").from("users_zip").to(TOO_LONG),
            RenameIndex.Code.UNAWARE,
            TOO_LONG,
            "63"),
        any(
            "default: no table",
            SetDefault.of(ID).table("nobody").column("a").defaultSql("1"),
            SetDefault.Code.UNAWARE,
            noTable),
        any(
            "default: no column",
            SetDefault.of(ID).table("users").column("mail").defaultSql("'x'"),
            SetDefault.Code.UNAWARE,
            noColumn),
        any(
            "default: of another column",
            SetDefault.of(ID).table("users").column("zip").defaultSql("email"),
            SetDefault.Code.UNAWARE,
            "\"zip\"",
            "email",
            "Correct the expression"),
        any(
            "not null: no table",
            SetNotNull.of(ID).table("nobody").column("a"),
            SetNotNull.Code.MAY_VIOLATE,
            noTable),
        any(
            "not null: no column",
            SetNotNull.of(ID).table("users").column("mail"),
            SetNotNull.Code.MAY_VIOLATE,
            noColumn));
  }

  static Stream<Case> cases() {
    CreateIndex.Builder index = CreateIndex.of(ID).table("users");
    return Stream.of(
        add(
            "add: no table",
            add("nobody", "region", "text"),
            "\"nobody\"",
            "\"public\"",
            "Create it first"),
        add("add: other case", add("Users", "region", "text"), "\"Users\"", "public.users"),
        add("add: name taken", add("users", "email", "text"), "users", "\"email\"", "another name"),
        add("add: too long", add("users", TOO_LONG, "text"), TOO_LONG, "64 bytes", "at most 63"),
        add(
            "add: too many bytes",
            add("users", TOO_MANY_BYTES, "text"),
            TOO_MANY_BYTES,
            "64 bytes"),
        add(
            "add: no such type",
            add("users", "region", "colour"),
            "\"region\"",
            "colour",
            "type alone"),
        add(
            "add: not a type",
            add("users", "r", "text NOT NULL"),
            "\"r\"",
            "text NOT NULL",
            "type alone"),
        add(
            "add: no primary key",
            add("log", "kind", "text").notNull().fillWithSql("upper(line)"),
            "log",
            "no primary key",
            "Add a primary key"),
        add(
            "fill: does not compile",
            add("users", "region", "text").notNull().fillWithSql("region_of(zip)"),
            "region_of(zip)",
            "\"region\"",
            "Correct the expression"),
        add(
            "fill: syntax error",
            add("users", "region", "text").notNull().fillWithSql("zip ||"),
            "zip ||",
            "\"region\"",
            "Correct the expression"),
        add(
            "fill: wrong type",
            add("users", "size", "integer").notNull().fillWithSql("email"),
            "\"email\"",
            "\"size\"",
            "integer",
            "Correct the expression"),
        add(
            "fill: fails for a row",
            add("users", "size", "integer").notNull().fillWithSql("email::integer"),
            "a@x",
            "\"size\"",
            "Correct the expression"),
        add(
            "fill: yields NULL",
            add("users", "region", "text").notNull().fillWithSql("zip"),
            "\"zip\"",
            "\"region\"",
            "NULL",
            "(2)",
            "coalesce"),
        add(
            "default: does not compile",
            add("users", "region", "text").defaultSql("nowhere()"),
            "nowhere()",
            "\"region\"",
            "Correct the expression"),
        add(
            "default: NULL",
            add("users", "region", "text").notNull().defaultSql("NULL"),
            "\"region\"",
            "NULL",
            "another default"),
        drop("drop: no table", "nobody", "email", "\"nobody\"", "\"public\""),
        drop("drop: no column", "users", "mail", "users", "\"mail\"", "email, zip"),
        drop("drop: key", "users", "id", "\"id\"", "primary key", "another primary key"),
        index(
            "index: no table",
            CreateIndex.of(ID).table("nobody").name("i").columns("a"),
            "\"nobody\""),
        index(
            "index: no column", index.name("i").columns("mail"), "users", "\"mail\"", "email, zip"),
        index(
            "index: name taken by a table",
            CreateIndex.of(ID).table("users").name("log").columns("email"),
            "\"log\"",
            "a table",
            "another name"),
        index(
            "index: name taken by another index",
            CreateIndex.of(ID).table("users").name("users_zip").columns("email"),
            "users_zip",
            "another name"),
        index(
            "index: too long",
            CreateIndex.of(ID).table("users").name(TOO_LONG).columns("email"),
            TOO_LONG,
            "at most 63"),
        index(
            "index: expression",
            CreateIndex.of(ID).table("users").name("i").expression("lower(email"),
            "\"i\"",
            "Correct its key"),
        rename("rename: no table", "nobody", "a", "b", "\"nobody\"", "\"public\""),
        rename("rename: no column", "users", "mail", "address", "users", "\"mail\""),
        rename("rename: name taken", "users", "email", "zip", "users", "\"zip\""),
        rename("rename: too long", "users", "email", TOO_LONG, TOO_LONG, "63"),
        rename("rename: no primary key", "log", "line", "text", "log", "primary key"),
        rename("rename: key", "users", "id", "uid", "\"id\"", "primary key"),
        renameInCode("in code: no table", "nobody", "a", "b", "\"nobody\"", "\"public\""),
        renameInCode("in code: no column", "users", "mail", "address", "users", "\"mail\""),
        renameInCode("in code: name taken", "users", "email", "zip", "users", "\"zip\""),
        renameInCode("in code: too long", "users", "email", TOO_LONG, TOO_LONG, "63"),
        renameInCode("in code: no primary key", "log", "line", "text", "log", "primary key"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isRefused(Case bad) {
    try (Orchestrator member =
        bad.declare().apply(Members.member(database.dataSource(), "1")).build()) {
      RefusedException refused =
          Untouched.refuses(
              database, RefusedException.class, ErrorCode.REFUSED, member::advance, bad.says());
      assertThat(refused).hasMessageContaining(ID);
      assertThat(refused.migration()).isEqualTo(ID);
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.member")).isZero();
      assertThat(database.queryLong("SELECT count(*) FROM orchestrator.migration")).isZero();
      Untouched.refuses(
          database, RefusedException.class, ErrorCode.REFUSED, member::plan, bad.says());
    }
  }

  @ParameterizedTest
  @MethodSource("others")
  void isRefusedOfOtherOperations(Case bad) {
    isRefused(bad);
  }

  @Test
  void noKeyIsNeededWhereNothingIsBackfilled() {
    Members.install(database.dataSource());
    AddColumn kind = add("log", "kind", "text").notNull().defaultSql("'plain'").build();
    try (Orchestrator member =
        Members.member(database.dataSource(), "1").thisBuild(kind, AddColumn.Code.READS).build()) {
      assertThat(member.advance().admitted()).isTrue();
      assertThat(member.drive().settled()).isTrue();
      assertThat(database.<String>queryOne("SELECT kind FROM log")).isEqualTo("plain");
    }
  }
}
