/**
 * The proof that no query fails, and no write is lost, during a rolling deploy, for every database.
 */
package dev.zerodowntime.orchestrator.testing.rolling;
