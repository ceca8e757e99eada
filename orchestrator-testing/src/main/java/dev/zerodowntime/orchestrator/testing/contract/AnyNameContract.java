package dev.zerodowntime.orchestrator.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Wait;
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
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation forth and back, where tables, columns, indexes and constraints have the most
 * awkward names: names are taken literally, and everything is quoted, always.
 */
public abstract class AnyNameContract extends Contract {

  private static final int MOST_DRIVES = 100;
  private static final Duration PATIENCE = Duration.ofMillis(300);

  /** Their way back leaves something behind, on some servers. */
  private static final Set<String> STAYING = Set.of("AddPrimaryKey", "WidenColumn");

  private final List<UnaryOperator<OrchestratorBuilder>> declared = new ArrayList<>();
  private final Set<String> operations = new TreeSet<>();
  private final List<String> ids = new ArrayList<>();
  private final List<String> staying = new ArrayList<>();
  private String name;
  private Ground ground;

  /** Operations that have no case here, for they have tests of their own about names. */
  protected abstract Set<String> others();

  @AfterEach
  final void forget() throws Exception {
    declared.clear();
    operations.clear();
    ids.clear();
    staying.clear();
    ground.close();
    drop(ground);
  }

  /** The name with a suffix, as long as names may be. */
  private String n(String suffix) {
    String text = name + suffix;
    int most = product().sql().longestName();
    return text.length() <= most ? text : name.substring(0, most - suffix.length()) + suffix;
  }

  private String q(String identifier) {
    return product().sql().quoted(identifier);
  }

  private String t(String suffix) {
    return q(n(suffix));
  }

  /** A table with a key and two columns of awkward names, and several batches of rows. */
  private void table(String suffix, String rest, String... more) throws Exception {
    String text = product().sql().text();
    ground.execute(
        "CREATE TABLE %s (%s int PRIMARY KEY, %s %s DEFAULT 'd' NOT NULL, %s int%s)"
            .formatted(t(suffix), q(name), t(" c"), text, t(" r"), rest),
        "INSERT INTO %s (%s, %s, %s) SELECT i, %s, i FROM %s"
            .formatted(
                t(suffix),
                q(name),
                t(" c"),
                t(" r"),
                product().sql().concat("'v'", "i"),
                product().sql().numbers(1, 25)));
    ground.execute(more);
  }

  private <C extends Enum<C> & CodeStage, B extends Migration.Builder<B, M>, M extends Migration<C>>
      void declare(B builder, C oldest) {
    M migration = builder.pace(pace -> pace.fullSpeed().rows(10, 10)).build();
    declared.add(each -> each.thisBuild(migration, oldest));
    operations.add(migration.lifecycle().operation());
    ids.add(migration.id());
    if (STAYING.contains(migration.lifecycle().operation())) {
      staying.add(migration.table());
    }
  }

  private void rules() throws Exception {
    String c = n(" c");
    String r = n(" r");
    table(" 01", "");
    declare(
        AddCheck.of("all/01").table(n(" 01")).name(n(" k")).expression(q(r) + " > 0"),
        AddCheck.Code.MAY_VIOLATE);
    table(" 04", "", "CREATE INDEX " + t(" i4") + " ON " + t(" 04") + " (" + q(r) + ")");
    ground.execute(
        "CREATE TABLE " + t(" 04r") + " (" + q(name) + " int PRIMARY KEY)",
        "INSERT INTO " + t(" 04r") + " SELECT i FROM " + product().sql().numbers(1, 25));
    declare(
        AddForeignKey.of("all/04")
            .table(n(" 04"))
            .name(n(" k4"))
            .columns(r)
            .references(n(" 04r"), name),
        AddForeignKey.Code.MAY_VIOLATE);
    ground.execute(
        "CREATE TABLE " + t(" 05") + " (" + q(name) + " int NOT NULL, v int)",
        "CREATE UNIQUE INDEX " + t(" u5") + " ON " + t(" 05") + " (" + q(name) + ")",
        "INSERT INTO " + t(" 05") + " SELECT i, i FROM " + product().sql().numbers(1, 25));
    declare(
        AddPrimaryKey.of("all/05").table(n(" 05")).name(n(" k5")).columns(name),
        AddPrimaryKey.Code.MAY_VIOLATE);
    table(" 06", "");
    declare(
        AddUnique.of("all/06").table(n(" 06")).name(n(" k6")).columns(r, c),
        AddUnique.Code.MAY_VIOLATE);
    table(" 10", ", CONSTRAINT " + t(" k10") + " UNIQUE (" + q(r) + ")");
    declare(DropConstraint.of("all/10").table(n(" 10")).name(n(" k10")), DropConstraint.Code.USES);
    table(" 13", "");
    declare(DropNotNull.of("all/13").table(n(" 13")).column(c), DropNotNull.Code.USES);
    table(" 20", "");
    declare(SetNotNull.of("all/20").table(n(" 20")).column(r), SetNotNull.Code.MAY_VIOLATE);
  }

  private void columns() throws Exception {
    String c = n(" c");
    String text = product().sql().text();
    table(" 02", "");
    declare(
        AddColumn.of("all/02")
            .table(n(" 02"))
            .column(n(" n"), text)
            .notNull()
            .fillWithSql("upper(" + q(c) + ")"),
        AddColumn.Code.UNAWARE);
    table(" 07", "");
    declare(
        Backfill.of("all/07").table(n(" 07")).set(c, "'it''s'").undo(c, "'v'"),
        Backfill.Code.UNAWARE);
    table(" 09", "");
    declare(
        DropColumn.of("all/09").table(n(" 09")).column(c).fillBackWithSql("'again'"),
        DropColumn.Code.USES);
    table(" 11", "");
    declare(DropDefault.of("all/11").table(n(" 11")).column(c), DropDefault.Code.USES);
    table(" 15", "");
    declare(
        RenameColumn.of("all/15").table(n(" 15")).from(c).to(n(" n")),
        RenameColumn.Code.USES_OLD_NAME);
    table(" 17", "");
    declare(
        RenameColumnInCode.of("all/17").table(n(" 17")).from(c).to(n(" n")),
        RenameColumnInCode.Code.OLD);
    table(" 19", "");
    declare(
        SetDefault.of("all/19").table(n(" 19")).column(c).defaultSql("'it''s'"),
        SetDefault.Code.UNAWARE);
    table(" 24", "");
    declare(
        AddGeneratedColumn.of("all/24")
            .table(n(" 24"))
            .column(n(" n"), "int")
            .expression(q(name) + " * 2"),
        AddGeneratedColumn.Code.UNAWARE);
    table(" 27", ", " + t(" v") + " varchar(10)");
    declare(
        WidenColumn.of("all/27").table(n(" 27")).column(n(" v")).type("varchar(20)"),
        WidenColumn.Code.OLD_TYPE);
    table(" 28", "");
    declare(
        ChangeColumnType.of("all/28")
            .table(n(" 28"))
            .from(c)
            .to(n(" n"))
            .type("varchar(61)")
            .up(q(c))
            .down(t(" n"))
            .defaultSql("'d'"),
        ChangeColumnType.Code.USES_OLD_COLUMN);
  }

  private void tables() throws Exception {
    String c = n(" c");
    String r = n(" r");
    table(" 08", "");
    declare(
        CreateIndex.of("all/08").table(n(" 08")).name(n(" i8")).columns(c, r),
        CreateIndex.Code.UNAWARE);
    table(" 12", "", "CREATE INDEX " + t(" i12") + " ON " + t(" 12") + " (" + q(r) + ")");
    declare(DropIndex.of("all/12").table(n(" 12")).name(n(" i12")), DropIndex.Code.USES);
    table(" 14", "");
    declare(DropTable.of("all/14").table(n(" 14")), DropTable.Code.USES);
    table(" 18", "", "CREATE INDEX " + t(" i18") + " ON " + t(" 18") + " (" + q(r) + ")");
    declare(
        RenameIndex.of("all/18").table(n(" 18")).from(n(" i18")).to(n(" j18")),
        RenameIndex.Code.UNAWARE);
    table(" 21", "");
    declare(RenameTable.of("all/21").from(n(" 21")).to(n(" 21n")), RenameTable.Code.OLD);
    table(" 23", "", "CREATE INDEX " + t(" i23") + " ON " + t(" 23") + " (" + q(r) + ")");
    declare(
        CreateTable.of("all/22")
            .table(n(" 22"))
            .notNullColumn(name, "int")
            .column(c, product().sql().text(), "'it''s'")
            .primaryKey(name)
            .foreignKey(name, n(" 23"), name, "ON DELETE CASCADE"),
        CreateTable.Code.UNAWARE);
    if (product().subjects().stream().anyMatch(each -> each.name().equals("Reindex"))) {
      declare(Reindex.of("all/23").table(n(" 23")), Reindex.Code.UNAWARE);
    }
  }

  private List<MigrationReport> driven(Orchestrator driver) {
    List<MigrationReport> reports = driver.drive(PATIENCE).migrations();
    reports.forEach(each -> assertThat(each.lastError()).as(each.toString()).isNull());
    return reports;
  }

  private static boolean atItsEnd(MigrationReport report) {
    return report.finished() || (report.state().atRest() && report.phase().equals("CONTRACT"));
  }

  private static boolean back(MigrationReport report) {
    return report.state().atRest() && report.state().reached() == 0;
  }

  /** One a day; all with {@code -Dcontract.full=true}. */
  final Stream<String> names() {
    List<String> all =
        List.of(
            "select",
            "Größe \"of\" it's `名前`",
            "two; --words /* %s $1 ? $$ back\\slash",
            "longest_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    return Boolean.getBoolean("contract.full")
        ? all.stream()
        : Stream.of(all.get((int) (LocalDate.now().toEpochDay() % all.size())));
  }

  @ParameterizedTest
  @MethodSource("names")
  final void forthAndBack(String awkward) throws Exception {
    name = awkward.substring(0, Math.min(awkward.length(), product().sql().longestName()));
    ground = ground("names", Environment.PRODUCTION, List.of());
    rules();
    columns();
    tables();
    Set<String> covered = new TreeSet<>(operations);
    covered.addAll(others());
    assertThat(covered)
        .as("operations with a case here")
        .containsAll(
            product().subjects().stream()
                .map(each -> each.migration(List.of()).lifecycle().operation())
                .collect(Collectors.toSet()));
    List<String> before = ground.shape(staying);
    OrchestratorBuilder builder = ground.member("1").role(Role.MEMBER);
    for (UnaryOperator<OrchestratorBuilder> each : declared) {
      builder = each.apply(builder);
    }
    try (Orchestrator member = builder.build()) {
      assertThat(member.advance().admitted()).isTrue();
      assertThat(member.plan()).hasSize(declared.size());
    }
    try (Orchestrator driver = ground.job().build()) {
      driver.advance();
      driver.forgetRelease(Ground.APPLICATION, "1");
      List<MigrationReport> reports = driven(driver);
      for (int i = 0; !reports.stream().allMatch(AnyNameContract::atItsEnd); i++) {
        assertThat(i).as(reports.toString()).isLessThan(MOST_DRIVES);
        reports = driven(driver);
      }
      assertThat(ground.shape(staying)).isNotEqualTo(before);
      ids.forEach(driver::rollback);
      reports = driven(driver);
      for (int i = 0; !reports.stream().allMatch(AnyNameContract::back); i++) {
        assertThat(i).as(reports.toString()).isLessThan(MOST_DRIVES);
        reports.stream()
            .filter(each -> !back(each))
            .filter(each -> each.waits().stream().anyMatch(w -> w.kind() == Wait.Kind.APPROVAL))
            .forEach(each -> driver.approve(each.id(), "NOT_STARTED"));
        reports = driven(driver);
      }
    }
    assertThat(ground.shape(staying)).isEqualTo(before);
  }
}
