/**
 * The shipped operations, one file each: fields, phases, code stages and spans. Their SQL lives in
 * the dialects, one file each as well.
 */
@NullMarked
package dev.zerodowntime.orchestrator.operation;

import org.jspecify.annotations.NullMarked;
