/** Reads SQL as far as rules about it need: into tokens and statements, not into a tree. */
@NullMarked
package dev.zerodowntime.orchestrator.internal.sql;

import org.jspecify.annotations.NullMarked;
