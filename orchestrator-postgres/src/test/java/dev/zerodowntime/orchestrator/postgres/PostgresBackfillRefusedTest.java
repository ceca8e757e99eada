package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.Policy;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.OperationType;
import java.sql.SQLException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What backfills of data alone refuse, before anything is touched. */
@PostgresTest
@Timeout(60)
class PostgresBackfillRefusedTest {

  private static final RowFunction NOTHING = rows -> {};

  private final TestDatabase db;

  PostgresBackfillRefusedTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void table() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0, v text, g text GENERATED ALWAYS AS"
            + " (v || 'x') STORED, i int GENERATED ALWAYS AS IDENTITY, at timestamptz, u uuid)",
        "INSERT INTO t (id) SELECT generate_series(1, 5)",
        "CREATE TABLE o (id int PRIMARY KEY, n int NOT NULL, v text)",
        "CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
  }

  private void preflight(UnaryOperator<Backfill.Builder> how) throws SQLException {
    new StepRunner<>(
            db, new PostgresBackfill(), how.apply(Backfill.of("tests/refused").table("t")).build())
        .preflight();
  }

  private void refuses(UnaryOperator<Backfill.Builder> how, String... parts) {
    assertThatThrownBy(() -> preflight(how))
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void columnsThatCannotBeAssigned() {
    refuses(b -> b.set("nope", "1"), "no column \"nope\"");
    refuses(b -> b.set("g", "'x'"), "\"g\"", "is generated");
    refuses(b -> b.set("i", "1"), "\"i\"", "GENERATED ALWAYS AS IDENTITY");
    refuses(b -> b.set("id", "id + 100"), "\"id\"", "part of the key");
    refuses(
        b -> b.compute(List.of("nope"), List.of("v"), "f", NOTHING).where("v IS NULL"),
        "no column \"nope\"");
    refuses(
        b -> b.compute(List.of("v"), List.of("g"), "f", NOTHING).where("v IS NULL"),
        "is generated");
    refuses(b -> b.set("v", "'x'").undo("g", "'x'"), "is generated");
  }

  @Test
  void expressionsThatDoNotCompileOrFail() {
    refuses(b -> b.set("v", "nope(id)"), "nope", "[42883]");
    refuses(b -> b.set("n", "'a'::text"), "type integer", "[42804]");
    refuses(b -> b.set("n", "1 / (id - 3)"), "division by zero");
    refuses(b -> b.set("v", "'x'").where("nope = 1"), "of where", "nope");
    refuses(b -> b.set("v", "v").join("o", "o.id = t.id"), "ambiguous", "say whose");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "n / n + 1",
        "v / coalesce(v, '') || 'x'",
        "u / gen_random_uuid()",
        "n / (random() * 1e9)::int"
      })
  void whatWouldBeChangedAgainAndAgain(String set) throws SQLException {
    String[] parts = set.split(" / ");
    refuses(b -> b.set(parts[0], parts[1]), "again and again", "oncePerKey()", "oncePerLedger()");
    preflight(b -> b.set(parts[0], parts[1]).oncePerKey());
    preflight(b -> b.set(parts[0], parts[1]).oncePerLedger());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "now()",
        "current_timestamp",
        "CURRENT_DATE",
        "coalesce(at, now())",
        "localtimestamp(0)"
      })
  void valuesThatChangeWithTime(String value) throws SQLException {
    refuses(b -> b.set("at", value), "another value every time", "where(");
    preflight(b -> b.set("at", value).where("at IS NULL"));
    preflight(b -> b.set("v", "current_user || lower(v)"));
  }

  @Test
  void triggersNobodyConsentedTo() throws SQLException {
    db.execute(
        "CREATE TRIGGER audit BEFORE UPDATE OF v ON t FOR EACH ROW EXECUTE FUNCTION noop()",
        "CREATE TRIGGER arrives BEFORE INSERT ON o FOR EACH ROW EXECUTE FUNCTION noop()");
    refuses(b -> b.set("v", "'x'"), "[audit]", "allowTriggers(\"audit\")");
    preflight(b -> b.set("v", "'x'").allowTriggers("audit"));
    preflight(b -> b.set("n", "7"));
    UnaryOperator<Backfill.Builder> copy = b -> b.copyInto("o", "id").set("id", "id").set("n", "n");
    refuses(copy, "[arrives]", "\"o\"");
    preflight(b -> copy.apply(b).allowTriggers("arrives"));
  }

  @Test
  void tablesThatCannotBeWalked() {
    db.execute("CREATE VIEW w AS SELECT * FROM t", "CREATE TABLE keyless (v text)");
    refuses(b -> b.table("w").set("v", "'x'"), "is a view");
    refuses(b -> b.table("keyless").set("v", "'x'"), "has no primary key");
    refuses(b -> b.table("gone").set("v", "'x'"), "there is no table");
    db.execute("ALTER TABLE keyless ADD k int UNIQUE");
    refuses(b -> b.table("keyless").set("v", "'x'"), "has no primary key");
  }

  @Test
  void rowSecurity() throws SQLException {
    db.execute(
        "DROP ROLE IF EXISTS zdo_backfill_owner",
        "CREATE ROLE zdo_backfill_owner",
        "GRANT ALL ON SCHEMA public TO zdo_backfill_owner",
        "ALTER TABLE t OWNER TO zdo_backfill_owner",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t FORCE ROW LEVEL SECURITY");
    Backfill backfill = Backfill.of("tests/refused").table("t").set("v", "'x'").build();
    StepRunner<Backfill> runner = new StepRunner<>(db, new PostgresBackfill(), backfill);
    try (var c = db.dataSource().getConnection();
        var s = c.createStatement()) {
      s.execute("SET ROLE zdo_backfill_owner");
      assertThatThrownBy(() -> runner.preflight(c)).hasMessageContaining("row security");
    }
    db.execute("DROP OWNED BY zdo_backfill_owner CASCADE", "DROP ROLE zdo_backfill_owner");
  }

  @Test
  void copiesThatCannotWork() throws SQLException {
    db.execute("CREATE TABLE p (id int PRIMARY KEY, n int NOT NULL, e text, UNIQUE (e))");
    refuses(b -> b.copyInto("nope", "id").set("id", "id"), "there is no table");
    refuses(b -> b.copyInto("t", "id").set("id", "id"), "into itself");
    refuses(
        b -> b.copyInto("p", "e").set("id", "id").set("e", "v").set("n", "0"), "no unique index");
    refuses(b -> b.copyInto("p", "id").set("id", "id"), "\"n\"", "can't be null");
    refuses(b -> b.copyInto("p", "id").set("id", "id % 2").set("n", "0"), "several rows", "(0)");
    refuses(b -> b.copyInto("p", "id").set("id", "id").set("n", "v"), "[42804]");
    refuses(
        b -> b.copyInto("p", "id").set("id", "id").set("n", "1").set("e", "random()::text"),
        "again and again");
    preflight(b -> b.copyInto("p", "id").set("id", "id").set("n", "1"));
  }

  @Test
  void ledgersThatTriggersCouldOutrun() throws SQLException {
    UnaryOperator<Backfill.Builder> once = b -> b.set("n", "n + 1").oncePerLedger();
    db.execute(
        "CREATE TRIGGER \"~~later\" BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION noop()");
    refuses(once, "~~later", "RENAME TO");
    preflight(b -> b.set("n", "n + 1").oncePerKey());
    db.execute("DROP TRIGGER \"~~later\" ON t");
    preflight(once);
    db.execute(
        "CREATE TABLE gen (a int, k int GENERATED ALWAYS AS (a + 1) STORED NOT NULL UNIQUE, n int)");
    refuses(b -> once.apply(b).table("gen"), "\"k\"", "is generated");
  }

  @Test
  void declarationsThatMeanNothing() {
    for (UnaryOperator<Backfill.Builder> each :
        List.<UnaryOperator<Backfill.Builder>>of(
            b -> b,
            b -> b.set("v", "1").set("v", "2"),
            b -> b.set("v", "1").compute(List.of(), List.of("v"), "f", NOTHING).where("true"),
            b -> b.compute(List.of(), List.of("v"), "f", NOTHING),
            b -> b.compute(List.of(), List.of(), "f", NOTHING).where("true"),
            b -> b.copyInto("o", "id").set("n", "1"),
            b -> b.copyInto("o").set("n", "1"),
            b -> b.copyInto("o", "id").set("id", "1").join("o", "true"),
            b -> b.set("v", "o.v").join("o", "true").oncePerKey(),
            b -> b.set("n", "n + 1").oncePerLedger().undo("n", "n - 1"))) {
      assertThatThrownBy(() -> each.apply(Backfill.of("tests/refused").table("t")).build())
          .isInstanceOf(DeclarationException.class);
    }
  }

  /** What was declared here lends its function; another form of it doesn't. */
  @Test
  void restoredFromItsRow() {
    for (Backfill each :
        List.of(
            Backfill.of("t/a").table("t").set("a", "1").join("o", "true").where("x").build(),
            Backfill.of("t/a").table("t").set("a", "1").undo("a", "NULL").build(),
            Backfill.of("t/a").table("t").set("a", "a + 1").oncePerLedger().build(),
            Backfill.of("t/a").table("t").copyInto("o", "k").set("k", "1").build(),
            Backfill.of("t/a")
                .table("t")
                .compute(List.of("a"), List.of("b"), "f", NOTHING)
                .oncePerKey()
                .build())) {
      for (Backfill declared : new Backfill[] {each, null}) {
        Backfill restored =
            Backfill.TYPE
                .restore()
                .apply(
                    new OperationType.Stored(
                        each.id(), "public", List.of(), Policy.DEFAULT, each.fields(), declared));
        assertThat(restored.canonical()).isEqualTo(each.canonical());
        assertThat(restored.lifecycle()).isEqualTo(each.lifecycle());
        restored
            .computation()
            .ifPresent(
                it -> assertThat(it.function()).isEqualTo(declared == null ? null : NOTHING));
      }
    }
    assertThatCode(() -> Backfill.of("t/a").table("t").set("a", "1").build())
        .doesNotThrowAnyException();
  }
}
