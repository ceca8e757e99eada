package dev.zerodowntime.orchestrator.postgres.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The tests' own ground: a server, and databases that come and go. */
@PostgresTest
class PostgresServerSmokeTest {

  private final TestDatabase injected;

  PostgresServerSmokeTest(TestDatabase injected) {
    this.injected = injected;
  }

  @Test
  void serverIsSupported() {
    assertThat(PostgresServer.get().majorVersion()).isGreaterThanOrEqualTo(14);
    assertThat(injected.queryLong("select current_setting('max_connections')::int"))
        .isGreaterThanOrEqualTo(100);
  }

  @Test
  void executesAndReads(TestDatabase db) throws SQLException {
    try (TestDatabase own = TestDatabase.create("Smoke Test / Ünïcode")) {
      own.execute(
          "create table users (id bigint primary key, name text)",
          "insert into users values (1, 'Ada'), (2, null)");
      assertThat(own.rows("select id, name from users order by id"))
          .containsExactly(List.of(1L, "Ada"), Arrays.asList(2L, null));
      String name = own.queryOne("select name from users where id = 1");
      assertThat(name).isEqualTo("Ada");
      assertThat(own.queryLong("select count(*) from users")).isEqualTo(2);
      assertThat(own.name()).matches("[a-z0-9_]{1,63}");
      try (Connection c = DriverManager.getConnection(own.url(), own.user(), own.password())) {
        assertThat(c.getCatalog()).isEqualTo(own.name());
      }
      assertThat(db.name()).isNotEqualTo(own.name());
      assertThat(db.queryLong("select count(*) from pg_class where relname = 'users'")).isZero();
    }
  }

  @Test
  void oneDatabasePerClass(TestDatabase db) {
    assertThat(db).isSameAs(injected);
  }

  @Test
  void errorsNameTheStatement() {
    assertThatThrownBy(() -> injected.execute("select 1", "select from_nowhere"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("select from_nowhere: ")
        .hasMessageContaining("42703");
  }

  @Test
  void closeDropsTheDatabaseUnderOpenSessions() throws SQLException {
    TestDatabase db = TestDatabase.create("dropped");
    try (HikariDataSource pool = db.pool(3);
        Connection pooled = pool.getConnection();
        Connection open = db.dataSource().getConnection()) {
      assertThat(pooled.isValid(5)).isTrue();
      assertThat(open.isValid(5)).isTrue();
      db.close();
      assertThat(pool.isClosed()).isTrue();
      assertThat(open.isValid(5)).isFalse();
    }
    db.close();
    assertThat(
            injected.queryLong(
                "select count(*) from pg_database where datname = '" + db.name() + "'"))
        .isZero();
  }

  @Nested
  class Inside {
    @Test
    void nestedClassesShareIt(TestDatabase db) {
      assertThat(db).isSameAs(injected);
    }
  }
}
