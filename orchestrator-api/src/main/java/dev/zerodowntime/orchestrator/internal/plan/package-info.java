/** What a custom plan may not do, found from its SQL alone. */
@NullMarked
package dev.zerodowntime.orchestrator.internal.plan;

import org.jspecify.annotations.NullMarked;
