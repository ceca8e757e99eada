/** The engine: registration, gates, the step protocol, the background driver. */
@NullMarked
package dev.zerodowntime.orchestrator.internal.engine;

import org.jspecify.annotations.NullMarked;
