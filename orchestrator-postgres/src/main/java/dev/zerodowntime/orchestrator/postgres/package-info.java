/**
 * The PostgreSQL dialect, from version 14 on. {@link
 * dev.zerodowntime.orchestrator.postgres.PostgresDialect} is all of it that is public.
 */
@NullMarked
package dev.zerodowntime.orchestrator.postgres;

import org.jspecify.annotations.NullMarked;
