package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.testing.crash.Dump.Part;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;

/**
 * Plays a script once undisturbed, keeping the database at the beginning of every act; then plays
 * each act once for every cut, and has a successor carry on.
 */
final class ScriptRun {

  /** A run may send one heartbeat more or less than the recorded one. */
  private static final int TRIES = 4;

  private final Script script;
  private final Product product;
  private final Server server;
  private final Sample sample;
  private final Tally tally;
  private final List<Recording> recordings = new ArrayList<>();
  private final Set<String> databases = new LinkedHashSet<>();
  private int made;

  ScriptRun(Script script, Server server, Sample sample, Tally tally) {
    this.script = script;
    this.product = script.product();
    this.server = server;
    this.sample = sample;
    this.tally = tally;
  }

  /** An act as it goes when nothing happens. */
  private record Recording(Act act, String template, List<Point> points, Dump end) {}

  void run(String template) throws SQLException {
    try {
      if (!recorded(template)) {
        return;
      }
      for (int i = 0; i < recordings.size(); i++) {
        Recording each = recordings.get(i);
        for (Cut cut : sample.of(script.subject().name(), each.points(), each.act().repeated())) {
          cut(i, cut);
        }
      }
      System.out.println(
          "crash: " + script.subject().name() + ", " + script.name() + ": " + made + " cuts");
    } finally {
      for (String database : databases) {
        server.drop(database);
      }
    }
  }

  private boolean recorded(String template) throws SQLException {
    try {
      record(template);
      return true;
    } catch (AssertionError e) {
      tally.problem(Tally.Kind.STUCK, trace(e));
      return false;
    }
  }

  private void record(String beginning) throws SQLException {
    String database = keep(server.copy(beginning));
    for (Act act : script.setup()) {
      write(database, act);
      undisturbed(database, act);
    }
    for (Act act : script.acts()) {
      write(database, act);
      String template = keep(server.keep(database));
      String next = keep(server.copy(template));
      recordings.add(undisturbed(next, act).from(template));
      database = next;
    }
  }

  private record Played(Act act, List<Point> points, Dump end) {
    Recording from(String template) {
      return new Recording(act, template, points, end);
    }
  }

  private Played undisturbed(String database, Act act) throws SQLException {
    DataSource plain = product.dataSource(database);
    Wire wire = new Wire(product, server, plain, null);
    try (CutDataSource source = new CutDataSource(wire)) {
      act.live(member(source, act), script.migration());
      Dump end = Dump.of(product, plain);
      String violation = Once.violation(end.part(Part.DONE));
      String wrong = script.subject().wrong(plain, act);
      noLeaks(wire);
      if (violation != null || wrong != null || !left(end, act).isEmpty() || wire.fault() != null) {
        throw new AssertionError(
            "undisturbed: "
                + violation
                + ", "
                + wrong
                + ", left: "
                + left(end, act)
                + ", "
                + wire.fault());
      }
      tally.trace(wire.points().size());
      return new Played(act, wire.points(), end);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(name(act) + ", undisturbed", e);
    }
  }

  private static void noLeaks(Wire wire) throws SQLException {
    List<String> leaks = wire.leaks();
    if (!leaks.isEmpty()) {
      wire.fault("sessions in the pool differ from new ones: " + leaks);
    }
  }

  /** What is left over, without the constraints that are to be validated in the next phase. */
  private List<String> left(Dump end, Act act) {
    return end.part(Part.LEFT).stream()
        .filter(each -> !(script.subject().enforces(act) && each.startsWith(Dump.UNVALIDATED)))
        .toList();
  }

  private void cut(int index, Cut cut) throws SQLException {
    Recording recording = recordings.get(index);
    String what = name(recording.act()) + ", cut " + cut;
    for (int i = 0; i < TRIES; i++) {
      String database = server.copy(recording.template());
      try {
        if (die(database, recording.act(), cut, what)) {
          tally.cut(script.subject().name(), cut.point());
          int number = made++;
          boolean sound = recover(database, recording, what);
          if (sound && sample.toTheEnd(number)) {
            goOn(database, index, what);
          }
          return;
        }
      } finally {
        server.drop(database);
      }
    }
    if (cut.point().byTheClock() || !comes(recording, cut.point())) {
      tally.unsteady(cut.point());
    } else {
      tally.problem(Tally.Kind.OTHER, what + ": the statement never came");
    }
  }

  /** Whether an undisturbed run still sends the statement: some depend on the clock. */
  private boolean comes(Recording recording, Point point) throws SQLException {
    String database = server.copy(recording.template());
    try {
      return undisturbed(database, recording.act()).points().stream().anyMatch(point::same);
    } finally {
      server.drop(database);
    }
  }

  /** A process lives until the cut; says whether it came to it. */
  private boolean die(String database, Act act, Cut cut, String what) throws SQLException {
    Wire wire = new Wire(product, server, product.dataSource(database), cut);
    try (CutDataSource source = new CutDataSource(wire)) {
      act.live(member(source, act), script.migration());
      // What closes doesn't throw: it may have died all the same.
      return wire.cutOff();
    } catch (RuntimeException e) {
      if (!wire.cutOff()) {
        tally.problem(Tally.Kind.STUCK, what + ": failed before it: " + trace(e));
      }
      return wire.cutOff();
    } finally {
      Thread.interrupted();
      if (wire.fault() != null) {
        tally.problem(Tally.Kind.OTHER, what + ": " + wire.fault());
      }
    }
  }

  /** A successor lives the same act. */
  private boolean recover(String database, Recording recording, String what) throws SQLException {
    DataSource plain = product.dataSource(database);
    Wire wire = new Wire(product, server, plain, null);
    try (CutDataSource source = new CutDataSource(wire)) {
      recording.act().live(member(source, recording.act()), script.migration());
      String wrong = script.subject().wrong(plain, recording.act());
      if (wrong != null) {
        tally.problem(Tally.Kind.TWICE, what + ": " + wrong);
      }
      boolean sound = compare(Dump.of(product, plain), recording.end(), what) && wrong == null;
      noLeaks(wire);
      return sound;
    } catch (RuntimeException e) {
      tally.problem(Tally.Kind.STUCK, what + ": " + trace(e));
      return false;
    } finally {
      if (wire.fault() != null) {
        tally.problem(Tally.Kind.LOST, what + ": " + wire.fault());
      }
    }
  }

  /** The rest of the script, in which the dead are still registered at first. */
  private void goOn(String database, int index, String what) throws SQLException {
    boolean sound = true;
    for (int i = index + 1; sound && i < recordings.size(); i++) {
      write(database, recordings.get(i).act());
      sound =
          recover(database, recordings.get(i), what + ", then " + recordings.get(i).act().name());
    }
  }

  private boolean compare(Dump found, Dump expected, String what) {
    Map<Part, String> differences = found.differences(expected);
    String violation = Once.violation(found.part(Part.DONE));
    boolean twice = violation != null || differences.containsKey(Part.DONE);
    differences.forEach(
        (part, difference) ->
            tally.problem(
                part == Part.DONE ? Tally.Kind.TWICE : Tally.Kind.LOST,
                what + ", " + part + ":\n    " + difference));
    if (violation != null) {
      tally.problem(Tally.Kind.TWICE, what + ": " + violation);
    }
    return differences.isEmpty() && !twice;
  }

  private Orchestrator member(DataSource source, Act act) {
    return script.subject().member(source, act, script.approvals());
  }

  private void write(String database, Act act) throws SQLException {
    try (Connection connection = product.dataSource(database).getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : act.before()) {
        statement.execute(sql);
      }
    }
  }

  private String keep(String database) {
    databases.add(database);
    return database;
  }

  private String name(Act act) {
    return script.subject().name() + ", " + script.name() + ", " + act.name();
  }

  private static String trace(Throwable e) {
    StringBuilder text = new StringBuilder(e.toString());
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      StackTraceElement[] trace = cause.getStackTrace();
      for (int i = 0; i < Math.min(12, trace.length); i++) {
        text.append("\n      ").append(trace[i]);
      }
      text.append(cause.getCause() == null ? "" : "\n    cause: " + cause.getCause());
    }
    return text.toString();
  }
}
