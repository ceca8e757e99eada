/**
 * A small application with JPA and REST. Start reading at {@code Main} and {@code Schema}, then
 * {@code Migrations} and {@code Release}: these show how the library is used.
 */
@NullMarked
package dev.zerodowntime.samples.quarkus;

import org.jspecify.annotations.NullMarked;
