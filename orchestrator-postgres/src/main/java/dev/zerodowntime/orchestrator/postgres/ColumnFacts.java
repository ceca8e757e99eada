package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Scan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything that belongs to a column, as {@link ColumnFactsCapture} found it. Texts are SQL, with
 * every name qualified, so that no search path matters.
 */
record ColumnFacts(Map<String, Object> map) {

  /** What would be wrong about a row is told by the key's order. */
  List<Scan.KeyColumn> keys() {
    List<Scan.KeyColumn> keys = new ArrayList<>();
    for (ColumnFacts each : list("keys")) {
      keys.add(new Scan.KeyColumn(each.text("name"), each.text("type")));
    }
    return keys;
  }

  String type() {
    return text("type");
  }

  /** The new column's, where it is another one. */
  String newType() {
    String type = optional(ColumnConversion.TYPE);
    return type == null ? type() : type;
  }

  /** A clause, or empty where the type's own collation is meant. */
  String collation() {
    String collation = optional("collation");
    return collation == null ? "" : " COLLATE " + collation;
  }

  boolean notNull() {
    return flag("notNull");
  }

  /** NOT NULL constraints have names from PostgreSQL 18 on. */
  @Nullable ColumnFacts notNullConstraint() {
    return optionalMap("notNullConstraint");
  }

  /** The default's expression, also a domain's; null also for identity columns. */
  @Nullable String defaultSql() {
    return optional(Defaults.EFFECTIVE);
  }

  /** Where the default comes from. */
  Defaults defaults() {
    return Defaults.of(map);
  }

  /** The new column's default, where that is another one. */
  Defaults newDefaults() {
    return flag(ColumnConversion.CONVERTS)
        ? new Defaults(
            optional(ColumnConversion.DEFAULT), false, optional(ColumnConversion.DEFAULT))
        : defaults();
  }

  /** A value that stands for "not given", as an SQL expression, where null may be meant. */
  @Nullable String sentinel() {
    return optional("sentinel");
  }

  /** {@code ALWAYS} or {@code BY DEFAULT}, with its sequence. */
  @Nullable ColumnFacts identity() {
    return optionalMap("identity");
  }

  /** Sequences that would be dropped together with the column. */
  List<String> ownedSequences() {
    return texts("ownedSequences");
  }

  /** Indexes that the column has a part in, in any way. */
  List<Index> indexes() {
    List<Index> indexes = new ArrayList<>();
    list("indexes").forEach(each -> indexes.add(new Index(each)));
    return indexes;
  }

  List<Index> uniqueIndexes() {
    return indexes().stream().filter(Index::unique).toList();
  }

  List<Constraint> checks() {
    return constraints("checks");
  }

  List<Constraint> foreignKeys() {
    return constraints("foreignKeys");
  }

  private List<Constraint> constraints(String name) {
    List<Constraint> constraints = new ArrayList<>();
    list(name).forEach(each -> constraints.add(new Constraint(each)));
    return constraints;
  }

  /** An index. A tail is what follows the table's name in CREATE INDEX. */
  record Index(ColumnFacts facts) {
    String name() {
      return facts.text("name");
    }

    boolean unique() {
      return facts.flag("unique");
    }

    boolean constraint() {
      return facts.flag("constraint");
    }

    String tail(boolean newName) {
      return facts.text(newName ? "newTail" : "oldTail");
    }

    @Nullable String comment() {
      return facts.optional("comment");
    }

    @Nullable String constraintComment() {
      return facts.optional("constraintComment");
    }
  }

  /** A check or a foreign key. */
  record Constraint(ColumnFacts facts) {
    String name() {
      return facts.text("name");
    }

    String definition(boolean newName) {
      return facts.text(newName ? "newDefinition" : "oldDefinition");
    }

    boolean valid() {
      return facts.flag("valid");
    }

    @Nullable String comment() {
      return facts.optional("comment");
    }

    /** The table a foreign key points to. */
    @Nullable String parent() {
      return facts.optional("parent");
    }
  }

  String text(String name) {
    String value = optional(name);
    if (value == null) {
      throw new IllegalArgumentException("fact " + name + " is missing");
    }
    return value;
  }

  @Nullable String optional(String name) {
    return (String) map.get(name);
  }

  boolean flag(String name) {
    return Boolean.TRUE.equals(map.get(name));
  }

  @Nullable Long number(String name) {
    return map.get(name) instanceof Number number ? number.longValue() : null;
  }

  List<String> texts(String name) {
    List<String> texts = new ArrayList<>();
    if (map.get(name) instanceof List<?> values) {
      values.forEach(each -> texts.add((String) each));
    }
    return texts;
  }

  List<ColumnFacts> list(String name) {
    List<ColumnFacts> list = new ArrayList<>();
    if (map.get(name) instanceof List<?> values) {
      for (Object each : values) {
        list.add(of(each));
      }
    }
    return list;
  }

  @Nullable ColumnFacts optionalMap(String name) {
    Object value = map.get(name);
    return value == null ? null : of(value);
  }

  @SuppressWarnings("unchecked")
  private static ColumnFacts of(Object map) {
    return new ColumnFacts((Map<String, Object>) map);
  }
}
