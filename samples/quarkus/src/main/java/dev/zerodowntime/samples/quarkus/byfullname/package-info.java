/** A persistence unit of its own. */
@NullMarked
package dev.zerodowntime.samples.quarkus.byfullname;

import org.jspecify.annotations.NullMarked;
