package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.SetDefault;
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
    return Stream.of(
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
            "primary key: nullable",
            AddPrimaryKey.of(ID).table("log").name("k").columns("line"),
            AddPrimaryKey.Code.MAY_VIOLATE,
            "log",
            "line",
            "NULL"),
        any(
            "no index: of another table",
            DropIndex.of(ID).table("log").name("users_zip"),
            DropIndex.Code.USES,
            "users_zip",
            "log"),
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
            "default: of another column",
            SetDefault.of(ID).table("users").column("zip").defaultSql("email"),
            SetDefault.Code.UNAWARE,
            "\"zip\"",
            "email",
            "Correct the expression"));
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
        drop("drop: key", "users", "id", "\"id\"", "primary key", "another primary key"),
        index(
            "index: name taken by a table",
            CreateIndex.of(ID).table("users").name("log").columns("email"),
            "\"log\"",
            "a table",
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
        rename("rename: no primary key", "log", "line", "text", "log", "primary key"),
        rename("rename: key", "users", "id", "uid", "\"id\"", "primary key"),
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
