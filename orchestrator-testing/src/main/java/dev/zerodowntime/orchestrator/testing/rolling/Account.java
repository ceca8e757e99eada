package dev.zerodowntime.orchestrator.testing.rolling;

/**
 * What one row must hold, whatever phase the schema is in.
 *
 * @param id its key
 * @param country set once, never changed
 * @param note changed by code of every stage
 * @param subject the value that the migration is about; null if no code ever gave one
 */
public record Account(long id, String country, String note, String subject) {

  Account with(Field field, String value) {
    return switch (field) {
      case COUNTRY -> new Account(id, value, note, subject);
      case NOTE -> new Account(id, country, value, subject);
      case SUBJECT -> new Account(id, country, note, value);
    };
  }

  String get(Field field) {
    return switch (field) {
      case COUNTRY -> country;
      case NOTE -> note;
      case SUBJECT -> subject;
    };
  }

  /** What a column means to code, whatever it is called. */
  public enum Field {
    COUNTRY,
    NOTE,
    SUBJECT
  }
}
