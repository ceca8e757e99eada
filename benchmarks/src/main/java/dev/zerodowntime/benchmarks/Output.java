package dev.zerodowntime.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Plain ASCII, for it goes through consoles and logs of every kind. */
final class Output {

  private final PrintStream stream;

  Output(PrintStream stream) {
    this.stream = stream;
  }

  void say(String text, Object... arguments) {
    stream.println(
        arguments.length == 0 ? text : String.format(Locale.ROOT, text, arguments).stripTrailing());
    stream.flush();
  }

  /** Numbers to the right, the first column to the left. */
  void table(List<List<String>> rows) {
    List<Integer> widths = new ArrayList<>();
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        int width = row.get(i).length();
        if (i < widths.size()) {
          widths.set(i, Math.max(widths.get(i), width));
        } else {
          widths.add(width);
        }
      }
    }
    say("");
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        String pad = " ".repeat(widths.get(i) - row.get(i).length());
        line.append(i == 0 ? row.get(i) + pad : "  " + pad + row.get(i));
      }
      say(line.toString().stripTrailing());
    }
    say("");
  }
}
