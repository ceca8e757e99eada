/**
 * The fleet rules: short pure functions that decide who fits, who is gone and what may be entered.
 * No I/O, no clock; a model check explores them exhaustively.
 */
@NullMarked
package dev.zerodowntime.orchestrator.internal.fleet;

import org.jspecify.annotations.NullMarked;
