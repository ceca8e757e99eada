package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddUnique;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropIndex;
import dev.zerodowntime.orchestrator.operation.RenameIndex;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Indexes, built, dropped and renamed while others read and write. */
class MysqlIndexOperationsTest {

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "index");
    database.execute(
        "CREATE TABLE parent (id INT PRIMARY KEY, code INT NOT NULL, UNIQUE KEY code (code))",
        "CREATE TABLE `t``s` (id INT NOT NULL AUTO_INCREMENT, `na``me` VARCHAR(40) NOT NULL, n INT,"
            + " txt TEXT, p INT, PRIMARY KEY (id), UNIQUE KEY `u``1` (n), KEY by_name (`na``me`(5)"
            + " , n DESC) COMMENT 'it''s', KEY by_p (p), CONSTRAINT fk FOREIGN KEY (p) REFERENCES"
            + " parent (code))",
        "INSERT INTO parent VALUES (1, 1)",
        "INSERT INTO `t``s` (`na``me`, n, txt, p) VALUES ('Anna', 1, 'x', 1), ('anna', 2, 'y', 1),"
            + " ('Bob ', NULL, 'z', NULL), ('c', NULL, NULL, NULL)");
    return database;
  }

  private static CreateIndex create(String name) {
    return CreateIndex.of("a/create")
        .table("t`s")
        .name(name)
        .columns("na`me")
        .column("n", "DESC")
        .column("txt", "(10)")
        .build();
  }

  private static void refused(ThrowingCallable what, String... texts) {
    assertThatThrownBy(what)
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(texts));
  }

  @ParameterizedTest
  @EnumSource
  void anIndexIsBuiltAndTakenBack(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<CreateIndex> steps =
          new MysqlSteps<>(database, MysqlCreateIndex::new, create("new`one")).preflight();
      String before = steps.definition("t`s");
      assertThat(steps.up(1)).containsExactly("create-index");
      assertThat(steps.definition("t`s")).contains("KEY `new``one` (`na``me`,`n` DESC,`txt`(10))");
      // Declared again, or found built by hand: the same is fine.
      steps.preflight();
      assertThat(steps.down(1)).containsExactly("drop-index");
      assertThat(steps.definition("t`s")).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatCantBeBuiltOnlineIsRefused(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      for (Object[] each :
          new Object[][] {
            {
              CreateIndex.of("a/1").table("t`s").name("x").column("n", "(5)"),
              "can't be built",
              "(100)"
            },
            {CreateIndex.of("a/1").table("t`s").name("x").columns("no"), "has no column", "na`me"},
            {CreateIndex.of("a/1").table("gone").name("x").columns("n"), "no table", "gone"},
            {CreateIndex.of("a/1").table("t`s").name("primary").columns("n"), "PRIMARY", "another"},
            {
              CreateIndex.of("a/1").table("t`s").name("BY_NAME").columns("n"),
              "another index of this name",
              "COMMENT"
            },
            {
              CreateIndex.of("a/1").table("t`s").name("x").using("fulltext").columns("txt"),
              "fulltext",
              "BTREE"
            },
            {
              CreateIndex.of("a/1").table("t`s").name("x").expression("n + 1"),
              "expression",
              "generated column"
            },
            {
              CreateIndex.of("a/1").table("t`s").name("x").columns("n").where("n > 1"),
              "predicate",
              "no such indexes"
            },
            {
              CreateIndex.of("a/1").table("t`s").name("x".repeat(65)).columns("n"),
              "65 characters",
              "64"
            },
          }) {
        CreateIndex migration = ((CreateIndex.Builder) each[0]).build();
        refused(
            () -> new MysqlSteps<>(database, MysqlCreateIndex::new, migration).preflight(),
            (String) each[1],
            (String) each[2]);
      }
    }
  }

  /** What MySQL would do for an index over an expression, and why it is refused. */
  @ParameterizedTest
  @EnumSource
  void theServerBuildsNoIndexOverAnExpressionOnline(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      assertThatThrownBy(
              () ->
                  database.execute(
                      "ALTER TABLE `t``s` ADD KEY x ((n + 1)), ALGORITHM=INPLACE, LOCK=NONE"))
          .cause()
          .isInstanceOf(SQLException.class)
          .extracting(e -> ((SQLException) e).getErrorCode())
          .isIn(1846, 1064);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anIndexThatAForeignKeyHasComeToNeedIsNotTakenBack(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      CreateIndex migration = CreateIndex.of("a/1").table("t`s").name("for_n").columns("q").build();
      database.execute("ALTER TABLE `t``s` ADD q INT");
      MysqlSteps<CreateIndex> steps =
          new MysqlSteps<>(database, MysqlCreateIndex::new, migration).preflight();
      steps.up(1);
      database.execute(
          "ALTER TABLE `t``s` ADD CONSTRAINT `to``it` FOREIGN KEY (q) REFERENCES parent (code)");
      refused(() -> steps.preflightBack(1), "`for_n`", "foreign key `to``it`");
    }
  }

  @ParameterizedTest
  @EnumSource
  void anIndexIsDroppedAndBuiltAgainAsItWas(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "ALTER TABLE `t``s` ALTER INDEX by_name "
              + (flavor == Flavor.MARIADB ? "IGNORED" : "INVISIBLE"));
      for (String name : new String[] {"BY_name", "u`1"}) {
        DropIndex migration = DropIndex.of("a/1").table("t`s").name(name).build();
        MysqlSteps<DropIndex> steps =
            new MysqlSteps<>(database, MysqlDropIndex::new, migration).preflight();
        String clause = (String) steps.facts().get("clause");
        assertThat(steps.definition("t`s")).contains(clause);
        assertThat(steps.up(1)).containsExactly("drop-index");
        assertThat(steps.definition("t`s")).doesNotContain(clause);
        assertThat(steps.down(1)).containsExactly("rebuild-index");
        assertThat(steps.definition("t`s")).contains(clause);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void indexesThatAreNeededAreNotDropped(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "CREATE TABLE heap (a INT NOT NULL, b INT NOT NULL AUTO_INCREMENT, c TEXT, UNIQUE KEY ua"
              + " (a), KEY kb (b), FULLTEXT KEY words (c))");
      for (String[] each :
          new String[][] {
            {"t`s", "by_p", "needed by its foreign key `fk`"},
            {"parent", "code", "needed by foreign key `fk` of table"},
            {"t`s", "PRIMARY", "primary key"},
            {"t`s", "gone", "has no index \"gone\""},
            {"heap", "ua", "no primary key"},
            {"heap", "kb", "AUTO_INCREMENT column `b`"},
            {"heap", "words", "FULLTEXT"}
          }) {
        DropIndex migration = DropIndex.of("a/1").table(each[0]).name(each[1]).build();
        refused(
            () -> new MysqlSteps<>(database, MysqlDropIndex::new, migration).preflight(), each[2]);
      }
      // With another index for the foreign key, the server has no objection either.
      database.execute("ALTER TABLE `t``s` ADD KEY p2 (p, n)");
      DropIndex migration = DropIndex.of("a/1").table("t`s").name("by_p").build();
      MysqlSteps<DropIndex> steps =
          new MysqlSteps<>(database, MysqlDropIndex::new, migration).preflight();
      steps.up(1);
      steps.down(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anIndexIsRenamedAndRenamedBack(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      RenameIndex migration =
          RenameIndex.of("a/1").table("t`s").from("u`1").to("say \"x\" `y`").build();
      MysqlSteps<RenameIndex> steps =
          new MysqlSteps<>(database, MysqlRenameIndex::new, migration).preflight();
      String before = steps.definition("t`s");
      assertThat(steps.up(1)).containsExactly("rename-index");
      assertThat(steps.definition("t`s")).contains("`say \"x\" ``y```");
      assertThat(steps.down(1)).containsExactly("rename-index-back");
      assertThat(steps.definition("t`s")).isEqualTo(before);

      for (String[] each :
          new String[][] {
            {"u`1", "BY_NAME", "is taken"},
            {"u`1", "U`1", "Upper and lower case make no difference"},
            {"PRIMARY", "x", "always called PRIMARY"},
            {"gone", "x", "has no index"},
          }) {
        RenameIndex bad = RenameIndex.of("a/1").table("t`s").from(each[0]).to(each[1]).build();
        refused(() -> new MysqlSteps<>(database, MysqlRenameIndex::new, bad).preflight(), each[2]);
      }
    }
  }

  private static AddUnique unique(String... columns) {
    return AddUnique.of("a/unique").table("t`s").name("only`one").columns(columns).build();
  }

  @ParameterizedTest
  @EnumSource
  void aUniqueConstraintRejectsDuplicatesAndIsTakenBack(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      refused(
          () -> new MysqlSteps<>(database, MysqlAddUnique::new, unique("na`me")).preflight(),
          "duplicates of `na``me`",
          "(Anna) in 2 rows");
      MysqlSteps<AddUnique> steps =
          new MysqlSteps<>(database, MysqlAddUnique::new, unique("na`me", "n")).preflight();
      String before = steps.definition("t`s");
      assertThat(steps.up(AddUnique.ENFORCE)).containsExactly("create-unique-index");
      assertThatThrownBy(
              () -> database.execute("INSERT INTO `t``s` (`na``me`, n) VALUES ('ANNA', 1)"))
          .hasMessageContaining("Duplicate entry");
      assertThat(steps.up(AddUnique.DONE)).isEmpty();
      assertThat(steps.down(AddUnique.DONE)).isEmpty();
      assertThat(steps.down(AddUnique.ENFORCE)).containsExactly("drop-index");
      assertThat(steps.definition("t`s").replaceAll("AUTO_INCREMENT=\\d+ ", ""))
          .isEqualTo(before.replaceAll("AUTO_INCREMENT=\\d+ ", ""));
    }
  }

  /** One that comes after the check fails the build, which leaves nothing. */
  @ParameterizedTest
  @EnumSource
  void aDuplicateThatComesLaterFailsTheBuild(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      MysqlSteps<AddUnique> steps =
          new MysqlSteps<>(database, MysqlAddUnique::new, unique("txt_key"));
      database.execute("ALTER TABLE `t``s` ADD txt_key VARCHAR(9) AS (LEFT(txt, 9)) STORED");
      steps.preflight();
      database.execute("INSERT INTO `t``s` (`na``me`, txt) VALUES ('d', 'X ')", "DO 1");
      database.execute("INSERT INTO `t``s` (`na``me`, txt) VALUES ('e', 'x')");
      String before = steps.definition("t`s");
      assertThatThrownBy(() -> steps.up(AddUnique.ENFORCE)).hasMessageContaining("Duplicate entry");
      assertThat(steps.definition("t`s")).isEqualTo(before);
    }
  }

  /** Killed in the middle, a build leaves no index, no file and no lock. */
  @ParameterizedTest
  @EnumSource
  void nothingRemainsOfAKilledBuild(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "CREATE TABLE big (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, pad VARCHAR(200))",
          "INSERT INTO big (pad) VALUES (REPEAT(UUID(), 5))");
      for (int rows = 1; rows < 60_000; rows *= 2) {
        database.execute("INSERT INTO big (pad) SELECT CONCAT(id, REPEAT(UUID(), 4)) FROM big");
      }
      CreateIndex migration =
          CreateIndex.of("a/1").table("big").name("slow").columns("pad").build();
      MysqlSteps<CreateIndex> steps =
          new MysqlSteps<>(database, MysqlCreateIndex::new, migration).preflight();
      String sql;
      try (Connection c = database.dataSource().getConnection()) {
        sql =
            new MysqlCreateIndex(MysqlVersion.of(c))
                .steps(
                    migration,
                    new Target("a/1", database.name(), database.name()),
                    steps.facts(),
                    1,
                    Direction.UP)
                .get(0)
                .sql()
                .get(0);
      }
      String before = withoutCounter(steps.definition("big"));
      // A fast machine may have built it before it can be killed: then the table was too small.
      for (int attempt = 1; !killed(database, flavor, sql); attempt++) {
        assertThat(attempt).as("builds that ended before they could be killed").isLessThan(6);
        database.execute(
            "DROP INDEX slow ON big",
            "INSERT INTO big (pad) SELECT CONCAT(id, REPEAT(UUID(), 4)) FROM big");
      }
      assertThat(withoutCounter(steps.definition("big"))).isEqualTo(before);
      String indexes = flavor == Flavor.MARIADB ? "innodb_sys_indexes" : "innodb_indexes";
      String tables = flavor == Flavor.MARIADB ? "innodb_sys_tables" : "innodb_tables";
      assertThat(
              database.rows(
                  "SELECT i.NAME FROM information_schema."
                      + indexes
                      + " i JOIN information_schema."
                      + tables
                      + " t USING (TABLE_ID) WHERE t.NAME LIKE '"
                      + database.name()
                      + "/big'"))
          .hasSize(1);
      assertThat(
              database.rows(
                  "SELECT NAME FROM information_schema."
                      + tables
                      + " WHERE NAME LIKE '"
                      + database.name()
                      + "/#sql%'"))
          .isEmpty();
      // The next attempt finds nothing in its way.
      assertThat(steps.up(1)).containsExactly("create-index");
    }
  }

  private static String withoutCounter(String definition) {
    return definition.replaceAll(" AUTO_INCREMENT=\\d+", "");
  }

  /** Has a statement executed and kills it once it works; false says that it ended before. */
  private static boolean killed(MysqlDatabase database, Flavor flavor, String sql)
      throws Exception {
    try (Connection builder = database.dataSource().getConnection();
        Statement build = builder.createStatement();
        Connection other = database.dataSource().getConnection();
        Statement kill = other.createStatement()) {
      long id;
      try (ResultSet row = build.executeQuery("SELECT CONNECTION_ID()")) {
        row.next();
        id = row.getLong(1);
      }
      CompletableFuture<Void> building =
          CompletableFuture.runAsync(
              () -> {
                try {
                  build.execute(sql);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              },
              Threads.ONE_EACH);
      String state =
          flavor == Flavor.MYSQL
              ? "SELECT COUNT(*) FROM performance_schema.processlist WHERE ID = "
                  + id
                  + " AND STATE LIKE 'alter table%'"
              : "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = "
                  + id
                  + " AND INFO LIKE 'ALTER%' AND STATE NOT LIKE 'Waiting%' AND STATE <> 'init' AND"
                  + " TIME_MS > 100";
      boolean begun = false;
      while (!begun && !building.isDone()) {
        try (ResultSet row = kill.executeQuery(state)) {
          row.next();
          begun = row.getInt(1) == 1;
        }
      }
      kill.execute("KILL QUERY " + id);
      try {
        building.get();
        return false;
      } catch (ExecutionException e) {
        assertThat(e)
            .rootCause()
            .isInstanceOf(SQLException.class)
            .hasMessageContaining("interrupted");
        return true;
      }
    }
  }

  /** Whole migrations, driven by the engine. */
  @ParameterizedTest
  @EnumSource
  void theEngineCarriesThemOut(Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Orchestrator orchestrator =
            Orchestrator.builder(database.dataSource())
                .application("billing")
                .release("1")
                .environment(Environment.DEVELOPMENT)
                .developmentOnExistingRows()
                .thisBuild(create("new`one"), CreateIndex.Code.NEEDS)
                .thisBuild(unique("na`me", "n"), AddUnique.Code.NEEDS)
                .thisBuild(
                    DropIndex.of("a/drop").table("t`s").name("by_name").build(),
                    DropIndex.Code.UNUSED)
                .thisBuild(
                    RenameIndex.of("a/rename").table("t`s").from("u`1").to("u2").build(),
                    RenameIndex.Code.UNAWARE)
                .build()) {
      orchestrator.advance();
      assertThat(
              database.rows(
                  "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE"
                      + " TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't`s' ORDER BY 1"))
          .hasToString("[[by_p], [new`one], [only`one], [PRIMARY], [u2]]");
      try (Connection c = database.dataSource().getConnection();
          PreparedStatement s =
              c.prepareStatement("SELECT id, status FROM zdo_migration WHERE status <> 'DONE'");
          ResultSet row = s.executeQuery()) {
        assertThat(row.next()).isFalse();
      }
    }
  }
}
