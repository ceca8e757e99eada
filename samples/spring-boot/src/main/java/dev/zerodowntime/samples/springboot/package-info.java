/**
 * A small application with JPA and REST. Start reading at {@code OrchestratorConfiguration}, then
 * {@code Migrations} and {@code Release}: these show how the library is used.
 */
@NullMarked
package dev.zerodowntime.samples.springboot;

import org.jspecify.annotations.NullMarked;
