package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is not there, is there already, or can't be called that is refused by name and with a
 * remedy, before anything is touched: in the same words, whatever the database.
 */
public abstract class RefusalContract extends Contract {

  private static final String ID = "billing/bad";
  private static final String TOO_LONG = "x".repeat(65);

  /**
   * A declaration that must be refused.
   *
   * @param name what is wrong with it
   * @param declare declares it
   * @param says what the refusal names
   */
  record Case(String name, UnaryOperator<OrchestratorBuilder> declare, String... says) {
    @Override
    public String toString() {
      return name;
    }
  }

  private List<String> tables() {
    String text = product().sql().text();
    return List.of(
        "CREATE TABLE users (id bigint PRIMARY KEY, email "
            + text
            + " NOT NULL, zip "
            + text
            + ", CONSTRAINT zip_long CHECK (zip <> ''))",
        "CREATE INDEX users_zip ON users (zip)",
        "CREATE INDEX users_email ON users (email)",
        "CREATE TABLE log (line " + text + ")",
        "INSERT INTO users VALUES (1, 'a@x', '1'), (2, 'b@x', NULL), (3, 'c@x', '3')",
        "INSERT INTO log VALUES ('one')");
  }

  private static <C extends Enum<C> & CodeStage, M extends Migration<C>> Case any(
      String name, Migration.Builder<?, M> migration, C stage, String... says) {
    M built = migration.build();
    return new Case(name, builder -> builder.thisBuild(built, stage), says);
  }

  final Stream<Case> cases() {
    List<Case> all = new ArrayList<>(noTable());
    all.addAll(noSuchThing());
    all.addAll(taken());
    all.addAll(tooLong());
    return all.stream();
  }

  private List<Case> noTable() {
    String text = product().sql().text();
    String nobody = "\"nobody\"";
    return List.of(
        any(
            "check: no table",
            AddCheck.of(ID).table("nobody").name("k").expression("1 = 1"),
            AddCheck.Code.MAY_VIOLATE,
            nobody),
        any(
            "column: no table",
            AddColumn.of(ID).table("nobody").column("a", "int"),
            AddColumn.Code.UNAWARE,
            nobody),
        any(
            "foreign key: no table",
            AddForeignKey.of(ID).table("nobody").name("k").columns("a").references("users", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            nobody),
        any(
            "foreign key: no other table",
            AddForeignKey.of(ID).table("users").name("k").columns("id").references("nobody", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            nobody),
        any(
            "generated: no table",
            AddGeneratedColumn.of(ID).table("nobody").column("a", "int").expression("1"),
            AddGeneratedColumn.Code.UNAWARE,
            nobody),
        any(
            "primary key: no table",
            AddPrimaryKey.of(ID).table("nobody").name("k").columns("id"),
            AddPrimaryKey.Code.MAY_VIOLATE,
            nobody),
        any(
            "unique: no table",
            AddUnique.of(ID).table("nobody").name("k").columns("id"),
            AddUnique.Code.MAY_VIOLATE,
            nobody),
        any(
            "backfill: no table",
            Backfill.of(ID).table("nobody").set("a", "1"),
            Backfill.Code.UNAWARE,
            nobody),
        any(
            "type: no table",
            ChangeColumnType.of(ID).table("nobody").from("a").to("b").type(text).up("a").down("b"),
            ChangeColumnType.Code.USES_OLD_COLUMN,
            nobody),
        any(
            "index: no table",
            CreateIndex.of(ID).table("nobody").name("i").columns("a"),
            CreateIndex.Code.UNAWARE,
            nobody),
        any(
            "no column: no table",
            DropColumn.of(ID).table("nobody").column("a"),
            DropColumn.Code.USES,
            nobody),
        any(
            "no constraint: no table",
            DropConstraint.of(ID).table("nobody").name("k"),
            DropConstraint.Code.USES,
            nobody),
        any(
            "no default: no table",
            DropDefault.of(ID).table("nobody").column("a"),
            DropDefault.Code.USES,
            nobody),
        any(
            "no index: no table",
            DropIndex.of(ID).table("nobody").name("users_zip"),
            DropIndex.Code.USES,
            nobody),
        any(
            "nullable: no table",
            DropNotNull.of(ID).table("nobody").column("a"),
            DropNotNull.Code.USES,
            nobody),
        any("no table: no table", DropTable.of(ID).table("nobody"), DropTable.Code.USES, nobody),
        any(
            "rename: no table",
            RenameColumn.of(ID).table("nobody").from("a").to("b"),
            RenameColumn.Code.USES_OLD_NAME,
            nobody),
        any(
            "rename in code: no table",
            RenameColumnInCode.of(ID).table("nobody").from("a").to("b"),
            RenameColumnInCode.Code.OLD,
            nobody),
        any(
            "rename index: no table",
            RenameIndex.of(ID).table("nobody").from("users_zip").to("j"),
            RenameIndex.Code.UNAWARE,
            nobody),
        any(
            "default: no table",
            SetDefault.of(ID).table("nobody").column("a").defaultSql("1"),
            SetDefault.Code.UNAWARE,
            nobody),
        any(
            "not null: no table",
            SetNotNull.of(ID).table("nobody").column("a"),
            SetNotNull.Code.MAY_VIOLATE,
            nobody),
        any(
            "wider: no table",
            WidenColumn.of(ID).table("nobody").column("a").type("bigint"),
            WidenColumn.Code.OLD_TYPE,
            nobody));
  }

  private List<Case> noSuchThing() {
    String mail = "\"mail\"";
    String nothing = "\"nothing\"";
    return List.of(
        any(
            "check: no column",
            AddCheck.of(ID).table("users").name("k").expression("mail <> ''"),
            AddCheck.Code.MAY_VIOLATE,
            "users",
            "mail"),
        any(
            "foreign key: no column",
            AddForeignKey.of(ID).table("users").name("k").columns("mail").references("users", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            "users",
            mail,
            "email, zip"),
        any(
            "unique: no column",
            AddUnique.of(ID).table("users").name("k").columns("mail"),
            AddUnique.Code.MAY_VIOLATE,
            "users",
            mail,
            "email, zip"),
        any(
            "backfill: no column",
            Backfill.of(ID).table("users").set("mail", "'x'"),
            Backfill.Code.UNAWARE,
            "users",
            mail,
            "email, zip"),
        any(
            "backfill: no key",
            Backfill.of(ID).table("log").set("line", "'x'"),
            Backfill.Code.UNAWARE,
            "log",
            "primary key"),
        any(
            "type: no column",
            ChangeColumnType.of(ID)
                .table("users")
                .from("mail")
                .to("b")
                .type("bigint")
                .up("1")
                .down("1"),
            ChangeColumnType.Code.USES_OLD_COLUMN,
            "users",
            mail,
            "email, zip"),
        any(
            "index: no column",
            CreateIndex.of(ID).table("users").name("i").columns("mail"),
            CreateIndex.Code.UNAWARE,
            "users",
            mail,
            "email, zip"),
        any(
            "no column: no column",
            DropColumn.of(ID).table("users").column("mail"),
            DropColumn.Code.USES,
            "users",
            mail,
            "email, zip"),
        any(
            "no constraint: none",
            DropConstraint.of(ID).table("users").name("nothing"),
            DropConstraint.Code.USES,
            "users",
            nothing),
        any(
            "no default: no column",
            DropDefault.of(ID).table("users").column("mail"),
            DropDefault.Code.USES,
            "users",
            mail,
            "email, zip"),
        any(
            "no default: has none",
            DropDefault.of(ID).table("users").column("email"),
            DropDefault.Code.USES,
            "users",
            "email",
            "default"),
        any(
            "no index: none",
            DropIndex.of(ID).table("users").name("nothing"),
            DropIndex.Code.USES,
            "users",
            nothing),
        any(
            "nullable: no column",
            DropNotNull.of(ID).table("users").column("mail"),
            DropNotNull.Code.USES,
            "users",
            mail,
            "email, zip"),
        any(
            "nullable: key",
            DropNotNull.of(ID).table("users").column("id"),
            DropNotNull.Code.USES,
            "users",
            "id",
            "primary key"),
        any(
            "rename: no column",
            RenameColumn.of(ID).table("users").from("mail").to("b"),
            RenameColumn.Code.USES_OLD_NAME,
            "users",
            mail,
            "email, zip"),
        any(
            "rename in code: no column",
            RenameColumnInCode.of(ID).table("users").from("mail").to("b"),
            RenameColumnInCode.Code.OLD,
            "users",
            mail,
            "email, zip"),
        any(
            "rename index: none",
            RenameIndex.of(ID).table("users").from("nothing").to("j"),
            RenameIndex.Code.UNAWARE,
            "users",
            nothing),
        any(
            "default: no column",
            SetDefault.of(ID).table("users").column("mail").defaultSql("'x'"),
            SetDefault.Code.UNAWARE,
            "users",
            mail,
            "email, zip"),
        any(
            "not null: no column",
            SetNotNull.of(ID).table("users").column("mail"),
            SetNotNull.Code.MAY_VIOLATE,
            "users",
            mail,
            "email, zip"),
        any(
            "wider: no column",
            WidenColumn.of(ID).table("users").column("mail").type("varchar(61)"),
            WidenColumn.Code.OLD_TYPE,
            "users",
            mail,
            "email, zip"));
  }

  private List<Case> taken() {
    String text = product().sql().text();
    return List.of(
        any(
            "check: taken",
            AddCheck.of(ID).table("users").name("zip_long").expression("zip <> 'x'"),
            AddCheck.Code.MAY_VIOLATE,
            "users",
            "zip_long"),
        any(
            "column: taken",
            AddColumn.of(ID).table("users").column("zip", text),
            AddColumn.Code.UNAWARE,
            "users",
            "zip"),
        any(
            "generated: taken",
            AddGeneratedColumn.of(ID).table("users").column("zip", "int").expression("1"),
            AddGeneratedColumn.Code.UNAWARE,
            "users",
            "zip"),
        any(
            "primary key: there is one",
            AddPrimaryKey.of(ID).table("users").name("k").columns("email"),
            AddPrimaryKey.Code.MAY_VIOLATE,
            "users",
            "primary key"),
        any(
            "unique: taken",
            AddUnique.of(ID).table("users").name("users_zip").columns("email"),
            AddUnique.Code.MAY_VIOLATE,
            "users_zip"),
        any(
            "type: taken",
            ChangeColumnType.of(ID)
                .table("users")
                .from("email")
                .to("zip")
                .type(text)
                .up("email")
                .down("zip"),
            ChangeColumnType.Code.USES_OLD_COLUMN,
            "users",
            "zip"),
        any(
            "index: taken",
            CreateIndex.of(ID).table("users").name("users_zip").columns("email"),
            CreateIndex.Code.UNAWARE,
            "users_zip"),
        any(
            "table: taken",
            CreateTable.of(ID).table("users").notNullColumn("id", "bigint").primaryKey("id"),
            CreateTable.Code.UNAWARE,
            "users"),
        any(
            "rename: taken",
            RenameColumn.of(ID).table("users").from("email").to("zip"),
            RenameColumn.Code.USES_OLD_NAME,
            "users",
            "zip"),
        any(
            "rename in code: taken",
            RenameColumnInCode.of(ID).table("users").from("email").to("zip"),
            RenameColumnInCode.Code.OLD,
            "users",
            "zip"),
        any(
            "rename index: taken",
            RenameIndex.of(ID).table("users").from("users_zip").to("users_email"),
            RenameIndex.Code.UNAWARE,
            "users_email"));
  }

  private List<Case> tooLong() {
    String longest = Integer.toString(product().sql().longestName());
    return List.of(
        any(
            "check: too long",
            AddCheck.of(ID).table("users").name(TOO_LONG).expression("id > 0"),
            AddCheck.Code.MAY_VIOLATE,
            TOO_LONG,
            longest),
        any(
            "column: too long",
            AddColumn.of(ID).table("users").column(TOO_LONG, "int"),
            AddColumn.Code.UNAWARE,
            TOO_LONG,
            longest),
        any(
            "foreign key: too long",
            AddForeignKey.of(ID)
                .table("users")
                .name(TOO_LONG)
                .columns("id")
                .references("users", "id"),
            AddForeignKey.Code.MAY_VIOLATE,
            TOO_LONG,
            longest),
        any(
            "generated: too long",
            AddGeneratedColumn.of(ID).table("users").column(TOO_LONG, "int").expression("1"),
            AddGeneratedColumn.Code.UNAWARE,
            TOO_LONG,
            longest),
        any(
            "unique: too long",
            AddUnique.of(ID).table("users").name(TOO_LONG).columns("email"),
            AddUnique.Code.MAY_VIOLATE,
            TOO_LONG,
            longest),
        any(
            "index: too long",
            CreateIndex.of(ID).table("users").name(TOO_LONG).columns("email"),
            CreateIndex.Code.UNAWARE,
            TOO_LONG,
            longest),
        any(
            "table: too long",
            CreateTable.of(ID).table(TOO_LONG).notNullColumn("id", "bigint").primaryKey("id"),
            CreateTable.Code.UNAWARE,
            TOO_LONG,
            longest),
        any(
            "rename: too long",
            RenameColumn.of(ID).table("users").from("email").to(TOO_LONG),
            RenameColumn.Code.USES_OLD_NAME,
            TOO_LONG,
            longest),
        any(
            "rename in code: too long",
            RenameColumnInCode.of(ID).table("users").from("email").to(TOO_LONG),
            RenameColumnInCode.Code.OLD,
            TOO_LONG,
            longest),
        any(
            "rename index: too long",
            RenameIndex.of(ID).table("users").from("users_zip").to(TOO_LONG),
            RenameIndex.Code.UNAWARE,
            TOO_LONG,
            longest));
  }

  /** All of them in one database, which none of them changes. */
  private Ground shared;

  @BeforeAll
  final void create() throws Exception {
    shared = ground("refused", Environment.PRODUCTION, tables());
  }

  @AfterAll
  final void forget() throws Exception {
    if (shared != null) {
      shared.close();
      drop(shared);
    }
  }

  private List<String> everything() throws Exception {
    List<String> all = new ArrayList<>(shared.dump(Dump.Part.CATALOG));
    all.addAll(shared.content(shared.columns(List.of("users", "log"))));
    all.addAll(shared.rows("SELECT id FROM " + shared.control("migration")));
    all.addAll(shared.rows("SELECT id FROM " + shared.control("member")));
    return all;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isRefusedByName(Case refused) throws Exception {
    List<String> before = everything();
    try (Orchestrator member = refused.declare().apply(shared.member("1")).build()) {
      Throwable thrown = catchThrowable(member::advance);
      assertThat(thrown).isInstanceOf(RefusedException.class);
      RefusedException refusal = (RefusedException) thrown;
      assertThat(refusal.code()).isEqualTo(ErrorCode.REFUSED);
      assertThat(refusal).hasMessageContaining(ID).hasMessageContainingAll(refused.says());
      assertThat(refusal.remedy()).isNotBlank();
      assertThat(refusal).hasMessageContaining(refusal.remedy());
    }
    assertThat(everything()).isEqualTo(before);
  }
}
