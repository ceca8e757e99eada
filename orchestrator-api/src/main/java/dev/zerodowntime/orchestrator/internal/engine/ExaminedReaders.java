package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.LoadSql.Replication;
import dev.zerodowntime.orchestrator.spi.LoadSql.Standby;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

/** Looks at the replicas that were named, and whether there are others. */
final class ExaminedReaders {

  private static final String SUBJECT = "replicas";

  private final EngineContext ctx;

  ExaminedReaders(EngineContext ctx) {
    this.ctx = ctx;
  }

  List<Finding> look() throws SQLException {
    List<Finding> findings = new ArrayList<>();
    String position = Db.autoCommit(ctx.dataSource(), ctx.dialect().replicas()::position);
    for (Map.Entry<String, DataSource> each : ctx.readers().entrySet()) {
      findings.add(reader("reader " + each.getKey(), each.getValue(), position));
    }
    findings.addAll(others());
    Db.autoCommit(ctx.dataSource(), ctx.dialect().replicas()::unconfirmed)
        .ifPresent(
            what ->
                findings.add(
                    Finding.warn(
                        SUBJECT, what, "Bring the standby back, or take it off that list.")));
    return findings;
  }

  private Finding reader(String subject, DataSource reader, String position) {
    try {
      Optional<String> replayed = Db.autoCommit(reader, ctx.dialect().load()::replayed);
      if (replayed.isEmpty()) {
        return Finding.warn(
            subject,
            "it is no replica, or doesn't say how far it has come",
            "Name a replica's connections, or leave the reader out if it is the primary.");
      }
      return Db.autoCommit(reader, c -> ctx.dialect().replicas().replayed(c, position))
          ? Finding.ok(subject, "has replayed all")
          : Finding.warn(
              subject,
              "has replayed " + replayed.get() + " and not yet " + position,
              "Phases count as reached when they are replayed there: see to it that it follows.");
    } catch (SQLException e) {
      return Finding.problem(
          subject,
          "can't be asked: " + e.getMessage() + "; no phase is reached while that is so",
          "Check its address, user and password, or leave it out if nothing reads there.");
    }
  }

  private List<Finding> others() throws SQLException {
    Replication replication = Db.autoCommit(ctx.dataSource(), ctx.dialect().load()::replication);
    int all = replication.standbys().size() + replication.hidden();
    int named = ctx.readers().size();
    List<Finding> findings = new ArrayList<>();
    List<String> names = replication.standbys().stream().map(Standby::name).toList();
    if (all > named) {
      findings.add(
          Finding.warn(
              SUBJECT,
              all
                  + (all == 1 ? " standby follows" : " standbys follow")
                  + " this server"
                  + (names.isEmpty() ? "" : " (" + String.join(", ", names) + ")")
                  + ", and "
                  + named
                  + (named == 1 ? " is" : " are")
                  + " named as reader: queries on the others are not covered",
              "If the application reads there, name it: reader(name, dataSource)."));
    } else if (all == 0 && named == 0) {
      findings.add(Finding.ok(SUBJECT, "this server shows none, and none is named"));
    }
    if (replication.hidden() > 0) {
      Finding hidden =
          Finding.unknown(
              SUBJECT,
              "how far " + replication.hidden() + " of them have come can't be seen",
              "Without it, backfills can't give way to their lag unless they are named as readers.");
      findings.add(
          replication.remedy().startsWith("GRANT")
              ? hidden.with(List.of(replication.remedy()))
              : hidden);
    }
    return findings;
  }
}
