package dev.zerodowntime.orchestrator.internal.flyway;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/** What is done around the migrations of an application's Flyway. */
final class Watch implements Callback {

  private static final Set<Event> EVENTS =
      Set.of(
          Event.BEFORE_MIGRATE, Event.BEFORE_EACH_MIGRATE, Event.AFTER_MIGRATE, Event.BEFORE_CLEAN);

  private final Host host;

  Watch(Host host) {
    this.host = host;
  }

  @Override
  public boolean supports(Event event, Context context) {
    return EVENTS.contains(event);
  }

  @Override
  public boolean canHandleInTransaction(Event event, Context context) {
    return false;
  }

  @Override
  public String getCallbackName() {
    return "orchestrator";
  }

  @Override
  public void handle(Event event, Context context) {
    if (event == Event.BEFORE_MIGRATE) {
      FlywayJoin.requireNoGroup(context.getConfiguration().isGroup());
      host.install();
    } else if (event == Event.BEFORE_EACH_MIGRATE) {
      requireFree(context);
    } else if (event == Event.AFTER_MIGRATE) {
      MigrationVersion target = context.getConfiguration().getTarget();
      if (target == null || target.equals(MigrationVersion.LATEST)) {
        // Else not everything is there yet that this build declares something of.
        host.advance();
      }
    } else if (event == Event.BEFORE_CLEAN) {
      requireCleanOfAll(context);
    }
  }

  private void requireFree(Context context) {
    if (context.getConfiguration().isSkipExecutingMigrations()) {
      return;
    }
    ScriptCheck.Found found = new ScriptCheck(host.unfinished()).look(context);
    if (!found.migrations().isEmpty()) {
      host.idle(context.getConnection());
      // Nobody else may be there to drive: this process can't start before that is done.
      host.settle(found.migrations());
      new ScriptCheck(host.unfinished()).require(context);
    }
  }

  /** Control tables that stay would say of what is made anew that it is finished. */
  private void requireCleanOfAll(Context context) {
    if (!host.installed()) {
      return;
    }
    String control = host.controlSchema();
    List<String> cleaned = new ArrayList<>(List.of(context.getConfiguration().getSchemas()));
    if (cleaned.isEmpty()) {
      String main = context.getConfiguration().getDefaultSchema();
      cleaned.add(main == null ? host.currentSchema() : main);
    }
    if (!cleaned.contains(control)) {
      throw new DeclarationException(
          ErrorCode.CONTROL_TABLES,
          "Flyway is to clean "
              + String.join(", ", cleaned)
              + ", but not "
              + control
              + ", whose control tables would remember migrations of what is gone",
          "Create the database anew, or add \""
              + control
              + "\" to Flyway's schemas(...), after the others.");
    }
  }
}
