package dev.zerodowntime.orchestrator.internal.fleet.model;

import java.util.Arrays;

/** A set of packed worlds, numbered in the order of their discovery. */
final class StateSet {

  private static final int CHUNK = 1 << 14;
  private final int width;
  private long[][] chunks = new long[64][];

  /** Open addressing; each place has a number, plus 1, below half of its hash. */
  private long[] table = new long[1 << 16];

  private int size;

  StateSet(int width) {
    this.width = width;
  }

  int size() {
    return size;
  }

  /** The number of these words: {@code -1 - number} when they are new. */
  int add(long[] words) {
    long hash = hash(words, 0);
    int mask = table.length - 1;
    int place = (int) hash & mask;
    while (table[place] != 0) {
      int number = number(table[place]);
      if ((table[place] ^ hash) >>> 32 == 0 && same(number, words)) {
        return number;
      }
      place = place + 1 & mask;
    }
    store(words);
    table[place] = entry(hash, size++);
    if (size > table.length / 2) {
      grow();
    }
    return -size;
  }

  private static long entry(long hash, int number) {
    return hash >>> 32 << 32 | number + 1;
  }

  private static int number(long entry) {
    return (int) entry - 1;
  }

  private boolean same(int number, long[] words) {
    int at = number % CHUNK * width;
    return Arrays.equals(chunks[number / CHUNK], at, at + width, words, 0, width);
  }

  private void store(long[] words) {
    int chunk = size / CHUNK;
    if (chunk == chunks.length) {
      chunks = Arrays.copyOf(chunks, chunk * 2);
    }
    if (chunks[chunk] == null) {
      chunks[chunk] = new long[CHUNK * width];
    }
    System.arraycopy(words, 0, chunks[chunk], size % CHUNK * width, width);
  }

  /** Copies the words of a number. */
  void get(int number, long[] words) {
    System.arraycopy(chunks[number / CHUNK], number % CHUNK * width, words, 0, width);
  }

  private long hash(long[] words, int from) {
    long hash = 0;
    for (int i = 0; i < width; i++) {
      hash = (hash ^ words[from + i]) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 29;
    }
    return hash;
  }

  private void grow() {
    long[] larger = new long[table.length * 2];
    int mask = larger.length - 1;
    for (int number = 0; number < size; number++) {
      long hash = hash(chunks[number / CHUNK], number % CHUNK * width);
      int place = (int) hash & mask;
      while (larger[place] != 0) {
        place = place + 1 & mask;
      }
      larger[place] = entry(hash, number);
    }
    table = larger;
  }
}
