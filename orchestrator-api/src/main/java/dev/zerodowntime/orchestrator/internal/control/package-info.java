/** The control tables: installation and every statement that reads or writes them. */
@NullMarked
package dev.zerodowntime.orchestrator.internal.control;

import org.jspecify.annotations.NullMarked;
