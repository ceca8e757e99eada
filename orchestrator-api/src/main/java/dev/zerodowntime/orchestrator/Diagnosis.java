package dev.zerodowntime.orchestrator;

import dev.zerodowntime.orchestrator.Finding.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * What {@link Orchestrator#doctor()} found. Immutable.
 *
 * @param findings everything that was looked at, the worst first
 * @param strangers sessions on the database that belong to no member, as far as they can be told
 *     apart: builds from before the library, reports, people
 */
public record Diagnosis(List<Finding> findings, List<SessionGroup> strangers) {

  /** Sorts the findings, and copies the lists. */
  public Diagnosis {
    List<Finding> sorted = new ArrayList<>(findings);
    sorted.sort(Comparator.comparing(Finding::severity));
    findings = List.copyOf(sorted);
    strangers = List.copyOf(strangers);
  }

  /**
   * Whether nothing was found that will go wrong. There may be warnings, and things that can't be
   * looked at.
   *
   * @return whether there is no {@link Severity#PROBLEM}
   */
  public boolean healthy() {
    return of(Severity.PROBLEM).isEmpty();
  }

  /**
   * The findings of one severity.
   *
   * @param severity which
   * @return those, in the order they were looked at
   */
  public List<Finding> of(Severity severity) {
    return findings.stream().filter(each -> each.severity() == severity).toList();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Severity each : Severity.values()) {
      text.append(text.isEmpty() ? "" : ", ")
          .append(of(each).size())
          .append(' ')
          .append(each.name().toLowerCase(Locale.ROOT));
    }
    findings.forEach(each -> text.append('\n').append(each));
    return text.toString();
  }
}
