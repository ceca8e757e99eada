package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Role;
import dev.zerodowntime.orchestrator.Timing;
import dev.zerodowntime.orchestrator.internal.control.BackfillStore;
import dev.zerodowntime.orchestrator.internal.control.ChunkStore;
import dev.zerodowntime.orchestrator.internal.control.ControlReader;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.Events;
import dev.zerodowntime.orchestrator.internal.control.FleetWriter;
import dev.zerodowntime.orchestrator.internal.control.MigrationWriter;
import dev.zerodowntime.orchestrator.internal.fleet.FleetRules;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parts of an orchestrator that has found its database. */
final class Connected {

  private static final Logger LOG = LoggerFactory.getLogger(Connected.class);

  private static final long CLOSE_MILLIS = 15_000;

  private final EngineContext ctx;
  private final ServerInfo server;
  private final Driver driver;
  private final Membership membership;
  private final Reporter reporter;
  private final Planner planner;
  private final Startup startup;
  private final Steering steering;
  private final Operator operator;
  private final BackfillOperator backfills;
  private final Scripts scripts;
  private final Exports exports;
  private final Background background;
  private final Stop stop = new Stop();
  private final BackfillCrew crew;

  private Connected(EngineContext ctx, ServerInfo server, DriverInfo info, Engine.Configuration c) {
    this.ctx = ctx;
    this.server = server;
    this.crew =
        new BackfillCrew(
            ctx,
            stop,
            new Throttle(
                c.dataSource(),
                c.readers(),
                ctx.dialect(),
                c.backfills().signals(),
                ServerSignals.of(c.dataSource(), ctx.dialect().load(), c.backfills().limits()),
                System::nanoTime,
                Sampled.PATIENCE),
            new BackfillReports(ctx, c.backfills().listener()),
            c.backfills().workers());
    this.driver = new Driver(ctx, crew.shared());
    this.membership = new Membership(ctx, new Registrar(ctx, info, c.noStarQueries()));
    this.reporter = new Reporter(ctx, driver);
    this.planner = new Planner(ctx);
    this.background = new Background(ctx, driver, membership, crew);
    this.startup =
        new Startup(
            ctx,
            server,
            driver,
            membership,
            reporter,
            background,
            crew,
            c.background(),
            c.developmentOnRows());
    this.steering = new Steering(ctx, startup, driver, reporter, crew, c.background());
    this.operator = new Operator(ctx, server, planner, startup);
    this.scripts = new Scripts(ctx, operator);
    this.exports = new Exports(ctx, operator, startup, reporter, server.schema());
    this.backfills = new BackfillOperator(ctx, operator);
  }

  static Connected to(Engine.Configuration c) throws SQLException {
    int workers = c.backfills().workers();
    PoolSize.require(
        c.dataSource(), PoolSize.LEAST, c.ddlDataSource() == c.dataSource() ? workers : 0);
    PoolSize.require(c.ddlDataSource(), PoolSize.LEAST, workers);
    Dialect dialect =
        Db.autoCommit(c.dataSource(), Dialects.find(c.dataSource(), c.dialect())::forServer);
    if (c.copyTool() != null) {
      dialect = dialect.withCopyTool(c.copyTool());
    }
    if (!dialect.transactionalDdl()) {
      PoolSize.require(c.ddlDataSource(), PoolSize.LEAST_WATCHED, workers);
    }
    ServerInfo server = Db.autoCommit(c.dataSource(), dialect::inspect);
    ServerInfo ddl =
        c.ddlDataSource() == c.dataSource()
            ? server
            : Db.autoCommit(c.ddlDataSource(), dialect::inspect);
    requireSame(server, ddl);
    requireDirect(c.role(), ddl);
    DriverInfo info = Db.autoCommit(c.dataSource(), dialect::driver);
    if (!c.timing().equals(Timing.of(c.environment()))) {
      LOG.info("{} with other durations than its defaults: {}", c.environment(), c.timing());
    }
    EngineContext ctx = context(c, dialect, server);
    return new Connected(ctx, server, info, c);
  }

  /** What the parts of an engine work with; touches no database. */
  static EngineContext context(Engine.Configuration c, Dialect dialect, ServerInfo server) {
    ControlTables tables =
        new ControlTables(
            dialect,
            c.controlSchema() == null ? dialect.controlSchema(server.schema()) : c.controlSchema());
    BackfillStore backfills = new BackfillStore(tables);
    String member = UUID.randomUUID().toString();
    return new EngineContext(
        c.dataSource(),
        c.ddlDataSource(),
        c.readers(),
        dialect,
        tables,
        new ControlReader(tables),
        new MigrationWriter(tables),
        backfills,
        new ChunkStore(tables, backfills),
        new FleetWriter(tables, server.directSessions()),
        new Events(tables, member, c.application() + " " + c.release()),
        server.identity(),
        member,
        c.application(),
        c.release(),
        c.role(),
        c.environment(),
        c.timing(),
        EngineContext.Declarations.of(c, server.schema()),
        c.backupGate(),
        c.healthCheck(),
        c.endBlockers(),
        FleetRules.STANDARD);
  }

  /** Both kinds of connections lead to one database. */
  static void requireSame(ServerInfo server, ServerInfo ddl) {
    if (!ddl.identity().equals(server.identity())) {
      throw new DatabaseException(
          ErrorCode.FOREIGN_DATABASE,
          "ddlDataSource leads to another database than the application's: "
              + ddl.identity()
              + " instead of "
              + server.identity(),
          "Give both connections to the same database.",
          null);
    }
  }

  /** Who drives needs sessions that stay the same. */
  static void requireDirect(Role role, ServerInfo ddl) {
    if (role.drives() && !ddl.directSessions()) {
      throw new DatabaseException(
          ErrorCode.UNSUPPORTED_POOLING,
          "The connections for DDL go through a pooler in transaction mode, where session"
              + " locks and online index builds don't work",
          "Give the builder a ddlDataSource(...) with direct connections, or Role.MEMBER.",
          null);
    }
  }

  Dialect dialect() {
    return ctx.dialect();
  }

  String controlSchema() {
    return ctx.tables().schema();
  }

  /** What a member's user needs. */
  List<String> grants(String user) {
    return ctx.dialect().control().grants(ctx.dialect().control().quote(controlSchema()), user);
  }

  ServerInfo server() {
    return server;
  }

  Startup startup() {
    return startup;
  }

  Steering steering() {
    return steering;
  }

  Membership membership() {
    return membership;
  }

  Reporter reporter() {
    return reporter;
  }

  Planner planner() {
    return planner;
  }

  Scripts scripts() {
    return scripts;
  }

  Exports exports() {
    return exports;
  }

  BackfillOperator backfills() {
    return backfills;
  }

  Operator operator() {
    return operator;
  }

  /** Bounded, whatever the network does: nobody waits for a farewell when a process must end. */
  void close() {
    stop.now();
    startup.close();
    Thread farewell =
        new Thread(
            () -> {
              background.close();
              driver.close();
              membership.close();
            },
            "orchestrator-close " + ctx.application());
    farewell.setDaemon(true);
    farewell.start();
    try {
      farewell.join(CLOSE_MILLIS);
      if (farewell.isAlive()) {
        LOG.warn("the database does not answer; this member is counted until it expires");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
