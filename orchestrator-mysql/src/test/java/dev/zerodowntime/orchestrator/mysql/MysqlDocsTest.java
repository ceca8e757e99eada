package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** docs/mysql.md names the operations that there are, and no other; and its SQL can be run. */
class MysqlDocsTest {

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void namesTheOperationsThatThereAre(MysqlServer.Flavor flavor) throws IOException, SQLException {
    String text = Files.readString(Path.of("..", "docs", "mysql.md"));
    List<String> named =
        Pattern.compile("^\\| `(\\w+)` \\|", Pattern.MULTILINE)
            .matcher(text)
            .results()
            .map((MatchResult each) -> each.group(1))
            .toList();
    try (Connection connection =
        MysqlServer.get(flavor).dataSource("information_schema").getConnection()) {
      Dialect dialect = new MysqlDialect().forServer(connection);
      assertThat(dialect.operations())
          .extracting(each -> each.type().name())
          .isSorted()
          .containsExactlyElementsOf(named);
    }
  }

  /** Copied by somebody at night, without a second look. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void whatItSaysForAnIncidentCanBeRun(MysqlServer.Flavor flavor) throws IOException {
    String text = Files.readString(Path.of("..", "docs", "mysql.md"));
    int section = text.indexOf("## In an incident");
    int begin = text.indexOf("```sql", section) + "```sql".length();
    List<String> statements =
        Pattern.compile(";\\s*\n")
            .splitAsStream(text.substring(begin, text.indexOf("```\n", begin)))
            .map(each -> each.replaceAll("(?m)^--.*$", "").strip())
            .filter(each -> !each.isEmpty())
            .toList();
    assertThat(section).isPositive();
    assertThat(statements).hasSizeGreaterThan(8);
    try (MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "incident")) {
      database.execute("CREATE TABLE users (id INT PRIMARY KEY)");
      Members.run(
          database,
          "1",
          AddColumn.of("billing/2026-11-users-full-name")
              .table("users")
              .column("full_name", "varchar(60)")
              .build(),
          AddColumn.Code.READS);
      for (String each : statements) {
        if (each.startsWith("SELECT")) {
          List<List<String>> rows = database.rows(each);
          if (each.contains("zdo_migration") || each.contains("zdo_event")) {
            assertThat(rows).as(each).isNotEmpty();
          }
        } else {
          database.execute(each);
        }
      }
      assertThat(database.rows("SELECT paused FROM zdo_control")).isEqualTo(List.of(List.of("0")));
    }
  }
}
