/**
 * Benchmarks. Start reading at {@code Benchmarks}, which picks one, and {@code BackfillBenchmark},
 * which is one. Each prints tables, and a line for every goal; what is measured and why that way is
 * said in docs/benchmarks.md.
 */
@NullMarked
package dev.zerodowntime.benchmarks;

import org.jspecify.annotations.NullMarked;
