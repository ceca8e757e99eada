/**
 * Tests of an application's own migrations: a new database for each test ({@link
 * dev.zerodowntime.orchestrator.junit.ScratchDatabase}), everything from scratch ({@link
 * dev.zerodowntime.orchestrator.junit.FromScratch}), the schema that comes of it ({@link
 * dev.zerodowntime.orchestrator.junit.SchemaSnapshot}), and a walk through the phases ({@link
 * dev.zerodowntime.orchestrator.junit.PhaseWalk}).
 */
@NullMarked
package dev.zerodowntime.orchestrator.junit;

import org.jspecify.annotations.NullMarked;
