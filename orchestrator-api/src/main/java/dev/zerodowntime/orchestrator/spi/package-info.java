/**
 * What a dialect implements. A dialect knows one database: how it locks, what it can do online, how
 * to ask its catalog whether a step already happened. The engine decides <em>when</em>, the dialect
 * says <em>how</em>.
 */
@NullMarked
package dev.zerodowntime.orchestrator.spi;

import org.jspecify.annotations.NullMarked;
