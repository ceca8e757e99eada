/**
 * The public API: declare {@linkplain dev.zerodowntime.orchestrator.Migration migrations}, say what
 * this build's code does with them, and call {@link
 * dev.zerodowntime.orchestrator.Orchestrator#advance()} at start-up.
 */
@NullMarked
package dev.zerodowntime.orchestrator;

import org.jspecify.annotations.NullMarked;
