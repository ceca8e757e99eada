/** A reader and writer for the small JSON documents kept in the control tables. */
@NullMarked
package dev.zerodowntime.orchestrator.internal.json;

import org.jspecify.annotations.NullMarked;
