/** The proof that steps do to tables what they declare, and no more, for every database. */
package dev.zerodowntime.orchestrator.testing.oracle;
