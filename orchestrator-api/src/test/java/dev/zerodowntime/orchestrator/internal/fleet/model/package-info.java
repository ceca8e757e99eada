/**
 * A model check of the fleet rules: a small fleet, its drivers and its database are explored
 * exhaustively, in every order of their transactions and of everything that may go wrong, with the
 * real decisions of {@link dev.zerodowntime.orchestrator.internal.fleet.FleetRules}, {@link
 * dev.zerodowntime.orchestrator.Span} and {@link dev.zerodowntime.orchestrator.State}. What the
 * engine does around those decisions is mirrored by {@link
 * dev.zerodowntime.orchestrator.internal.fleet.model.Membership} and {@link
 * dev.zerodowntime.orchestrator.internal.fleet.model.Driving}, one method per transaction.
 *
 * <p><b>What must hold</b> is in {@link
 * dev.zerodowntime.orchestrator.internal.fleet.model.Promise}, which judges by the spans themselves
 * and by what is true, not by what is stored. <b>Progress</b> is checked on the explored graph,
 * backwards: from every world, by steps that are no faults, one can be reached in which the
 * migration is at its last phase; and one in which the release that is wanted can join, or never
 * will. The graph is finite and such steps lead from worlds to worlds of it; so whoever takes every
 * step that stays possible comes there in the end. No fault means: what is frozen wakes, the server
 * comes back, the roll-out goes on to the newest release, processes of other releases are closed,
 * pins and commands of persons are ended; but no process of the wanted release is closed.
 *
 * <p><b>What it abstracts from</b>, and why nothing is lost by that:
 *
 * <ul>
 *   <li>Time goes in ticks, in each of which every running process that can reach the server
 *       heartbeats. Ages stop to count where nothing depends on them any more. The longest gap of
 *       watching is not longer than a tick: an outage that keeps heartbeats from being sent is
 *       longer.
 *   <li>The database's clock doesn't jump. Soak, drain and horizon go by it; the expiry doesn't.
 *   <li>Counters and tokens are only ever compared for equality, so that bits stand for them. A new
 *       token never equals an old one, not even after a restore: they are random.
 *   <li>Leases may be taken over at any moment: their expiry is for liveness, the token for safety.
 *   <li>Members are interchangeable, and so are the two drivers: worlds that differ by their names
 *       are one.
 *   <li>There is one migration and one application. Migrations don't share anything but the fleet;
 *       and other applications' members and releases are counted by the same rules, one by one.
 *   <li>A migration's steps are one statement; the probe before its confirmation is exact.
 *   <li>What is out of date is forgotten, if the rules under test are found not to ask for it: see
 *       {@link dev.zerodowntime.orchestrator.internal.fleet.model.Watch#ownTimeOnly} and {@link
 *       dev.zerodowntime.orchestrator.internal.fleet.model.Ranking}.
 *   <li>Where a scenario isn't {@code detailed}, heartbeats of the healthy are left out, a driver
 *       looks and evaluates after everything that happens, statements are confirmed as they run,
 *       and expiry and horizon are one tick. A process that falls silent may as well have done so
 *       right after its last heartbeat; and looking more often only finds sooner what may be used
 *       at any later time. Scenarios that are {@code detailed} have all of these one by one.
 * </ul>
 *
 * <p>The roll-out keeps to what a pipeline checks: successive releases share a phase, and nobody is
 * skipped. A release moves on once a process of it has joined, or can't.
 *
 * <p>One rule is not broken in turn, since others imply it: that {@code fitSince} forgets when the
 * fleet doesn't fit. Whoever doesn't fit has started the soak time anew by joining.
 */
@NullMarked
package dev.zerodowntime.orchestrator.internal.fleet.model;

import org.jspecify.annotations.NullMarked;
