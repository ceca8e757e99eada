package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.MigrationReport;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.operation.AddCheck;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.AddExclusion;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.AddPrimaryKey;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.AttachPartition;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.operation.DetachPartition;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.DropConstraint;
import dev.zerodowntime.orchestrator.operation.DropDefault;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.DropNotNull;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.PhasePlan;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.operation.RenameTable;
import dev.zerodowntime.orchestrator.operation.SetDefault;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.operation.WidenKey;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every operation that the dialect ships, forth and back, where schema, tables, columns, indexes,
 * constraints, types and labels have the most awkward names.
 */
@PostgresTest
@Timeout(300)
@Tag("long")
class EveryOperationAnyNameTest {

  private static final int MOST_BYTES = 63;

  private TestDatabase database;
  private final List<UnaryOperator<OrchestratorBuilder>> declared = new ArrayList<>();
  private final Set<String> operations = new TreeSet<>();
  private final List<String> ids = new ArrayList<>();
  private String name;

  @BeforeEach
  void create() {
    database = TestDatabase.create("every_name");
  }

  @AfterEach
  void drop() {
    database.close();
  }

  /** The name with a suffix, as long as names may be. */
  private String n(String suffix) {
    String text = name + suffix;
    while (text.getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
      String begin = text.substring(0, text.length() - suffix.length());
      text = begin.substring(0, begin.offsetByCodePoints(begin.length(), -1)) + suffix;
    }
    return text;
  }

  private static String q(String identifier) {
    return '"' + identifier.replace("\"", "\"\"") + '"';
  }

  private static String l(String text) {
    return (text.contains("\\") ? "E'" : "'") + text.replace("'", "''").replace("\\", "\\\\") + "'";
  }

  private String t(String suffix) {
    return q(name) + "." + q(n(suffix));
  }

  /** A table with a key and two columns of awkward names, and several batches of rows. */
  private void table(String suffix, String rest) {
    database.execute(
        "CREATE TABLE "
            + t(suffix)
            + " ("
            + q(name)
            + " int PRIMARY KEY, "
            + q(n(" c"))
            + " text NOT NULL DEFAULT 'd', "
            + q(n(" r"))
            + " int"
            + rest
            + ")",
        "INSERT INTO " + t(suffix) + " SELECT i, 'v' || i, i FROM generate_series(1, 25) i");
  }

  private <C extends Enum<C> & CodeStage, B extends Migration.Builder<B, M>, M extends Migration<C>>
      void declare(B builder, C oldest) {
    M migration = builder.schema(name).pace(pace -> pace.fullSpeed().rows(10, 10)).build();
    declared.add(b -> b.thisBuild(migration, oldest));
    operations.add(migration.lifecycle().operation());
    ids.add(migration.id());
  }

  private void everything() {
    database.execute("CREATE SCHEMA " + q(name));
    String c = n(" c");
    String r = n(" r");
    for (String each : List.of(" 01", " 02", " 07", " 08", " 09", " 11", " 13", " 14", " 15")) {
      table(each, "");
    }
    for (String each : List.of(" 16", " 17", " 19", " 20")) {
      table(each, "");
    }
    declare(
        AddCheck.of("all/01").table(n(" 01")).name(n(" k")).expression(q(r) + " > 0"),
        AddCheck.Code.MAY_VIOLATE);
    declare(
        AddColumn.of("all/02")
            .table(n(" 02"))
            .column(n(" n"), "text")
            .notNull()
            .fillWithSql("upper(" + q(c) + ")"),
        AddColumn.Code.UNAWARE);
    database.execute(
        "CREATE TYPE " + t(" ty") + " AS ENUM (" + l(n(" a")) + ")",
        "CREATE TABLE " + t(" 03") + " (id int PRIMARY KEY, e " + t(" ty") + ")");
    declare(
        AddEnumValue.of("all/03")
            .table(n(" 03"))
            .type(n(" ty"))
            .value(n(" b"))
            .beforeValue(n(" a")),
        AddEnumValue.Code.UNAWARE);
    table(" 04", "");
    database.execute("CREATE TABLE " + t(" 04r") + " (" + q(name) + " int PRIMARY KEY)");
    database.execute("INSERT INTO " + t(" 04r") + " SELECT generate_series(1, 25)");
    declare(
        AddForeignKey.of("all/04")
            .table(n(" 04"))
            .name(n(" k"))
            .columns(r)
            .references(n(" 04r"), name)
            .withoutIndex(),
        AddForeignKey.Code.MAY_VIOLATE);
    database.execute(
        "CREATE TABLE " + t(" 05") + " (" + q(name) + " int NOT NULL, " + q(c) + " text)",
        "INSERT INTO " + t(" 05") + " SELECT generate_series(1, 25), 'x'");
    declare(
        AddPrimaryKey.of("all/05").table(n(" 05")).name(n(" k5")).columns(name),
        AddPrimaryKey.Code.MAY_VIOLATE);
    table(" 06", "");
    declare(
        AddUnique.of("all/06").table(n(" 06")).name(n(" k6")).columns(r, c),
        AddUnique.Code.MAY_VIOLATE);
    declare(
        Backfill.of("all/07")
            .table(n(" 07"))
            .set(c, q(c) + " || " + l(name))
            .where(q(c) + " NOT LIKE '%' || " + l(name.replace("\\", "\\\\")))
            .undo(c, "'v'"),
        Backfill.Code.UNAWARE);
    declare(
        CreateIndex.of("all/08").table(n(" 08")).name(n(" i8")).columns(c, r),
        CreateIndex.Code.UNAWARE);
    declare(
        DropColumn.of("all/09").table(n(" 09")).column(c).fillBackWithSql("'again'"),
        DropColumn.Code.USES);
    table(" 10", ", CONSTRAINT " + q(n(" k")) + " CHECK (" + q(r) + " > 0)");
    declare(DropConstraint.of("all/10").table(n(" 10")).name(n(" k")), DropConstraint.Code.USES);
    declare(DropDefault.of("all/11").table(n(" 11")).column(c), DropDefault.Code.USES);
    table(" 12", "");
    database.execute("CREATE INDEX " + q(n(" i12")) + " ON " + t(" 12") + " (" + q(r) + ")");
    declare(DropIndex.of("all/12").table(n(" 12")).name(n(" i12")), DropIndex.Code.USES);
    declare(DropNotNull.of("all/13").table(n(" 13")).column(c), DropNotNull.Code.USES);
    declare(DropTable.of("all/14").table(n(" 14")), DropTable.Code.USES);
    declare(
        RenameColumn.of("all/15").table(n(" 15")).from(c).to(n(" n")),
        RenameColumn.Code.USES_OLD_NAME);
    declare(
        RenameColumnByView.of("all/16").table(n(" 16")).from(c).to(n(" n")),
        RenameColumnByView.Code.USES_OLD_NAME);
    declare(
        RenameColumnInCode.of("all/17").table(n(" 17")).from(c).to(n(" n")),
        RenameColumnInCode.Code.OLD);
    table(" 18", "");
    database.execute("CREATE INDEX " + q(n(" i18")) + " ON " + t(" 18") + " (" + q(r) + ")");
    declare(
        RenameIndex.of("all/18").table(n(" 18")).from(n(" i18")).to(n(" j18")),
        RenameIndex.Code.UNAWARE);
    declare(
        SetDefault.of("all/19").table(n(" 19")).column(c).defaultSql(l(name)),
        SetDefault.Code.UNAWARE);
    declare(SetNotNull.of("all/20").table(n(" 20")).column(r), SetNotNull.Code.MAY_VIOLATE);
    tables();
    types();
    partitions();
    plan();
  }

  private enum PlanCode implements CodeStage {
    OLD,
    NEW
  }

  private void tables() {
    table(" 21", "");
    declare(RenameTable.of("all/21").from(n(" 21")).to(n(" 21n")), RenameTable.Code.OLD);
    declare(
        CreateTable.of("all/22")
            .table(n(" 22"))
            .notNullColumn(name, "int")
            .column(n(" c"), "text", l(name))
            .primaryKey(name)
            .foreignKey(name, n(" 23"), name, "ON DELETE CASCADE"),
        CreateTable.Code.UNAWARE);
    table(" 23", "");
    database.execute("CREATE INDEX " + q(n(" i23")) + " ON " + t(" 23") + " (" + q(n(" r")) + ")");
    declare(Reindex.of("all/23").table(n(" 23")), Reindex.Code.UNAWARE);
    database.execute("CREATE TABLE " + t(" 24") + " (" + q(name) + " int PRIMARY KEY)");
    declare(
        AddGeneratedColumn.of("all/24")
            .table(n(" 24"))
            .column(n(" n"), "int")
            .expression(q(name) + " * 2")
            .stored(),
        AddGeneratedColumn.Code.UNAWARE);
    database.execute("CREATE TABLE " + t(" 25") + " (" + q(name) + " int4range)");
    declare(
        AddExclusion.of("all/25")
            .table(n(" 25"))
            .name(n(" k25"))
            .definition("USING gist (" + q(name) + " WITH &&)"),
        AddExclusion.Code.MAY_VIOLATE);
  }

  private void types() {
    database.execute(
        "CREATE TYPE " + t(" ty2") + " AS ENUM (" + l(n(" a")) + ")",
        "CREATE TABLE " + t(" 26") + " (id int PRIMARY KEY, e " + t(" ty2") + ")");
    declare(
        RenameEnumValue.of("all/26").table(n(" 26")).type(n(" ty2")).from(n(" a")).to(n(" b")),
        RenameEnumValue.Code.OLD);
    table(" 27", ", " + q(n(" v")) + " varchar(10)");
    declare(
        WidenColumn.of("all/27").table(n(" 27")).column(n(" v")).type("varchar(20)"),
        WidenColumn.Code.OLD_TYPE);
    table(" 28", "");
    declare(
        ChangeColumnType.of("all/28")
            .table(n(" 28"))
            .from(n(" r"))
            .to(n(" n"))
            .type("bigint")
            .up(q(n(" r")) + "::bigint")
            .down(q(n(" n")) + "::int"),
        ChangeColumnType.Code.USES_OLD_COLUMN);
    table(" 29", "");
    declare(WidenKey.of("all/29").table(n(" 29")).column(name).noUpserts(), WidenKey.Code.OLD_TYPE);
  }

  private void partitions() {
    for (String each : List.of(" 30", " 31")) {
      database.execute(
          "CREATE TABLE "
              + t(each)
              + " ("
              + q(name)
              + " int PRIMARY KEY) PARTITION BY RANGE ("
              + q(name)
              + ")");
    }
    database.execute(
        "CREATE TABLE " + t(" 30p") + " (" + q(name) + " int PRIMARY KEY)",
        "INSERT INTO " + t(" 30p") + " SELECT generate_series(1, 25)",
        "CREATE TABLE " + t(" 31p") + " PARTITION OF " + t(" 31") + " FOR VALUES FROM (0) TO (99)",
        "INSERT INTO " + t(" 31") + " SELECT generate_series(1, 25)");
    declare(
        AttachPartition.of("all/30")
            .table(n(" 30"))
            .partition(n(" 30p"))
            .bound("FOR VALUES FROM (0) TO (99)"),
        AttachPartition.Code.MAY_VIOLATE);
    declare(
        DetachPartition.of("all/31").table(n(" 31")).partition(n(" 31p")),
        DetachPartition.Code.USES);
  }

  private void plan() {
    table(" 32", "");
    String alter = "ALTER TABLE {schema}." + q(n(" 32"));
    declare(
        PhasePlan.of("all/32", PlanCode.class)
            .table(n(" 32"))
            .phase(
                "EXPAND",
                phase ->
                    phase
                        .ddl("add", alter + " ADD COLUMN " + q(n(" n")) + " int")
                        .probe(
                            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('"
                                + ("{schema}." + q(n(" 32"))).replace("'", "''")
                                + "') AND NOT attisdropped AND attname = "
                                + l(n(" n"))
                                + ")")
                        .undo(alter + " DROP COLUMN " + q(n(" n"))))
            .stage(PlanCode.OLD, "NOT_STARTED", "EXPAND")
            .stage(PlanCode.NEW, "EXPAND", "EXPAND"),
        PlanCode.OLD);
  }

  private String shape() {
    return database
        .rows(
            "SELECT c.relname::text, c.relkind::text, CASE WHEN c.relkind IN ('i', 'I') THEN"
                + " pg_get_indexdef(c.oid) ELSE (SELECT array_agg((a.attname,"
                + " a.attnotnull, pg_get_expr(d.adbin, d.adrelid))::text ORDER BY a.attname) FROM"
                + " pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum ="
                + " a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND"
                + " a.attname NOT LIKE 'zdo%')::text END, (SELECT array_agg(pg_get_constraintdef(k.oid)"
                + " ORDER BY k.conname)::text FROM pg_constraint k WHERE k.conrelid = c.oid AND"
                + " k.contype <> 'n' AND k.conname NOT LIKE 'zdo%') FROM pg_class c WHERE c.relnamespace = "
                + l(q(name))
                + "::regnamespace AND c.relname NOT LIKE 'zdo%' AND NOT EXISTS (SELECT 1 FROM"
                + " pg_index i JOIN pg_class o ON o.oid = i.indrelid WHERE i.indexrelid = c.oid AND"
                + " o.relname LIKE 'zdo%') ORDER BY 1")
        .toString();
  }

  private List<MigrationReport> driven(Orchestrator driver) {
    List<MigrationReport> reports = driver.drive(Duration.ofMillis(300)).migrations();
    reports.forEach(each -> assertThat(each.lastError()).as(each.toString()).isNull());
    return reports;
  }

  private static boolean atItsEnd(MigrationReport report) {
    return report.finished() || (report.state().atRest() && report.phase().equals("CONTRACT"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select",
        "Größe \"of\" it's 名前",
        "two; --words /* %s $1 ? {} $$ back\\slash",
        "63_bytes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      })
  void forthAndBack(String awkward) throws Exception {
    name = awkward;
    everything();
    Set<String> shipped =
        PostgresDialect.create().operations().stream()
            .map(each -> each.type().name())
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(operations).as("operations with a case here").isEqualTo(shipped);
    String before = shape();
    Members.install(database.dataSource());
    OrchestratorBuilder builder =
        Members.member(database.dataSource(), "1").role(Role.MEMBER).timing(Members::patient);
    for (UnaryOperator<OrchestratorBuilder> each : declared) {
      builder = each.apply(builder);
    }
    try (Orchestrator member = builder.build()) {
      assertThat(member.advance().admitted()).isTrue();
      assertThat(member.plan()).hasSize(declared.size());
    }
    try (Orchestrator driver =
        Members.driver(database.dataSource()).timing(Members::patient).build()) {
      driver.advance();
      driver.forgetRelease("billing", "1");
      Eventually.until(
          "all are at their ends",
          () -> driven(driver).stream().allMatch(EveryOperationAnyNameTest::atItsEnd));
      assertThat(shape()).isNotEqualTo(before);
      for (String id : ids) {
        driver.rollback(id);
        if (List.of("all/03", "all/27").contains(id)) {
          driver.approve(id, "NOT_STARTED"); // the label stays; no value is too long by then
        }
      }
      Eventually.until(
          "all are back",
          () -> driven(driver).stream().allMatch(each -> each.phase().equals("NOT_STARTED")));
    }
    assertThat(shape()).isEqualTo(before);
  }
}
