/** A persistence unit of its own. */
@NullMarked
package dev.zerodowntime.samples.quarkus.byname;

import org.jspecify.annotations.NullMarked;
