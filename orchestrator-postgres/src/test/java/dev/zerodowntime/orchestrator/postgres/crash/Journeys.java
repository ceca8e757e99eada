package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Lifecycle;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * The way through every operation's phases, up to the last one and back down from as far as there
 * is a way back, for tests that listen to what is said to the server. Nobody dies here. Operations
 * come from {@link Subjects}, so that whatever is cut there is heard here too.
 */
public final class Journeys implements AutoCloseable {

  private final Server server = new Server();
  private final String template;

  /** Makes the database that every journey begins with: rows, and control tables. */
  public Journeys() throws SQLException {
    template = server.create("template0");
    try (Connection connection = Server.dataSource(template).getConnection()) {
      execute(connection, Subject.table());
      // Else there would be nothing to keep the statistics of.
      execute(connection, List.of("ANALYZE"));
    }
    Wire wire = new Wire(server, Server.dataSource(template), null);
    try (CutDataSource source = new CutDataSource(wire)) {
      Script.INSTALL.live(Subjects.all().get(0).member(source, Script.INSTALL, List.of()), "none");
    }
  }

  /** Sends one statement on. */
  public interface Call {
    Object run() throws SQLException;
  }

  /** Hears everything that a process says to the server, and sends it on. */
  public interface Listener {

    /** A journey begins in a database. */
    void begins(DataSource database) throws SQLException;

    /** A process begins to move. */
    void turns(Direction direction);

    /**
     * A statement, or what JDBC is told: {@code jdbc commit}.
     *
     * @param session the session that it is for
     * @param pid the server's number of it
     * @param sql the text, without the figures that differ from run to run
     * @param call sends it
     */
    Object hears(Connection session, int pid, String sql, Call call) throws SQLException;
  }

  /** One way, in a database of its own. */
  public static final class Journey {
    private final Script script;

    private Journey(Script script) {
      this.script = script;
    }

    public String subject() {
      return script.subject().name();
    }

    public String name() {
      return subject() + ", " + script.name();
    }

    public String migration() {
      return script.migration();
    }

    public Lifecycle lifecycle() {
      return script.subject().migration(script.approvals()).lifecycle();
    }
  }

  /** All ways; fails if the dialect ships an operation that nobody wrote a subject for. */
  public static List<Journey> all() {
    List<Journey> all = new ArrayList<>();
    for (Subject<?> subject : Subjects.all()) {
      List<Script> scripts = Script.of(subject);
      all.add(new Journey(scripts.get(0)));
      scripts.stream()
          .filter(each -> each.name().startsWith("down from "))
          .reduce((one, higher) -> higher)
          .map(Journey::new)
          .ifPresent(all::add);
    }
    return all;
  }

  /** The way up of one subject. */
  public static Optional<Journey> up(String subject) {
    return all().stream().filter(each -> each.name().equals(subject + ", up")).findFirst();
  }

  /** Makes a journey; the dialect may be somebody else's. */
  public void make(Journey journey, Dialect dialect, Listener listener) throws SQLException {
    String database = server.copy(template);
    try {
      DataSource plain = Server.dataSource(database);
      listener.begins(plain);
      List<Act> acts = new ArrayList<>(journey.script.setup());
      journey.script.acts().stream()
          .filter(each -> !each.name().startsWith("again "))
          .forEach(acts::add);
      for (Act act : acts) {
        try (Connection connection = plain.getConnection()) {
          execute(connection, act.before());
        }
        listener.turns(act.name().startsWith("up ") ? Direction.UP : Direction.DOWN);
        live(journey, act, plain, dialect, listener);
      }
    } finally {
      server.drop(database);
    }
  }

  private void live(
      Journey journey, Act act, DataSource plain, Dialect dialect, Listener listener) {
    Script script = journey.script;
    try (CutDataSource source = new CutDataSource(new Heard(server, plain, listener))) {
      act.live(
          script.subject().builder(source, act, script.approvals()).dialect(dialect).build(),
          script.migration());
    } catch (SQLException e) {
      throw new IllegalStateException(journey.name() + ", " + act.name(), e);
    }
  }

  private static void execute(Connection connection, List<String> statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    server.drop(template);
    server.close();
  }

  /** A wire that is never cut. */
  private static final class Heard extends Wire {
    private final Listener listener;

    Heard(Server server, DataSource plain, Listener listener) {
      super(server, plain, null);
      this.listener = listener;
    }

    @Override
    Object send(Session session, String sql, Point.Effect effect, Call call) throws SQLException {
      requireAlive();
      return listener.hears(session.raw, session.pid, sql, call::run);
    }
  }
}
