package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.LoadSignal;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.LoadSql;
import dev.zerodowntime.orchestrator.spi.LoadSql.Gauge;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** What the server says of its load, as signals like the author's. */
final class ServerSignals {

  private ServerSignals() {}

  /**
   * Those of a server.
   *
   * @param primary the application's database
   * @param load which has the server's gauges
   * @param limits by the gauge's name: the author's instead of the gauge's own; a gauge that is
   *     never over its limit isn't read
   * @throws DeclarationException if a limit is for something that the server doesn't say
   */
  static List<LoadSignal> of(DataSource primary, LoadSql load, Map<String, Double> limits) {
    List<Gauge> gauges = load.gauges();
    for (Map.Entry<String, Double> each : limits.entrySet()) {
      if (gauges.stream().noneMatch(gauge -> gauge.name().equals(each.getKey()))) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "loadLimit(\"" + each.getKey() + "\", ...): this server gives no such signal",
            gauges.isEmpty()
                ? "It gives none: use loadSignal(...)."
                : "It gives "
                    + gauges.stream().map(Gauge::name).collect(Collectors.joining(", "))
                    + "; others are given by loadSignal(...).");
      }
    }
    List<LoadSignal> all = new ArrayList<>();
    for (Gauge each : gauges) {
      double limit = limits.getOrDefault(each.name(), each.limit());
      if (limit < Double.POSITIVE_INFINITY) {
        all.add(
            new LoadSignal(
                each.name(),
                each.unit(),
                limit,
                () -> Db.autoCommit(primary, c -> each.reading().read(c))));
      }
    }
    return all;
  }
}
