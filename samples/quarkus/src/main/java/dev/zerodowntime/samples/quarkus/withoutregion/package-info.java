/** A persistence unit of its own. */
@NullMarked
package dev.zerodowntime.samples.quarkus.withoutregion;

import org.jspecify.annotations.NullMarked;
