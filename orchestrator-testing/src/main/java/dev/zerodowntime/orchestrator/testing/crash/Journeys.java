package dev.zerodowntime.orchestrator.testing.crash;

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
 * come from {@link Product#subjects}, so that whatever is cut is heard here too.
 */
public final class Journeys implements AutoCloseable {

  private final Product product;
  private final Server server;
  private final String template;

  /** Makes the database that every journey begins with: rows, and control tables. */
  public Journeys(Product product) throws SQLException {
    this.product = product;
    server = product.server();
    template = server.create();
    try (Connection connection = product.dataSource(template).getConnection()) {
      execute(connection, product.tables());
      // Else there would be nothing to keep the statistics of.
      execute(connection, product.analyze());
    }
    Wire wire = new Wire(product, server, product.dataSource(template), null);
    try (CutDataSource source = new CutDataSource(wire)) {
      Script.INSTALL.live(
          product.subjects().get(0).member(source, Script.INSTALL, List.of()), "none");
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
    Object hears(Connection session, long pid, String sql, Call call) throws SQLException;
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
  public List<Journey> all() {
    List<Journey> all = new ArrayList<>();
    for (Subject<?> subject : product.subjects()) {
      List<Script> scripts = Script.of(product, subject);
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
  public Optional<Journey> up(String subject) {
    return all().stream().filter(each -> each.name().equals(subject + ", up")).findFirst();
  }

  /** Makes a journey; the dialect may be somebody else's. */
  public void make(Journey journey, Dialect dialect, Listener listener) throws SQLException {
    String database = server.copy(template);
    try {
      DataSource plain = product.dataSource(database);
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
    try (CutDataSource source = new CutDataSource(new Heard(product, server, plain, listener))) {
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

    Heard(Product product, Server server, DataSource plain, Listener listener) {
      super(product, server, plain, null);
      this.listener = listener;
    }

    @Override
    Object send(Session session, String sql, Point.Effect effect, Call call) throws SQLException {
      requireAlive();
      return listener.hears(session.raw, session.pid, sql, call::run);
    }
  }
}
