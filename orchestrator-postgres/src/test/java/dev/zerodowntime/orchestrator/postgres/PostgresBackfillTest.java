package dev.zerodowntime.orchestrator.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.RowFunction;
import dev.zerodowntime.orchestrator.operation.Backfill;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import java.sql.SQLException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Backfills of data alone: each kind, by image, up and back. */
@PostgresTest
@Timeout(60)
class PostgresBackfillTest {

  private final TestDatabase db;

  PostgresBackfillTest(TestDatabase db) {
    this.db = db;
  }

  @BeforeEach
  void invoices() {
    db.execute(
        "DROP SCHEMA IF EXISTS public, control CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE customers (id int PRIMARY KEY, name text, amount int)",
        "INSERT INTO customers SELECT i, 'c' || i, -1 FROM generate_series(0, 9) i",
        "CREATE TABLE invoices (id int PRIMARY KEY, customer_id int, amount numeric(9, 2),"
            + " amount_cents bigint, name varchar(5), code char(4), bits bit(3))",
        "INSERT INTO invoices SELECT i, nullif(i % 12, 3), i * 1.5 FROM generate_series(1, 40) i");
  }

  private StepRunner<Backfill> runner(UnaryOperator<Backfill.Builder> how) throws SQLException {
    return new StepRunner<>(
            db,
            new PostgresBackfill(),
            how.apply(Backfill.of("tests/backfill").table("invoices")).build())
        .preflight();
  }

  private long pending(StepRunner<Backfill> runner, String extra) {
    BackfillStep step =
        (BackfillStep)
            runner.steps(1, Direction.UP).stream()
                .filter(BackfillStep.class::isInstance)
                .findFirst()
                .orElseThrow();
    return db.queryLong(
        "SELECT count(*) FROM invoices WHERE " + step.scan().pending() + " AND " + extra);
  }

  @Test
  void expressionsAndConstants() throws SQLException {
    db.execute("UPDATE invoices SET amount = NULL WHERE id = 8");
    StepRunner<Backfill> runner =
        runner(b -> b.set("amount_cents", "invoices.amount * 100").set("name", "'new'"));
    assertThat(runner.up(1)).containsExactly("change-rows");
    assertThat(db.queryLong("SELECT count(*) FROM invoices WHERE amount_cents = id * 150"))
        .isEqualTo(39);
    assertThat(db.queryLong("SELECT count(*) FROM invoices WHERE name = 'new'")).isEqualTo(40);
    db.execute("UPDATE invoices SET amount_cents = 0 WHERE id = 9");
    assertThat(pending(runner, "id = 9")).isEqualTo(1);
    assertThat(pending(runner, "true")).isEqualTo(1);
    assertThat(runner.down(1)).isEmpty();
  }

  /** What is assigned has the image of what is stored: rounded, padded, with its scale. */
  @Test
  void storedImagesAreCompared() throws SQLException {
    db.execute(
        "CREATE DOMAIN short AS varchar(3) CHECK (VALUE <> 'no')",
        "CREATE EXTENSION IF NOT EXISTS citext",
        "ALTER TABLE invoices ADD short short, ADD ci citext DEFAULT 'ABC', ADD n numeric DEFAULT"
            + " 1.0, ADD j json, ADD t timestamptz(0), ADD c \"char\", ADD v varbit(4)");
    StepRunner<Backfill> runner =
        runner(
            b ->
                b.set("name", "'ab     '")
                    .set("code", "id::text")
                    .set("bits", "B'101'")
                    .set("amount", "1.23456")
                    .set("amount_cents", "1.7")
                    .set("short", "'abc  '")
                    .set("ci", "'abc'")
                    .set("n", "1.00")
                    .set("j", "json_build_object('a', id)")
                    .set("t", "'2020-01-01 00:00:00.7+00'::timestamptz")
                    .set("c", "'x'")
                    .set("v", "B'11'"));
    runner.up(1);
    assertThat(
            db.rows(
                    "SELECT name, code, amount, amount_cents, short, ci::text, n::text FROM"
                        + " invoices WHERE id = 1")
                .get(0)
                .toString())
        .isEqualTo("[ab   , 1   , 1.23, 2, abc, abc, 1.00]");
    db.execute(
        "UPDATE invoices SET ci = 'ABC' WHERE id = 1", "UPDATE invoices SET n = 1 WHERE id = 2");
    assertThat(pending(runner, "true")).isEqualTo(2);
  }

  /** Cut off it would look right. */
  @Test
  void whatIsTooLongIsNotTakenForDone() throws SQLException {
    StepRunner<Backfill> runner =
        runner(b -> b.set("name", "CASE WHEN id > 2000 THEN 'abcdefg' ELSE 'x' END"));
    db.execute("INSERT INTO invoices (id, name) VALUES (3000, 'abcde'), (3001, 'x')");
    assertThat(pending(runner, "id IN (3000, 3001)")).isEqualTo(2);
  }

  @Test
  void joinedTables() throws SQLException {
    // A table that matches twice comes to rest with either.
    db.execute(
        "ALTER TABLE customers DROP CONSTRAINT customers_pkey",
        "INSERT INTO customers VALUES (5, 'or', -1)");
    StepRunner<Backfill> runner =
        runner(
            b ->
                b.set("name", "c.name")
                    .set("amount_cents", "invoices.amount")
                    .join("customers c", "c.id = invoices.customer_id")
                    .where("id > 4"));
    runner.up(1);
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM invoices i JOIN customers c ON c.id = i.customer_id AND"
                    + " c.name = i.name AND i.amount_cents = round(i.amount) WHERE i.id > 4"))
        .isEqualTo(db.queryLong("SELECT count(*) FROM invoices WHERE id > 4 AND customer_id < 10"));
    assertThat(db.queryLong("SELECT count(*) FROM invoices WHERE name IS NOT NULL AND id <= 4"))
        .isZero();
    db.execute("UPDATE customers SET name = 'moved' WHERE id = 7");
    assertThat(pending(runner, "customer_id = 7")).isEqualTo(3);
    assertThat(pending(runner, "true")).isEqualTo(3);
  }

  @Test
  void functionsInJava() throws SQLException {
    RowFunction function =
        rows -> {
          for (RowFunction.Row row : rows) {
            String amount = row.get("amount");
            row.set("amount_cents", amount == null ? null : amount.replace(".", ""));
            row.set("code", "c");
          }
        };
    StepRunner<Backfill> runner =
        runner(
            b ->
                b.compute(
                        List.of("amount"),
                        List.of("amount_cents", "code", "bits"),
                        "cents",
                        function)
                    .where("amount_cents IS NULL"));
    runner.up(1);
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM invoices WHERE amount_cents = amount * 100 AND code = 'c'"
                    + " AND bits IS NULL"))
        .isEqualTo(40);
  }

  @Test
  void copies() throws SQLException {
    db.execute(
        "CREATE TABLE archive (amount text, id int NOT NULL, since timestamptz DEFAULT now(),"
            + " UNIQUE (id))",
        "INSERT INTO archive (id, amount) VALUES (5, 'old'), (6, 'kept')");
    StepRunner<Backfill> runner =
        runner(
            b ->
                b.copyInto("archive", "id")
                    .set("id", "id")
                    .set("amount", "amount")
                    .where("id <> 6"));
    assertThat(runner.up(1)).containsExactly("change-rows");
    assertThat(
            db.queryLong(
                "SELECT count(*) FROM archive a JOIN invoices i USING (id) WHERE a.amount ="
                    + " i.amount::text"))
        .isEqualTo(39);
    assertThat((String) db.queryOne("SELECT amount FROM archive WHERE id = 6")).isEqualTo("kept");
    db.execute("UPDATE invoices SET amount = 7 WHERE id = 3", "DELETE FROM archive WHERE id = 4");
    assertThat(pending(runner, "id IN (3, 4)")).isEqualTo(2);
    assertThat(pending(runner, "true")).isEqualTo(2);
  }

  @Test
  void wayBack() throws SQLException {
    StepRunner<Backfill> runner =
        runner(b -> b.set("amount_cents", "amount * 100").undo("amount_cents", "NULL"));
    runner.up(1);
    assertThat(runner.down(1)).containsExactly("undo-rows");
    assertThat(db.queryLong("SELECT count(amount_cents) FROM invoices")).isZero();
  }

  @Test
  void oncePerKeyGoesByRangesAlone() throws SQLException {
    StepRunner<Backfill> runner = runner(b -> b.set("amount", "amount + 1").oncePerKey());
    assertThat(runner.up(1)).containsExactly("change-rows");
    assertThat(db.queryLong("SELECT count(*) FROM invoices WHERE amount = id * 1.5 + 1"))
        .isEqualTo(40);
    assertThat(runner.migration.lifecycle().reachable(1, 0)).isFalse();
    assertThat(runner.migration.lifecycle().transitions()).hasSize(1);
  }

  /** A row's where may hold by itself what it doesn't any more once it was changed. */
  @Test
  void valuesThatDifferEveryTimeAreFineIfThePredicateEndsThem() throws SQLException {
    StepRunner<Backfill> runner =
        runner(b -> b.set("name", "left(gen_random_uuid()::text, 5)").where("name IS NULL"));
    runner.up(1);
    assertThat(db.queryLong("SELECT count(name) FROM invoices")).isEqualTo(40);
  }
}
