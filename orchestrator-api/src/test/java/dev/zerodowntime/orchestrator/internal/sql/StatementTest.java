package dev.zerodowntime.orchestrator.internal.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SQL is cut where the server cuts it. */
class StatementTest {

  private static List<String> cut(String text) {
    return Statement.of(text).stream().map(Statement::text).toList();
  }

  private static List<String> tokens(String text) {
    return Statement.of(text).get(0).tokens().stream().map(Token::text).toList();
  }

  @Test
  void statementsEndAtSemicolonsThatAreNoPartOfSomethingElse() {
    assertThat(cut("SELECT 1; SELECT 2 ;; -- SELECT 3;\n /* ; /* ; */ ; */"))
        .containsExactly("SELECT 1", "SELECT 2");
    assertThat(cut("SELECT ';', \";\", $$;$$, $a$;$$;$a$, E'\\';', 'it''s;'")).hasSize(1);
    assertThat(cut("CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 1"))
        .hasSize(2);
    assertThat(
            cut(
                "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN"
                    + " 1 END; SELECT 2; END; SELECT 3"))
        .hasSize(2);
    assertThat(cut(" -- nothing\n")).isEmpty();
    // A comment or a quote that begins within another doesn't.
    assertThat(cut("SELECT '--'; SELECT 1")).hasSize(2);
    assertThat(cut("SELECT 1 -- it's\n; SELECT 2")).hasSize(2);
    assertThat(cut("SELECT a$b$ FROM t; SELECT a$b$ FROM t")).hasSize(2);
    assertThat(cut("SELECT $1; SELECT $2")).hasSize(2);
  }

  /** A plan may be for a MySQL. */
  @Test
  void backticksAreQuotesAndTriggersHaveBlocks() {
    assertThat(tokens("ALTER TABLE `Or``d;er` ADD `A'b` int"))
        .containsExactly("alter", "table", "Or`d;er", "add", "A'b", "int");
    assertThat(
            cut(
                "CREATE DEFINER = root TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN IF NEW.a IS"
                    + " NULL THEN SET NEW.a = CASE WHEN 1 THEN 2 END; END IF; SET NEW.b = 1; END"))
        .hasSize(1);
    assertThat(cut("CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.a = 1; SELECT 1"))
        .hasSize(2);
    Statement inPlace =
        Statement.of("ALTER TABLE t ADD KEY k (a), ALGORITHM=INPLACE, LOCK=NONE").get(0);
    assertThat(inPlace.saysAlgorithm() && inPlace.saysNoLock()).isTrue();
    Statement instant = Statement.of("ALTER TABLE t ADD c int, algorithm = instant").get(0);
    assertThat(instant.saysAlgorithm() && !instant.saysNoLock()).isTrue();
    for (String text :
        List.of(
            "ALTER TABLE t ADD c int, ALGORITHM=COPY, LOCK=NONE",
            "ALTER TABLE t ADD c int, ALGORITHM=DEFAULT, LOCK=NONE",
            "ALTER TABLE t ADD c int, LOCK=NONE",
            "ALTER TABLE t ADD algorithm int",
            "ALTER TABLE t ADD c int COMMENT 'ALGORITHM=INSTANT'")) {
      Statement other = Statement.of(text).get(0);
      assertThat(other.saysAlgorithm() || other.saysNoLock()).as(text).isFalse();
    }
  }

  @Test
  void wordsAreFoldedAndNamesInQuotesAreNot() {
    assertThat(tokens("Alter TABLE \"Or\"\"der\" ADD ÄB int"))
        .containsExactly("alter", "table", "Or\"der", "add", "Äb", "int");
    assertThat(Statement.of("\"drop\" table").get(0).starts("drop")).isFalse();
    assertThat(Statement.of("select e'a', b'1', x'f', n'a', U & 'a'").get(0).tokens()).hasSize(12);
  }

  @Test
  void aSchemaThatIsTheMigrationsOwnIsNone() {
    Statement statement = Statement.of("DROP TABLE {schema}.a, other.b, c").get(0);
    assertThat(statement.names(2))
        .containsExactly(ObjectName.of("a"), new ObjectName("other", "b"), ObjectName.of("c"));
    assertThat(statement.text()).isEqualTo("DROP TABLE {schema}.a, other.b, c");
  }

  @Test
  void anAlterTableHasActionsThatParenthesesDoNotSplit() {
    AlterTable alter =
        AlterTable.of(
                Statement.of(
                        "ALTER TABLE IF EXISTS ONLY a.b ADD c numeric(9, 2) DEFAULT f(1, 2),"
                            + " DROP COLUMN IF EXISTS d, ADD CONSTRAINT e CHECK (f IS NOT NULL)"
                            + " NOT VALID, ALTER g SET NOT NULL")
                    .get(0))
            .orElseThrow();
    assertThat(alter.table()).isEqualTo(new ObjectName("a", "b"));
    assertThat(alter.actions()).hasSize(4);
    assertThat(alter.actions().stream().map(AlterTable.Action::column))
        .containsExactly("c", "d", null, "g");
    assertThat(alter.actions().get(2).constraint()).isEqualTo("e");
    assertThat(alter.actions().get(2).provenColumn()).isEqualTo("f");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 'a",
        "SELECT \"a",
        "SELECT $x$ a $y$",
        "SELECT /* /* */",
        "SELECT (1",
        "SELECT 1)",
        "SELECT U&'a'",
        "SELECT U&\"a\"",
        // Its end is elsewhere if standard_conforming_strings is off.
        "SELECT 'a\\' || '; DROP TABLE b; --'"
      })
  void whatHasNoEndIsRefused(String text) {
    assertThatThrownBy(() -> Statement.of(text)).isInstanceOf(SqlTextException.class);
  }
}
