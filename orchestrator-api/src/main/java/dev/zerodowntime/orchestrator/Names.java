package dev.zerodowntime.orchestrator;

import java.util.regex.Pattern;

/** Checks of names that need no database. */
final class Names {

  private static final Pattern ID =
      Pattern.compile("[\\w.\\-]+(/[\\w.\\-]+)+", Pattern.UNICODE_CHARACTER_CLASS);

  private Names() {}

  static String requireId(String id) {
    if (!ID.matcher(id).matches() || id.length() > 200) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "\"" + id + "\" is not a migration id",
          "An id has an owner and a name, such as billing/2026-11-users-full-name:"
              + " letters, digits, '.', '_' and '-', at most 200 characters.");
    }
    return id;
  }

  static String require(String migration, String what, String value) {
    if (value == null || value.isBlank()) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Migration " + migration + " has no " + what,
          "Give the builder a " + what + " that is not empty.");
    }
    if (value.indexOf('\0') >= 0) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "Migration " + migration + ": its " + what + " contains a NUL character",
          "Remove it.");
    }
    return value;
  }
}
