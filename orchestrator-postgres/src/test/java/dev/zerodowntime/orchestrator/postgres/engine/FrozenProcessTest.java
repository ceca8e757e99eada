package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.postgres.PostgresDialect;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Processes, pools and networks that hang: nobody else does for long. */
@Timeout(120)
class FrozenProcessTest extends FleetFixture {

  private Connection holdingTheFleet(List<String> begin) throws SQLException {
    Connection connection = database.dataSource().getConnection();
    connection.setAutoCommit(false);
    try (Statement s = connection.createStatement()) {
      for (String sql : begin) {
        s.execute(sql);
      }
      s.execute("SELECT id FROM orchestrator.fleet WHERE id = 1 FOR UPDATE");
    }
    return connection;
  }

  /** Stopped in the middle of a look at the fleet: the server ends its session. */
  @Test
  void whoeverFreezesInALookIsPutOut() throws Exception {
    List<String> begin = PostgresDialect.create().control().begin(2_000, 2_000);
    try (Connection frozen = holdingTheFleet(begin);
        Orchestrator member = joined(member("1", DropColumn.Code.USES))) {
      assertThat(member.fit()).isTrue();
      assertThat(frozen.isValid(5)).isFalse();
    }
  }

  /** Somebody else's session has no such limit; then a start gives up, and so does a farewell. */
  @Test
  void aLockedFleetEndsAStartInTime() throws Exception {
    try (Connection person = holdingTheFleet(List.of())) {
      try (Orchestrator member =
          member("1", DropColumn.Code.USES)
              .timing(t -> Members.patient(t).startupBudget(Duration.ofSeconds(1)))
              .background(true)
              .build()) {
        assertThatThrownBy(member::advance).isInstanceOf(DatabaseException.class);
      }
      person.rollback();
    }
  }

  /** An exhausted pool is the most usual of incidents: members must not look gone then. */
  @Test
  void heartbeatsGoOnWhileThePoolIsExhausted() throws Exception {
    try (HikariDataSource pool = database.pool(4);
        Orchestrator member =
            Members.member(pool, "1")
                .thisBuild(DROP, DropColumn.Code.USES)
                .timing(
                    t -> Members.patient(t).heartbeat(Duration.ofMillis(50), Duration.ofHours(1)))
                .background(true)
                .build()) {
      member.advance();
      Eventually.until("it heartbeats", () -> beats() > 2);
      List<Connection> taken = new ArrayList<>();
      try {
        while (taken.size() < 3) {
          taken.add(pool.getConnection());
        }
        long before = beats();
        Eventually.until("it goes on", () -> beats() > before + 5);
      } finally {
        for (Connection each : taken) {
          each.close();
        }
      }
    }
  }

  private long beats() {
    return database.queryLong("SELECT coalesce(max(heartbeat), 0) FROM orchestrator.member");
  }

  /** The same process, which can't know that it is registered already. */
  @Test
  void whoLosesTheConnectionInItsRegistrationGetsIn() {
    AtomicBoolean lose = new AtomicBoolean();
    try (Orchestrator member =
        Members.member(losing(database.dataSource(), lose), "1")
            .timing(Members::patient)
            .thisBuild(DROP, DropColumn.Code.USES)
            .build()) {
      lose.set(true);
      assertThatThrownBy(member::advance).isInstanceOf(DatabaseException.class);
      assertThat(count("member")).isEqualTo(1);
      assertThat(member.advance().admitted()).isTrue();
      assertThat(count("member")).isEqualTo(1);
      assertThat(member.fit()).isTrue();
    }
  }

  /** Loses the connection after the commit of the transaction that inserts a member. */
  private DataSource losing(PGSimpleDataSource plain, AtomicBoolean armed) {
    return (DataSource)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, args) ->
                method.getName().equals("getConnection")
                    ? connection(plain.getConnection(), armed)
                    : method.invoke(plain, args));
  }

  private Connection connection(Connection real, AtomicBoolean armed) {
    return (Connection)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, args) -> {
              try {
                Object result = method.invoke(real, args);
                if (method.getName().equals("commit") && armed.get() && count("member") == 1) {
                  armed.set(false);
                  real.close();
                  throw new SQLException("the network is gone", "08006");
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
