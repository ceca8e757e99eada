package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Diagnosis;
import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.OrchestratorException;
import dev.zerodowntime.orchestrator.SessionGroup;
import dev.zerodowntime.orchestrator.internal.control.ControlTables;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.internal.control.FleetRows.Control;
import dev.zerodowntime.orchestrator.internal.control.MigrationRow;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import dev.zerodowntime.orchestrator.spi.DriverInfo;
import dev.zerodowntime.orchestrator.spi.ServerInfo;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Looks at everything that could go wrong, on connections that may not be usable at all: so it
 * relies on nothing that the rest of the engine has found out, and each look stands for itself.
 */
final class Examination {

  private static final String APPLICATION = "the application's connections";
  private static final String DDL = "the connections for DDL";

  private final Engine.Configuration configuration;
  private final List<Finding> findings = new ArrayList<>();
  private List<SessionGroup> strangers = List.of();

  private Examination(Engine.Configuration configuration) {
    this.configuration = configuration;
  }

  static Diagnosis of(Engine.Configuration configuration) {
    Examination examination = new Examination(configuration);
    examination.run();
    return new Diagnosis(examination.findings, examination.strangers);
  }

  /** A look; what it throws is a finding. */
  @FunctionalInterface
  private interface Look {
    void look() throws SQLException;
  }

  /** Whoever isn't let in knows nothing of the database: that is a problem, not a blind spot. */
  private void attempt(String subject, Look look) {
    try {
      look.look();
    } catch (OrchestratorException e) {
      findings.add(problem(subject, e));
    } catch (SQLException e) {
      findings.add(problem(subject, Failures.untold(configuration, e)));
    }
  }

  static Finding problem(String subject, OrchestratorException e) {
    return Finding.problem(subject, said(e), e.remedy());
  }

  /** The problem without the remedy, which its message ends with. */
  static String said(OrchestratorException e) {
    String message = String.valueOf(e.getMessage());
    return message.endsWith(e.remedy())
        ? message.substring(0, message.length() - e.remedy().length()).strip()
        : message;
  }

  private void run() {
    boolean apart = configuration.ddlDataSource() != configuration.dataSource();
    pools();
    Dialect dialect = dialect();
    if (dialect == null) {
      return;
    }
    ServerInfo server = server(dialect, APPLICATION, configuration.dataSource());
    ServerInfo ddl = apart ? server(dialect, DDL, configuration.ddlDataSource()) : server;
    if (server == null) {
      return;
    }
    if (ddl != null) {
      attempt(
          "poolers",
          () -> {
            Connected.requireSame(server, ddl);
            Connected.requireDirect(configuration.role(), ddl);
            findings.add(
                Finding.ok(
                    "poolers",
                    server.directSessions()
                        ? "sessions are direct"
                        : "the application's connections go through a pooler in transaction mode,"
                            + " which is fine for members"));
          });
    }
    driver(dialect);
    EngineContext ctx;
    try {
      ctx = Connected.context(configuration, dialect, server);
    } catch (OrchestratorException e) {
      findings.add(problem("declarations", e));
      return;
    }
    Optional<ControlTables.Installed> installed = controlTables(ctx);
    List<MigrationRow> known = installed.isEmpty() ? List.of() : known(ctx);
    if (ddl != null) {
      PendingMigrations pending = new PendingMigrations(ctx, known);
      attempt("pending migrations", () -> findings.addAll(pending.look()));
      findings.addAll(new DialectChecks(ctx, installed.isPresent(), pending.tables()).look());
    }
    try {
      findings.addAll(new ExaminedReaders(ctx).look());
    } catch (SQLException e) {
      findings.add(unreadable("replicas", e));
    }
    sessions(ctx, installed.isPresent());
  }

  private void pools() {
    attempt(
        "pool size",
        () -> {
          // Whether DDL needs a connection to watch it is the dialect's to say, and comes later.
          int workers = configuration.backfills().workers();
          boolean one = configuration.ddlDataSource() == configuration.dataSource();
          PoolSize.require(configuration.dataSource(), PoolSize.LEAST, one ? workers : 0);
          PoolSize.require(configuration.ddlDataSource(), PoolSize.LEAST, workers);
        });
  }

  private @Nullable Dialect dialect() {
    Dialect[] found = new Dialect[1];
    attempt(
        "database",
        () -> {
          Dialect dialect =
              Db.autoCommit(
                  configuration.dataSource(),
                  Dialects.find(configuration.dataSource(), configuration.dialect())::forServer);
          found[0] = dialect;
          if (configuration.copyTool() != null) {
            found[0] = dialect.withCopyTool(configuration.copyTool());
          }
          if (!dialect.transactionalDdl()) {
            PoolSize.require(
                configuration.ddlDataSource(),
                PoolSize.LEAST_WATCHED,
                configuration.backfills().workers());
          }
        });
    return found[0];
  }

  private @Nullable ServerInfo server(Dialect dialect, String whose, DataSource dataSource) {
    ServerInfo[] found = new ServerInfo[1];
    attempt(
        whose,
        () -> {
          ServerInfo info = Db.autoCommit(dataSource, dialect::inspect);
          found[0] = info;
          String user = Db.autoCommit(dataSource, dialect.control()::user);
          findings.add(
              Finding.ok(
                  whose, info.version() + ", schema " + info.schema() + ", as user " + user));
        });
    return found[0];
  }

  private void driver(Dialect dialect) {
    attempt(
        "driver",
        () -> {
          DriverInfo info = Db.autoCommit(configuration.dataSource(), dialect::driver);
          findings.add(
              info.rowTypeSafe()
                  ? Finding.ok("driver", info.facts())
                  : Finding.warn(
                      "driver",
                      info.facts()
                          + ": statements that the server has prepared break when a table's row"
                          + " type changes; "
                          + (configuration.noStarQueries()
                              ? "this build says noStarQueries(), so that only a column that gets"
                                  + " another type under its name waits"
                              : "phases that change one wait until no member's driver is like"
                                  + " that"),
                      info.remedy()));
        });
  }

  private Optional<ControlTables.Installed> controlTables(EngineContext ctx) {
    String subject = "control tables";
    try {
      Optional<ControlTables.Installed> installed = ctx.tables().installed(ctx.dataSource());
      if (installed.isEmpty()) {
        findings.add(
            Finding.ok(
                subject,
                "not installed yet in schema "
                    + ctx.tables().schema()
                    + ": the first advance() of a driver does that"));
      } else {
        ctx.tables().requireReadable(installed.get().version(), installed.get().minReader());
        findings.add(
            Finding.ok(
                subject,
                "version "
                    + installed.get().version()
                    + " in schema "
                    + ctx.tables().schema()
                    + ", this library knows "
                    + ctx.tables().newest()));
        attempt(subject, () -> control(ctx));
      }
      return installed;
    } catch (OrchestratorException e) {
      findings.add(problem(subject, e));
    } catch (SQLException e) {
      // Which GRANTs are missing the dialect's checks say.
      findings.add(
          ctx.dialect().classify(e) == SqlErrorKind.PRIVILEGE
              ? Finding.problem(
                  subject,
                  "the application's user may not read them: " + e.getMessage(),
                  "Grant what is missing.")
              : unreadable(subject, e));
      if (ctx.dialect().classify(e) == SqlErrorKind.PRIVILEGE) {
        return Optional.of(new ControlTables.Installed(0, 0));
      }
    }
    return Optional.empty();
  }

  private void control(EngineContext ctx) throws SQLException {
    Control control = Db.autoCommit(ctx.dataSource(), ctx.reader()::control);
    Startup.requireEnvironment(ctx, control);
    if (ctx.foreign(control)) {
      findings.add(
          Finding.problem(
              "control tables",
              "they were written on another server ("
                  + control.identity()
                  + ") than this one ("
                  + ctx.server()
                  + "): nothing moves",
              "Call moved() if the database was moved here, copied() if this is a copy."));
    }
    if (control.paused()) {
      String reason = control.pausedReason();
      findings.add(
          Finding.warn(
              "control tables",
              "everything is paused: " + (reason == null ? "no reason given" : reason),
              "resumeAll() ends it."));
    }
  }

  private List<MigrationRow> known(EngineContext ctx) {
    try {
      List<MigrationRow> rows = Db.autoCommit(ctx.dataSource(), ctx.reader()::migrations);
      attempt("declarations", () -> new DeclarationCheck(ctx).run(rows));
      return rows;
    } catch (OrchestratorException e) {
      findings.add(problem("control tables", e));
    } catch (SQLException e) {
      findings.add(unreadable("pending migrations", e));
    }
    return List.of();
  }

  private void sessions(EngineContext ctx, boolean installed) {
    DoctorSql doctor = ctx.dialect().doctor().orElse(null);
    if (doctor == null) {
      return;
    }
    try {
      Outsiders.Found found = Outsiders.look(ctx, doctor, installed);
      findings.addAll(found.findings());
      strangers = found.strangers();
    } catch (OrchestratorException e) {
      findings.add(problem(Outsiders.SUBJECT, e));
    } catch (SQLException e) {
      findings.add(unreadable(Outsiders.SUBJECT, e));
    }
  }

  /** What can't be read is a blind spot, and not a failure. */
  static Finding unreadable(String subject, SQLException e) {
    return Finding.unknown(
        subject,
        "can't be looked at: " + e.getMessage() + " [SQLSTATE " + e.getSQLState() + "]",
        "Look at it as a user who may.");
  }
}
