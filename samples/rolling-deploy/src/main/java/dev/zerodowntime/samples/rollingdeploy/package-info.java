/**
 * A rolling deploy on one machine: an embedded PostgreSQL, instances of a sample as processes, a
 * proxy that takes them in and out, and a client that writes and reads all the time. Start reading
 * at {@code RollingDeploy}, then {@code Rollout}. Knows no framework: {@code Instance} says what is
 * asked of a sample.
 */
@NullMarked
package dev.zerodowntime.samples.rollingdeploy;

import org.jspecify.annotations.NullMarked;
