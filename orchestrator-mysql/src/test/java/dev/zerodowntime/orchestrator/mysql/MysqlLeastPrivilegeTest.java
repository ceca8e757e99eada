package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.AdvanceReport;
import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropTable;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumnInCode;
import dev.zerodowntime.orchestrator.operation.SetNotNull;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** With the rights that docs/mysql.md lists, and no others, as managed servers give them. */
class MysqlLeastPrivilegeTest {

  private static final String TRUST = "SET GLOBAL log_bin_trust_function_creators = ";

  private static final RenameColumn RENAME =
      RenameColumn.of("billing/names").table("users").from("name").to("full_name").build();

  private static final SetNotNull NOT_NULL =
      SetNotNull.of("billing/nick").table("users").column("nick").build();

  /** A user, and its pool. */
  private record Login(MysqlDatabase database, String user, HikariDataSource pool)
      implements AutoCloseable {

    static Login create(Flavor flavor) throws IOException {
      MysqlServer server = MysqlServer.get(flavor);
      MysqlDatabase database = MysqlDatabase.create(server, "rights");
      String user = "u_" + database.name().substring(2);
      database.execute("CREATE USER '" + user + "'@'%' IDENTIFIED BY 'x'");
      List<String> grants = documented();
      assertThat(grants).hasSizeGreaterThan(2);
      for (String each : grants) {
        database.execute(
            each.replace("`billing`", database.name()).replace("'billing'", "'" + user + "'"));
      }
      database.execute(
          "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, nick VARCHAR(40))",
          "INSERT INTO users VALUES (1, 'Ann', 'a'), (2, 'Bob', 'b')",
          "CREATE TABLE orders (id INT PRIMARY KEY, user_id INT, KEY (user_id))",
          "INSERT INTO orders VALUES (1, 1), (2, NULL)",
          "CREATE TABLE old (id INT PRIMARY KEY)");
      HikariConfig config = new HikariConfig();
      var source = server.dataSource(database.name());
      source.setUser(user);
      source.setPassword("x");
      config.setDataSource(source);
      config.setMaximumPoolSize(20);
      config.setMinimumIdle(0);
      return new Login(database, user, new HikariDataSource(config));
    }

    private static List<String> documented() throws IOException {
      return Files.readAllLines(Path.of("../docs/mysql.md")).stream()
          .filter(each -> each.startsWith("GRANT "))
          .map(each -> each.replaceAll(";.*", ""))
          .toList();
    }

    <C extends Enum<C> & CodeStage> String run(Migration<C> migration, C stage) {
      try (Orchestrator member =
          Orchestrator.builder(pool)
              .application("billing")
              .release("1")
              .environment(Environment.DEVELOPMENT)
              .developmentOnExistingRows()
              .background(false)
              .thisBuild(migration, stage)
              .build()) {
        member.advance();
        AdvanceReport report = member.drive();
        assertThat(report.migration(migration.id()).orElseThrow().lastError()).isNull();
        return report.migration(migration.id()).orElseThrow().phase();
      } finally {
        database.execute("DELETE FROM zdo_member");
      }
    }

    @Override
    public void close() {
      pool.close();
      database.execute("DROP USER " + user);
      database.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatNeedsNoTriggersIsDone(Flavor flavor) throws Exception {
    try (Login login = Login.create(flavor)) {
      assertThat(
              login.run(
                  CreateIndex.of("billing/index").table("users").name("i").columns("nick").build(),
                  CreateIndex.Code.UNAWARE))
          .isEqualTo("DONE");
      assertThat(
              login.run(
                  AddForeignKey.of("billing/fk")
                      .table("orders")
                      .columns("user_id")
                      .references("users", "id")
                      .name("fk")
                      .build(),
                  AddForeignKey.Code.CONFORMS))
          .isEqualTo("DONE");
      assertThat(
              login.run(
                  AddColumn.of("billing/column").table("users").column("age", "INT").build(),
                  AddColumn.Code.WRITES))
          .isEqualTo("DONE");
      assertThat(
              login.run(
                  RenameColumnInCode.of("billing/in-code")
                      .table("users")
                      .from("name")
                      .to("full_name")
                      .build(),
                  RenameColumnInCode.Code.DUAL_WRITE))
          .isNotEqualTo("NOT_STARTED");
      assertThat(login.run(DropTable.of("billing/old").table("old").build(), DropTable.Code.UNUSED))
          .isEqualTo("PURGE");
    }
  }

  /** With the binary log on, servers want SUPER for a trigger. */
  @ParameterizedTest
  @EnumSource
  void triggersNeedSuperOrTrust(Flavor flavor) throws Exception {
    try (Login login = Login.create(flavor)) {
      String before =
          login.database().rows("SELECT @@log_bin_trust_function_creators").get(0).get(0);
      boolean asks = "1".equals(login.database().rows("SELECT @@log_bin").get(0).get(0));
      try {
        login.database().execute(TRUST + "OFF");
        if (asks) {
          assertThatThrownBy(() -> login.run(RENAME, RenameColumn.Code.USES_NEW_NAME))
              .isInstanceOf(RefusedException.class)
              .hasMessageContaining("has no SUPER")
              .hasMessageContaining("log_bin_trust_function_creators = ON")
              .hasMessageContaining("RenameColumnInCode");
          assertThatThrownBy(() -> login.run(NOT_NULL, SetNotNull.Code.CONFORMS))
              .isInstanceOf(RefusedException.class)
              .hasMessageContaining("log_bin_trust_function_creators = ON");
          login.database().execute(TRUST + "ON");
        }
        assertThat(login.run(NOT_NULL, SetNotNull.Code.CONFORMS)).isEqualTo("DONE");
        assertThat(login.run(RENAME, RenameColumn.Code.USES_NEW_NAME)).isEqualTo("PURGE");
      } finally {
        login.database().execute(TRUST + before);
      }
    }
  }
}
