package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.CopyTools;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddGeneratedColumn;
import dev.zerodowntime.orchestrator.operation.Reindex;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.spi.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Before anything is touched. The tool itself isn't needed for that. */
class CopyRouteRefusalTest {

  @TempDir Path folder;

  private static MysqlDatabase database(Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "refuse");
    database.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, n INT, v VARCHAR(20))",
        "INSERT INTO t VALUES (1, 1, 'x')");
    return database;
  }

  private Path tool(String script) {
    try {
      Path tool = Files.writeString(folder.resolve("tool"), "#!/bin/sh\n" + script + "\n");
      return Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwx------"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private CopyTool good(MysqlDatabase database) {
    return CopyTools.at(tool("echo pt-online-schema-change 3.7.1"), database.server());
  }

  private static Map<String, Object> preflight(
      MysqlDatabase database, @Nullable CopyTool tool, Reindex migration) {
    try (Connection c = database.dataSource().getConnection()) {
      c.setAutoCommit(false);
      return new MysqlReindex(MysqlVersion.of(c), new CopyRoute(tool))
          .preflight(
              migration,
              new Target(migration.id(), database.name(), database.name()),
              1,
              Map.of(),
              c);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Reindex anew(String table) {
    return Reindex.of("billing/anew").table(table).byCopy().build();
  }

  private static void refuses(
      MysqlDatabase database, @Nullable CopyTool tool, Reindex migration, String... texts) {
    assertThatThrownBy(() -> preflight(database, tool, migration))
        .isInstanceOf(RefusedException.class)
        .satisfies(e -> assertThat(e.toString()).contains(texts));
  }

  @ParameterizedTest
  @EnumSource
  void aToolThatIsNotThereOrIsAnotherOne(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      MysqlServer server = database.server();
      refuses(database, null, anew("t"), "no tool", "copyTool(...)");
      refuses(
          database, CopyTools.at(folder.resolve("none"), server), anew("t"), "none", "not there");
      Path plain = folder.resolve("plain");
      assertThat(plain.toFile().mkdir()).isTrue();
      for (String script :
          new String[] {
            "echo pt-online-schema-change 3.2.1",
            "echo pt-online-schema-change 4.0.0",
            "echo 'perl: command not found' >&2; exit 127",
            "exit 0"
          }) {
        refuses(database, CopyTools.at(tool(script), server), anew("t"), "version", "3.6");
      }
      assertThat(preflight(database, good(database), anew("t"))).containsEntry("copy", true);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTableWhoseCopyWouldBeAnother(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "CREATE TABLE child (id INT PRIMARY KEY, t INT, CONSTRAINT to_t FOREIGN KEY (t) REFERENCES"
              + " t (id))",
          "CREATE TABLE checked (id INT PRIMARY KEY, CONSTRAINT pos CHECK (id > 0))",
          "CREATE TABLE tri (id INT PRIMARY KEY)",
          "CREATE TRIGGER mine BEFORE INSERT ON tri FOR EACH ROW SET NEW.id = NEW.id + 1",
          "CREATE TABLE `quo'te` (id INT PRIMARY KEY)",
          "CREATE TABLE `com,ma` (id INT PRIMARY KEY)",
          "CREATE TABLE `tick``s` (id INT PRIMARY KEY)",
          "CREATE TABLE cols (id INT PRIMARY KEY, `a``b` INT)",
          "CREATE TABLE nokey (id INT)",
          "CREATE TABLE isam (id INT PRIMARY KEY) ENGINE=MyISAM");
      CopyTool tool = good(database);
      refuses(database, tool, anew("t"), "referenced by foreign keys", "to_t", "child");
      refuses(database, tool, anew("child"), "constraints", "to_t", "DropConstraint");
      refuses(database, tool, anew("checked"), "constraints", "pos");
      refuses(database, tool, anew("tri"), "trigger `mine`");
      for (String name : new String[] {"quo'te", "com,ma", "tick`s"}) {
        refuses(database, tool, anew(name), "name", Sql.quote(name));
      }
      refuses(database, tool, anew("cols"), "column `a``b`");
      refuses(database, tool, anew("nokey"), "no primary key");
      refuses(database, tool, anew("isam"), "MyISAM");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatSomebodyElseHasLeft(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      CopyTool tool = good(database);
      String copy =
          new CopySteps("billing/anew", database.name(), "t", "up", Map.of()).tables().get(0);
      database.execute("CREATE TABLE " + copy + " (id INT PRIMARY KEY)");
      refuses(database, tool, anew("t"), copy);
      database.execute("DROP TABLE " + copy);
      String trigger = CopySteps.triggers(database.name(), "t").get(0);
      database.execute(
          "CREATE TRIGGER "
              + trigger
              + " AFTER INSERT ON t FOR EACH ROW REPLACE INTO _t_new (id) VALUES (NEW.id)");
      refuses(database, tool, anew("t"), trigger, "somebody else copies");
      assertThat(database.rows("SHOW TRIGGERS")).hasSize(1);
    }
  }

  /** Its last letters may be another table's, where they differ in nothing but punctuation. */
  @ParameterizedTest
  @EnumSource
  void aTriggerOfAnotherTableThatIsCalledTheSame(Flavor flavor) {
    try (MysqlDatabase database = database(flavor)) {
      database.execute(
          "CREATE TABLE `a-b` (id INT PRIMARY KEY)", "CREATE TABLE `a b` (id INT PRIMARY KEY)");
      String trigger = CopySteps.triggers(database.name(), "a-b").get(2);
      assertThat(CopySteps.triggers(database.name(), "a b")).contains(trigger);
      database.execute("CREATE TRIGGER " + trigger + " AFTER DELETE ON `a b` FOR EACH ROW DO 0");
      refuses(database, good(database), anew("a-b"), trigger, "`a b`");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatOnlyACopyCanDoNamesIt(Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection c = database.dataSource().getConnection()) {
      c.setAutoCommit(false);
      Target target = new Target("billing/x", database.name(), database.name());
      WidenColumn wider = WidenColumn.of("billing/x").table("t").column("n").type("bigint").build();
      assertThatThrownBy(
              () ->
                  new MysqlWidenColumn(MysqlVersion.of(c)).preflight(wider, target, 1, Map.of(), c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("byCopy()");
      AddGeneratedColumn stored =
          AddGeneratedColumn.of("billing/x")
              .table("t")
              .column("g", "int")
              .expression("n + 1")
              .stored()
              .build();
      assertThatThrownBy(
              () ->
                  new MysqlAddGeneratedColumn(MysqlVersion.of(c))
                      .preflight(stored, target, 1, Map.of(), c))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("byCopy()");
      WidenColumn narrower =
          WidenColumn.of("billing/x").table("t").column("v").type("varchar(10)").byCopy().build();
      assertThatThrownBy(
              () ->
                  new MysqlWidenColumn(MysqlVersion.of(c), new CopyRoute(good(database)))
                      .preflight(narrower, target, 1, Map.of(), c))
          .isInstanceOf(RefusedException.class);
    }
  }
}
