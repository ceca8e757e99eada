package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.RefusedException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Names and texts as SQL. Everything is quoted, always: then no name is special. */
final class Sql {

  /** Of tables, columns, indexes, constraints and triggers; in characters, not bytes. */
  static final int MAX_NAME = 64;

  private static final String TOMBSTONE = "zdo_old_";

  private Sql() {}

  /** An identifier, quoted, whatever sql_mode says of double quotes. */
  static String quote(String identifier) {
    return '`' + identifier.replace("`", "``") + '`';
  }

  /**
   * A text literal that means the same whatever sql_mode says of backslashes and the connection's
   * character set is.
   */
  static String literal(String text) {
    if (text.indexOf('\\') < 0) {
      return '\'' + text.replace("'", "''") + '\'';
    }
    return "_utf8mb4 x'" + HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8)) + '\'';
  }

  /** A name with its database, both quoted. */
  static String qualified(String schema, String name) {
    return quote(schema) + '.' + quote(name);
  }

  /**
   * Refuses a name that the server would refuse.
   *
   * @param migration the migration's id
   * @param what what the name is for, such as {@code column}
   * @param name the unquoted name
   * @return the name
   */
  static String requireFits(String migration, String what, String name) {
    int length = name.codePointCount(0, name.length());
    if (length > MAX_NAME || name.endsWith(" ")) {
      throw new RefusedException(
          ErrorCode.REFUSED,
          migration,
          length > MAX_NAME
              ? "the " + what + " name \"" + name + "\" has " + length + " characters"
              : "the " + what + " name \"" + name + "\" ends with a space",
          "MySQL and MariaDB take names of at most "
              + MAX_NAME
              + " characters that don't end with a space: choose one.");
    }
    return name;
  }

  /** The longest beginning of a name that has so many characters; never half a character. */
  static String cut(String name, int most) {
    return name.codePointCount(0, name.length()) <= most
        ? name
        : name.substring(0, name.offsetByCodePoints(0, most));
  }

  /**
   * A short stable hash, to name objects of our own after things whose names may be long.
   *
   * @param parts what is hashed; where one part ends matters
   * @return eight hexadecimal digits
   */
  static String hash8(String... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part : parts) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * The name under which something is quarantined: tells people what it was, and the library which
   * migration it belongs to.
   *
   * @param migration the migration's id
   * @param schema the target schema
   * @param name the name so far
   * @return an unquoted name that fits
   */
  static String tombstone(String migration, String schema, String name) {
    String prefix = TOMBSTONE + hash8(migration, schema) + "_";
    String kept = cut(name, MAX_NAME - prefix.length());
    return prefix + kept.stripTrailing();
  }
}
