package dev.zerodowntime.orchestrator.internal.fleet.model;

import java.util.Arrays;

/** A row of bits, written from the front, and read again from the front. */
final class Bits {

  final long[] words;
  private int position;

  Bits(int words) {
    this.words = new long[words];
  }

  void clear() {
    Arrays.fill(words, 0);
    position = 0;
  }

  void rewind() {
    position = 0;
  }

  int length() {
    return position;
  }

  void put(long value, int bits) {
    if (value >>> bits != 0) {
      throw new IllegalArgumentException(value + " needs more than " + bits + " bits");
    }
    int word = position >> 6;
    int shift = position & 63;
    words[word] |= value << shift;
    if (shift + bits > 64) {
      words[word + 1] |= value >>> 64 - shift;
    }
    position += bits;
  }

  void put(boolean value) {
    put(value ? 1 : 0, 1);
  }

  long take(int bits) {
    int word = position >> 6;
    int shift = position & 63;
    long value = words[word] >>> shift;
    if (shift + bits > 64) {
      value |= words[word + 1] << 64 - shift;
    }
    position += bits;
    return value & (1L << bits) - 1;
  }

  int take() {
    return (int) take(1);
  }

  boolean flag() {
    return take(1) != 0;
  }
}
