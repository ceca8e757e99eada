/**
 * The quickstart: a fleet under load on an embedded PostgreSQL, while five releases roll out and
 * the schema changes under them. Start reading at {@code Quickstart}, then {@code Migrations},
 * {@code Release} and {@code Pod}: these show how the library is used. The rest is load and proof.
 */
@NullMarked
package dev.zerodowntime.samples.quickstart;

import org.jspecify.annotations.NullMarked;
