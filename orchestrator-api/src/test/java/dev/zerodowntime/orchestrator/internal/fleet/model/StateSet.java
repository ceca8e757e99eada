package dev.zerodowntime.orchestrator.internal.fleet.model;

import java.util.Arrays;

/** A set of packed worlds, numbered in the order of their discovery. */
final class StateSet {

  private static final int CHUNK = 1 << 14;
  private final int width;
  private long[][] chunks = new long[64][];
  private int[] table = new int[1 << 16];
  private int size;

  StateSet(int width) {
    this.width = width;
    Arrays.fill(table, -1);
  }

  int size() {
    return size;
  }

  /** The number of these words: {@code -1 - number} when they are new. */
  int add(long[] words) {
    int slot = slot(words);
    if (table[slot] >= 0) {
      return table[slot];
    }
    int chunk = size / CHUNK;
    if (chunk == chunks.length) {
      chunks = Arrays.copyOf(chunks, chunk * 2);
    }
    if (chunks[chunk] == null) {
      chunks[chunk] = new long[CHUNK * width];
    }
    System.arraycopy(words, 0, chunks[chunk], size % CHUNK * width, width);
    table[slot] = size++;
    if (size > table.length / 2) {
      grow();
    }
    return -size;
  }

  /** Copies the words of a number. */
  void get(int number, long[] words) {
    System.arraycopy(chunks[number / CHUNK], number % CHUNK * width, words, 0, width);
  }

  private int slot(long[] words) {
    int slot = hash(words, 0) & table.length - 1;
    while (table[slot] >= 0) {
      long[] chunk = chunks[table[slot] / CHUNK];
      int at = table[slot] % CHUNK * width;
      if (Arrays.equals(chunk, at, at + width, words, 0, width)) {
        return slot;
      }
      slot = slot + 1 & table.length - 1;
    }
    return slot;
  }

  private int hash(long[] words, int from) {
    long hash = 0;
    for (int i = 0; i < width; i++) {
      hash = (hash ^ words[from + i]) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 32;
    }
    return (int) hash;
  }

  private void grow() {
    int[] larger = new int[table.length * 2];
    Arrays.fill(larger, -1);
    for (int number = 0; number < size; number++) {
      int slot = hash(chunks[number / CHUNK], number % CHUNK * width) & larger.length - 1;
      while (larger[slot] >= 0) {
        slot = slot + 1 & larger.length - 1;
      }
      larger[slot] = number;
    }
    table = larger;
  }
}
