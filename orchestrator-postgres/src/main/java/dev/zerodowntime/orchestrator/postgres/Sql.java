package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Names and texts as SQL. Everything is quoted, always: then no name is special. */
final class Sql {

  /** PostgreSQL cuts longer names off without an error, so that two could become one. */
  static final int MAX_NAME_BYTES = 63;

  private static final String TOMBSTONE = "zdo_old_";

  private Sql() {}

  /** An identifier, quoted. */
  static String quote(String identifier) {
    return '"' + identifier.replace("\"", "\"\"") + '"';
  }

  /** A text literal that means the same whatever standard_conforming_strings says. */
  static String literal(String text) {
    String quoted = '\'' + text.replace("'", "''") + '\'';
    return text.indexOf('\\') < 0 ? quoted : " E" + quoted.replace("\\", "\\\\");
  }

  /** A name with its schema, both quoted. */
  static String qualified(String schema, String name) {
    return quote(schema) + '.' + quote(name);
  }

  /** The oid of a relation by name, or null where there is none, as SQL. */
  static String regclass(String schema, String name) {
    return regclass(qualified(schema, name));
  }

  /**
   * The oid of a relation by its quoted and qualified name, or null where there is none, as SQL.
   */
  static String regclass(String qualified) {
    return "pg_catalog.to_regclass(" + literal(qualified) + ")";
  }

  /**
   * Refuses a name that the server would cut off.
   *
   * @param migration the migration's id
   * @param what what the name is for, such as {@code column}
   * @param name the unquoted name
   * @return the name
   */
  static String requireFits(String migration, String what, String name) {
    int bytes = bytes(name);
    if (bytes > MAX_NAME_BYTES) {
      throw new RefusedException(
          ErrorCode.REFUSED,
          migration,
          "the " + what + " name \"" + name + "\" is " + bytes + " bytes long in UTF-8",
          "PostgreSQL cuts names off after "
              + MAX_NAME_BYTES
              + " bytes: choose a name of at most "
              + MAX_NAME_BYTES
              + " bytes.");
    }
    return name;
  }

  /** How long a name is for the server. */
  static int bytes(String name) {
    return name.getBytes(StandardCharsets.UTF_8).length;
  }

  /** The longest beginning of a name that fits into so many bytes; never half a character. */
  static String cut(String name, int maxBytes) {
    int end = 0;
    int bytes = 0;
    while (end < name.length()) {
      int point = name.codePointAt(end);
      bytes += bytes(Character.toString(point));
      if (bytes > maxBytes) {
        break;
      }
      end += Character.charCount(point);
    }
    return name.substring(0, end);
  }

  /**
   * A short stable hash, to name objects of our own after things whose names may be long.
   *
   * @param parts what is hashed; where one part ends matters
   * @return eight hexadecimal digits
   */
  static String hash8(String... parts) {
    return HexFormat.of().formatHex(sha256(parts), 0, 4);
  }

  /** The hash behind {@link #hash8}. */
  static byte[] sha256(String... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part : parts) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * The name under which a column is quarantined: tells people which column it was, and the library
   * which migration it belongs to.
   *
   * @param migration the migration's id
   * @param schema the target schema
   * @param column the column's name so far
   * @return an unquoted name that fits
   */
  static String tombstone(String migration, String schema, String column) {
    String prefix = TOMBSTONE + hash8(migration, schema) + "_";
    return prefix + cut(column, MAX_NAME_BYTES - prefix.length());
  }
}
