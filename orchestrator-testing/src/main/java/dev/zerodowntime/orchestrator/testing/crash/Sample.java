package dev.zerodowntime.orchestrator.testing.crash;

import dev.zerodowntime.orchestrator.testing.crash.Cut.When;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which cuts are made. With {@code -Dcrash.full=true} all: both sides of every statement. Else:
 *
 * <ul>
 *   <li>every text once at least, wherever it comes first;
 *   <li>the side after whatever commits, and a part of the sides before: there the database is as
 *       the commit before left it;
 *   <li>one side, in turn, of DDL in an open transaction, which the cut undoes on either side;
 *   <li>a part of other uncommitted changes, of signs of life, of reads, and of acts whose
 *       movements another act makes too;
 *   <li>of seven operations out of eight, an eighth of all that, besides every text: which ones
 *       rotates from day to day, too.
 * </ul>
 *
 * <p>Sides and parts rotate from day to day; {@code -Dcrash.sample=n} repeats another day's. Where
 * there is no time for all operations ({@link Product#days}) they take turns, and {@code
 * -Dcrash.whole=true} takes them all at once.
 */
final class Sample {

  private static final int READS = 80;
  private static final int UNDONE = 8;
  private static final int BEFORE_COMMITS = 4;
  private static final int ALIVE = 3;
  private static final int REPEATED = 14;
  private static final int OPERATIONS = 8;
  private static final int THIN = 8;
  private static final int TO_THE_END = 20;

  private final Product product;
  private final boolean full = Boolean.getBoolean("crash.full");
  private final boolean whole = Boolean.getBoolean("crash.whole");
  private final int offset =
      Integer.getInteger("crash.sample", (int) (LocalDate.now().toEpochDay() % READS));

  /** Texts that were cut somewhere. */
  private final Set<String> texts = ConcurrentHashMap.newKeySet();

  Sample(Product product) {
    this.product = product;
  }

  /** Whether an operation has its turn. */
  boolean today(int number) {
    return full || whole || number % product.days() == offset % product.days();
  }

  List<Cut> of(String operation, List<Point> points, boolean repeated) {
    List<Cut> cuts = new ArrayList<>();
    boolean thin = Math.floorMod(operation.hashCode() + offset, OPERATIONS) != 0;
    for (int i = 0; i < points.size(); i++) {
      Point point = points.get(i);
      if (full) {
        bothSides(cuts, point);
      } else if (!repeated || (i + offset) % REPEATED == 0) {
        some(cuts, point, i + offset, thin);
      }
    }
    return cuts;
  }

  private void some(List<Cut> cuts, Point point, int number, boolean thin) {
    int every =
        switch (point.effect()) {
          case NONE -> READS;
          case UNDONE -> UNDONE;
          case ALIVE -> ALIVE;
          case DDL -> 1;
          case LASTING -> BEFORE_COMMITS;
        };
    if (thin) {
      every *= THIN;
    }
    boolean chosen = number % every == 0;
    boolean first = texts.add(point.sql());
    if (point.effect() == Point.Effect.LASTING) {
      if (chosen) {
        cuts.add(new Cut(point, When.BEFORE));
      }
      during(cuts, point);
      if (!thin || first || number % THIN == 0) {
        cuts.add(new Cut(point, When.AFTER));
      }
    } else if (chosen || first) {
      cuts.add(new Cut(point, number / every % 2 == 0 ? When.BEFORE : When.AFTER));
    }
  }

  private void bothSides(List<Cut> cuts, Point point) {
    cuts.add(new Cut(point, When.BEFORE));
    during(cuts, point);
    cuts.add(new Cut(point, When.AFTER));
  }

  private void during(List<Cut> cuts, Point point) {
    if (product.holdsUp(point.sql()).isPresent()) {
      cuts.add(new Cut(point, When.DURING));
    }
  }

  /** Whether a recovered run goes on to the end of its script, not only of its act. */
  boolean toTheEnd(int cut) {
    return cut % TO_THE_END == 0;
  }

  @Override
  public String toString() {
    String part =
        whole || product.days() == 1
            ? ""
            : "operations of one day in " + product.days() + " (-Dcrash.whole=true takes all); ";
    return full
        ? "full run: both sides of every statement"
        : "default run: "
            + part
            + "every text; of an eighth of the operations after whatever commits, and all"
            + " DDL; a part of the rest"
            + " (crash.sample="
            + offset
            + "; -Dcrash.full=true takes all)";
  }
}
