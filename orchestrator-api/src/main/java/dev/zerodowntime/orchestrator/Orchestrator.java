package dev.zerodowntime.orchestrator;

import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * Carries out schema migrations while old and new builds of applications run side by side.
 *
 * <p>One per process and database. Thread-safe. Build it, call {@link #advance()} before serving,
 * and {@link #close()} it after the last query.
 */
public interface Orchestrator extends AutoCloseable {

  /**
   * Starts building one.
   *
   * @param dataSource the application's own pool, of three connections at least, one of which
   *     carries this member's heartbeats until it is closed; what its driver does is registered
   *     with the member
   * @return a builder
   */
  static OrchestratorBuilder builder(DataSource dataSource) {
    return new OrchestratorBuilder(dataSource);
  }

  /**
   * Joins the fleet, checks that this build fits the schema, and does what may be done now. Call it
   * at start-up, before serving.
   *
   * <p>Returns as soon as this build fits: gates are not waited for, backfills and online builds go
   * on in the background. If this build needs a phase that is not reached, tries to get there
   * within the start-up budget. A repeated call with nothing left to do costs one round trip.
   *
   * @return what was done, and what every migration waits for
   * @throws SchemaNotReadyException if this build needs a phase that could not be reached; it was
   *     not admitted
   * @throws ReleaseTooOldException if the schema has left this build behind; it was not admitted
   * @throws DeclarationException if a declaration is wrong; nothing was touched
   * @throws RefusedException if a migration can't be carried out safely; nothing was touched
   * @throws DatabaseException if the database can't be used
   */
  AdvanceReport advance();

  /**
   * Lets the application's own Flyway, 10 to 13, and this orchestrator work together: call it while
   * Flyway is configured, after its own Java migrations and callbacks are set. From then on, {@code
   * migrate()}
   *
   * <ul>
   *   <li>installs the control tables first, where this process drives, so that a database is still
   *       seen to be new;
   *   <li>comes to every declared migration that has {@link Migration.Builder#flyway a place} in
   *       its order, as to a Java migration. Where the table has no rows, or no build has ever used
   *       the database, and every counted build fits, the migration is carried out there and then,
   *       as far as this build fits: without soak, approval, retention or backup, since there is
   *       nothing to lose; a drop is a drop. Else it is only registered, and moves on in phases, as
   *       ever;
   *   <li>refuses an SQL script, before it runs, that names the table of an unfinished migration:
   *       one object would be changed by two. Where that has not begun, or only a purge is left,
   *       the script must name one of the migration's columns as well. First drives that migration
   *       as far as it may within the start-up budget. A comment in the script consents, {@code --
   *       orchestrator: alongside billing/2026-11-users-full-name};
   *   <li>calls {@link #advance()} at the end, unless it has a target, whose exceptions are the
   *       causes of Flyway's.
   * </ul>
   *
   * <p>A place whose migration is refused fails as any of Flyway's migrations do; on MySQL and
   * MariaDB Flyway notes that, and wants {@code repair()} before it tries again.
   *
   * <p>Flyway holds up to three connections meanwhile, and this library three more. {@code clean()}
   * is refused unless it takes the control tables along, which would else remember what is gone.
   *
   * @param configuration the application's Flyway; not one with {@code group(true)}, whose
   *     statements are in one transaction
   * @throws DeclarationException if two migrations have one place, or places contradict {@code
   *     after(...)}; nothing was changed
   */
  void joinFlyway(FluentConfiguration configuration);

  /**
   * Drives everything as far as gates allow, backfills and online builds included, and returns at
   * the first thing to wait for, such as a lock of somebody else, replication lag or a closed
   * window. For jobs; a process with {@link Role#DRIVER} isn't counted.
   *
   * @return what was done, and what every migration waits for
   */
  AdvanceReport drive();

  /**
   * Like {@link #drive()}, and waits for gates that may open, until nothing is left to do or the
   * time is over.
   *
   * @param patience how long
   * @return what was done, and what every migration waits for
   */
  AdvanceReport drive(Duration patience);

  /**
   * Drives one migration to a phase, up or down, and no further: for tests that look at each phase.
   * Others move on as ever. Gates hold as they do in {@link Environment#DEVELOPMENT}, except that
   * nobody has to have registered. The next call goes on from there; so does everything else, but
   * upwards only after {@link #resume}, once it went down.
   *
   * @param id the migration's id
   * @param phase the phase's name
   * @return what was done; where the migration has not got there within the start-up budget, its
   *     report says what it waits for
   * @throws DeclarationException if there is no such migration or phase, or the environment is not
   *     {@link Environment#DEVELOPMENT}; nothing was changed
   */
  AdvanceReport driveTo(String id, String phase);

  /**
   * Reads everything there is to know. Changes nothing.
   *
   * @return members, releases, migrations and what they wait for
   */
  FleetStatus status();

  /**
   * What carrying out this build's declared migrations would do: exact SQL, locks, and the way
   * back. Touches nothing, and needs no control tables.
   *
   * @return one plan per declared migration, in declaration order
   * @throws RefusedException if a migration can't be carried out safely
   */
  List<MigrationPlan> plan();

  /**
   * Looks at what could go wrong, before the first release or at any time: privileges with the
   * statements that are missing, poolers, the driver's options, the isolation level, replicas, what
   * stands in the way of pending migrations, publications, disk space, and sessions that belong to
   * no member. Asks all the connections that the builder was given. Changes nothing (what a
   * preflight tries, it tries on temporary tables, in a transaction that is rolled back), takes no
   * lock beyond those of a SELECT, and needs neither control tables nor any right: what can't be
   * looked at is a finding too. Throws nothing that has to do with the database.
   *
   * @return what was found
   */
  Diagnosis doctor();

  /**
   * The stage at which this process was admitted, for code that can do either.
   *
   * @param migration a migration this build declares
   * @param <C> its code stages
   * @return the stage; fixed for the life of this process
   * @throws IllegalStateException before a successful {@link #advance()}
   */
  <C extends Enum<C> & CodeStage> C stage(Migration<C> migration);

  /**
   * What this build says of itself, for {@link RolloutCheck}.
   *
   * @return its manifest; needs no database
   */
  ReleaseManifest manifest();

  /**
   * Waits until every build of a release would be admitted, for a pipeline that is about to start
   * it. Drives meanwhile, as {@link #drive(Duration)} does, unless this is a {@link Role#MEMBER}.
   * Registers nobody, and reserves nothing: it says what is so when it returns.
   *
   * <p>Returns at once if the schema suits the release, if it has left it behind, or if the release
   * needs a phase of a migration that nobody has declared: waiting would be in vain. While it
   * waits, it logs for what every 30 s.
   *
   * @param manifest what the release says of itself, such as {@link #manifest()} or {@link
   *     ReleaseManifest#fromJson}
   * @param patience how long; with zero it drives as far as one pass gets
   * @return whether the release may start; if not, what for and how long it would have to wait
   * @throws DeclarationException if production would refuse the release whatever the schema is: its
   *     release string stands for other stages, or a stage is unknown
   * @throws DatabaseException if the database can't be used
   */
  Readiness await(ReleaseManifest manifest, Duration patience);

  /**
   * What everybody who is counted says of itself, for {@link RolloutCheck}: releases with members,
   * those that are warm, and pinned members under their label. Changes nothing, and waits for
   * nobody.
   *
   * @return one manifest for each, with the spans as they are in this database; none where the
   *     control tables are not installed yet
   */
  List<ReleaseManifest> countedManifests();

  /**
   * Whether this process is counted and fits the schema, as of its last heartbeat.
   *
   * @return false before a successful {@link #advance()}, and when it has been struck off and could
   *     not be admitted again
   */
  boolean fit();

  /**
   * Stops a migration at the next statement.
   *
   * @param id its id
   */
  void pause(String id);

  /**
   * Lets a paused, failed, rolled-back or abandoned migration go on.
   *
   * @param id its id
   */
  void resume(String id);

  /**
   * A migration's backfills, in people's hands while they run: pause, pace, progress.
   *
   * @param id the migration's id
   * @return a handle; looks at the database with each of its calls
   */
  BackfillControl backfill(String id);

  /**
   * Stops everything at the next statement. The same as {@code UPDATE control SET paused = true}.
   *
   * @param reason for those who find it
   */
  void pauseAll(String reason);

  /** Ends {@link #pauseAll}. */
  void resumeAll();

  /**
   * Consents to a phase, which may still be some phases away. The consent is to the SQL the phase
   * runs as planned now: should that change, it is asked for again; so it is when the phase was
   * entered and undone.
   *
   * @param id the migration's id
   * @param phase the phase's name
   */
  void approve(String id, String phase);

  /**
   * Takes a migration back, as far as the fleet allows now and when it allows more; it stays there
   * until {@link #resume(String)}.
   *
   * @param id its id
   * @param phase the phase to go back to
   * @throws IllegalTransitionException if there is no way back to it
   */
  void rollback(String id, String phase);

  /**
   * Takes a migration back to {@code NOT_STARTED}.
   *
   * @param id its id
   */
  default void rollback(String id) {
    rollback(id, "NOT_STARTED");
  }

  /**
   * Gives a migration up: nothing drives it any more, data and triggers stay, and it still counts
   * for whoever wants to join.
   *
   * @param id its id
   * @return the SQL of all its phases and of their ways back; {@link #finishScript} and {@link
   *     #rollbackScript} are ready to run
   */
  MigrationPlan abandon(String id);

  /**
   * SQL that carries a migration on to its end with {@code psql} alone, where the library can't:
   * step by step as the engine would, in batches, each statement only if it has not happened yet,
   * and noted in the control tables. A purge is shown as a comment. Changes nothing itself.
   *
   * <p>The script pauses the migration, waits for statements of drivers, and looks at no fleet:
   * whoever runs it makes sure that all running code fits. It takes the locks that the plan shows,
   * within the lock budget. It may be stopped at any statement and run again.
   *
   * @param id the migration's id
   * @return the script; one after the other where it has several target schemas
   * @throws RefusedException if a step needs Java, or the migration has not started
   */
  String finishScript(String id);

  /**
   * The same back to where it came from, or as far as there is a way. The migration then stays
   * there until it is resumed, as after {@link #rollback(String)}.
   *
   * @param id the migration's id
   * @return the script; one after the other where it has several target schemas
   * @throws RefusedException if a step needs Java
   * @throws IllegalTransitionException if there is no way back at all
   */
  String rollbackScript(String id);

  /**
   * Writes finished migrations down as Flyway SQL, after which their declarations may be deleted: a
   * database that is built from scratch by those scripts has the same schema. Made from the control
   * tables alone, whether or not this build still declares them; changes nothing, takes no locks.
   *
   * <p>Finished is what has reached its last phase and is not on its way back. Names carry a schema
   * only where it isn't the one that this connection looks names up in. A migration that has
   * several target schemas gets one script without any.
   *
   * @param ids the migrations; none for all that are finished, where those that can't be exported
   *     are named in {@link Export#left}
   * @return their scripts
   * @throws DeclarationException if an id is not known in this database
   * @throws RefusedException if one is not finished, with what it waits for; or can't be said in
   *     SQL, such as what a Java function computed
   */
  Export export(String... ids);

  /**
   * Ends the pin "builds before us": every running build of an application has the library. Where
   * there is no such pin any more, does nothing. Logs the sessions on the database that belong to
   * no member; {@link #doctor()} and {@link #status()} show them beforehand.
   *
   * @param application its name
   * @throws DeclarationException if no such application is known
   */
  void adopted(String application);

  /**
   * Counts somebody who can't register: a service in another language, a report. Its application
   * need not be known.
   *
   * @param application what application it belongs to
   * @param label what to call it; {@link #unpin} ends it
   * @throws DeclarationException if code that knows nothing of it can't run against a migration as
   *     it is now; nothing was changed
   */
  void pin(String application, String label);

  /**
   * Ends a pin.
   *
   * @param application what application it belongs to
   * @param label what it was called
   * @throws DeclarationException if nobody is pinned by that name
   */
  void unpin(String application, String label);

  /**
   * Ends a release's warmth: it will never be rolled back to.
   *
   * @param application the application
   * @param release the release
   */
  void forgetRelease(String application, String release);

  /** Says that the database was moved to another server: everything goes on. */
  void moved();

  /**
   * Says that this database is a copy of another: members, releases, approvals and leases of the
   * original are void.
   */
  void copied();

  /**
   * Leaves the fleet. Call it after the last query: this member stays counted for the drain time,
   * in case a transaction is still running. Stops the background driver. Does not throw.
   */
  @Override
  void close();
}
