package dev.zerodowntime.orchestrator.mysql;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Types that a copy of the table can widen a column to: each value is the same in both, to the last
 * bit, which is what the comparison of the two tables proves.
 */
final class WiderByCopy {

  private static final List<String> INTEGERS =
      List.of("tinyint", "smallint", "mediumint", "int", "bigint");
  private static final List<String> TEXTS = List.of("tinytext", "text", "mediumtext", "longtext");
  private static final List<String> BLOBS = List.of("tinyblob", "blob", "mediumblob", "longblob");
  private static final Pattern DECIMAL = Pattern.compile("decimal\\((\\d+),(\\d+)\\)");

  private WiderByCopy() {}

  /** Refuses what is no wider type of the same kind. */
  static void require(Catalog catalog, String now, String wanted, String what) {
    if (!wider(now, wanted)) {
      throw catalog.refuse(
          what + " is " + now + ", and a copy of the table can't make it " + wanted,
          "By copy there are longer VARCHAR and VARBINARY, bigger integers, TEXT and BLOB, DECIMAL"
              + " with more digits before the point, and more values at the end of an ENUM or SET."
              + " For others use ChangeColumnType.");
    }
  }

  private static boolean wider(String now, String wanted) {
    for (List<String> kinds : List.of(INTEGERS, TEXTS, BLOBS)) {
      int from = kinds.indexOf(now.replaceFirst("\\(\\d+\\)$", ""));
      if (from >= 0) {
        return kinds.indexOf(wanted.replaceFirst("\\(\\d+\\)$", "")) >= from;
      }
    }
    return longer(now, wanted) || listed(now, wanted) || digits(now, wanted);
  }

  private static boolean longer(String now, String wanted) {
    Matcher from = WidenColumnCheck.SIZED.matcher(now);
    Matcher to = WidenColumnCheck.SIZED.matcher(wanted);
    return from.matches()
        && to.matches()
        && from.group(1).equals(to.group(1))
        && Long.parseLong(to.group(2)) >= Long.parseLong(from.group(2));
  }

  private static boolean listed(String now, String wanted) {
    Matcher from = WidenColumnCheck.LISTED.matcher(now);
    Matcher to = WidenColumnCheck.LISTED.matcher(wanted);
    if (!from.matches() || !to.matches() || !from.group(1).equals(to.group(1))) {
      return false;
    }
    List<String> before = WidenColumnCheck.values(from.group(2));
    List<String> after = WidenColumnCheck.values(to.group(2));
    return after.size() >= before.size() && after.subList(0, before.size()).equals(before);
  }

  private static boolean digits(String now, String wanted) {
    Matcher from = DECIMAL.matcher(now);
    Matcher to = DECIMAL.matcher(wanted);
    return from.matches()
        && to.matches()
        && from.group(2).equals(to.group(2))
        && Long.parseLong(to.group(1)) >= Long.parseLong(from.group(1));
  }
}
