/**
 * The dialect for MySQL and MariaDB: found by the engine, and refusing, until it has operations.
 */
@NullMarked
package dev.zerodowntime.orchestrator.mysql;

import org.jspecify.annotations.NullMarked;
