/** What the proofs of all database products have in common. */
package dev.zerodowntime.orchestrator.testing;
