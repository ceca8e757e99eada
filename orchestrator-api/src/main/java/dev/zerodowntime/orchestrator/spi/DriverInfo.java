package dev.zerodowntime.orchestrator.spi;

/**
 * What the application's driver does that a changed row type could break.
 *
 * @param rowTypeSafe whether statements prepared before a row type changed go on working, also
 *     inside a transaction
 * @param facts what was found, for messages, such as {@code prepareThreshold=5, autosave=never}
 * @param remedy the option that makes it safe
 */
public record DriverInfo(boolean rowTypeSafe, String facts, String remedy) {}
