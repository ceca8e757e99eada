/** The application's own Flyway: places in its order, and what is done before and after it. */
@NullMarked
package dev.zerodowntime.orchestrator.internal.flyway;

import org.jspecify.annotations.NullMarked;
