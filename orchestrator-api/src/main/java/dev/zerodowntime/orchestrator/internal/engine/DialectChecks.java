package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.sql.DataSource;

/** What the dialect looks at, on each of the connections. */
final class DialectChecks {

  private final EngineContext ctx;
  private final boolean installed;
  private final Set<DoctorSql.Table> tables;

  DialectChecks(EngineContext ctx, boolean installed, Set<DoctorSql.Table> tables) {
    this.ctx = ctx;
    this.installed = installed;
    this.tables = tables;
  }

  List<Finding> look() {
    List<Finding> findings = new ArrayList<>();
    DoctorSql doctor = ctx.dialect().doctor().orElse(null);
    if (doctor == null) {
      return findings;
    }
    boolean one = ctx.dataSource() == ctx.ddlDataSource();
    for (DoctorSql.Check check : doctor.checks()) {
      findings.addAll(look(check, ctx.dataSource(), examined(true, one)));
      if (!one) {
        findings.addAll(look(check, ctx.ddlDataSource(), examined(false, true)));
      }
    }
    return findings;
  }

  private DoctorSql.Examined examined(boolean application, boolean ddl) {
    return new DoctorSql.Examined(
        application, ddl, ctx.role().drives(), ctx.tables().schema(), installed, tables);
  }

  private static List<Finding> look(
      DoctorSql.Check check, DataSource dataSource, DoctorSql.Examined what) {
    try {
      return Db.autoCommit(dataSource, connection -> check.look(what, connection));
    } catch (SQLException e) {
      return List.of(Examination.unreadable(check.subject(), e));
    }
  }
}
