package dev.zerodowntime.samples.rollingdeploy;

import java.nio.file.Path;

/**
 * What differs between samples.
 *
 * @param jar what {@code java -jar} runs
 * @param health the path of its health endpoint
 * @param logs the folder for what the instances print
 */
public record Settings(Path jar, String health, Path logs) {}
