/** The proof that a process may die between any two of its statements, for every database. */
package dev.zerodowntime.orchestrator.testing.crash;
