package dev.zerodowntime.orchestrator.internal.flyway;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.Migration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.migration.JavaMigration;

/** Adds places and a callback to an application's Flyway. Uses what Flyway 10 to 13 share. */
public final class FlywayJoin {

  private FlywayJoin() {}

  /**
   * Adds them.
   *
   * @param configuration the application's
   * @param declared this build's migrations, in declaration order
   * @param host the engine
   */
  public static void join(
      FluentConfiguration configuration, List<Migration<?>> declared, Host host) {
    List<JavaMigration> migrations = new ArrayList<>(List.of(configuration.getJavaMigrations()));
    List<Callback> callbacks = new ArrayList<>(List.of(configuration.getCallbacks()));
    if (callbacks.stream().anyMatch(Watch.class::isInstance)) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "This Flyway configuration was joined before",
          "Call joinFlyway(...) once for each configuration.");
    }
    requireNoGroup(configuration.isGroup());
    migrations.addAll(places(declared, host));
    callbacks.add(new Watch(host));
    configuration
        .javaMigrations(migrations.toArray(JavaMigration[]::new))
        .callbacks(callbacks.toArray(Callback[]::new));
  }

  /** In one transaction with scripts, what they have made would not be seen, or would be locked. */
  static void requireNoGroup(boolean group) {
    if (group) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Flyway is configured with group=true, which keeps all pending migrations in one"
              + " transaction; migrations of this library commit by themselves",
          "Leave group out of Flyway's configuration.");
    }
  }

  private static List<Place> places(List<Migration<?>> declared, Host host) {
    Map<MigrationVersion, Migration<?>> byVersion = new TreeMap<>();
    for (Migration<?> each : declared) {
      if (each.flyway().isEmpty()) {
        continue;
      }
      MigrationVersion version = MigrationVersion.fromVersion(each.flyway().get());
      Migration<?> before = byVersion.putIfAbsent(version, each);
      if (before != null && !before.id().equals(each.id())) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "Migrations "
                + before.id()
                + " and "
                + each.id()
                + " have the same place in Flyway's order, "
                + version,
            "Give each a version of its own.");
      }
    }
    requireOneVersionEach(declared);
    requireOrder(List.copyOf(byVersion.values()), declared);
    byVersion.values().forEach(each -> requirePlaces(each, declared));
    List<Place> places = new ArrayList<>();
    byVersion.forEach((version, each) -> places.add(new Place(version, each.id(), host)));
    return places;
  }

  /** One id may be declared for many schemas: all of them have one place. */
  private static void requireOneVersionEach(List<Migration<?>> declared) {
    for (Migration<?> one : declared) {
      for (Migration<?> other : declared) {
        if (one.id().equals(other.id()) && !one.flyway().equals(other.flyway())) {
          throw new DeclarationException(
              ErrorCode.INVALID_DECLARATION,
              "Migration "
                  + one.id()
                  + " is declared for several schemas, with different places in Flyway's order",
              "Give it the same flyway(...) everywhere.");
        }
      }
    }
  }

  /** What a placed one waits for needs a place as well: else it comes after all scripts. */
  private static void requirePlaces(Migration<?> placed, List<Migration<?>> declared) {
    for (Migration<?> other : declared) {
      boolean named = placed.after().contains(other.id());
      boolean sameTable =
          placed.after().isEmpty()
              && placed.table().equals(other.table())
              && Objects.equals(placed.schema(), other.schema())
              && declared.indexOf(other) < declared.indexOf(placed);
      if (other.flyway().isEmpty() && (named || sameTable)) {
        throw new DeclarationException(
            ErrorCode.INVALID_DECLARATION,
            "Migration "
                + placed.id()
                + " has a place in Flyway's order, "
                + placed.flyway().orElse("")
                + ", and goes after "
                + other.id()
                + (named ? " by after(...)" : " by declaration order")
                + ", which has none",
            "Give that a place before it.");
      }
    }
  }

  /** What goes first by declaration must go first by version: else the one waits for the other. */
  private static void requireOrder(List<Migration<?>> byVersion, List<Migration<?>> declared) {
    for (int i = 0; i < byVersion.size(); i++) {
      Migration<?> earlier = byVersion.get(i);
      for (Migration<?> later : byVersion.subList(i + 1, byVersion.size())) {
        boolean named = earlier.after().contains(later.id());
        boolean sameTable =
            earlier.after().isEmpty()
                && earlier.table().equals(later.table())
                && Objects.equals(earlier.schema(), later.schema());
        if (named || (sameTable && declared.indexOf(later) < declared.indexOf(earlier))) {
          throw new DeclarationException(
              ErrorCode.INVALID_DECLARATION,
              "Migration "
                  + earlier.id()
                  + " goes after "
                  + later.id()
                  + (named ? " by after(...)" : " by declaration order")
                  + ", but has an earlier place in Flyway's order, "
                  + earlier.flyway().orElse("")
                  + " before "
                  + later.flyway().orElse(""),
              "Declare them in the order of their places.");
        }
      }
    }
  }
}
