/** What every dialect promises, against every server; written once. */
package dev.zerodowntime.orchestrator.testing.contract;
