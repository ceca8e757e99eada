package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.testing.rolling.Account;
import dev.zerodowntime.orchestrator.testing.rolling.Code;
import dev.zerodowntime.orchestrator.testing.rolling.Code.Form;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario;
import dev.zerodowntime.orchestrator.testing.rolling.Scenario.Harm;
import java.util.ArrayList;
import java.util.List;

/** Roll-outs of what a column is given: defaults, generated values, values of an enumeration. */
final class ColumnScenarios {

  private static final List<String> NAME = List.of("name");
  private static final Form KIND = Scenarios.cast("kind");

  private ColumnScenarios() {}

  /** Old code copes with rows that have the new value, and does not choose it. */
  static Scenario<AddEnumValue.Code> addEnumValue() {
    return new Scenario<>(
            "AddEnumValue",
            AddEnumValue.of("rolling/enum")
                .table("accounts")
                .type("kind")
                .value("medium")
                .beforeValue("long")
                .build(),
            kinds("kind kind NOT NULL"),
            "kind::text",
            List.of(List.of(), List.of(AddEnumValue.Code.NEEDS)),
            stage ->
                stage == AddEnumValue.Code.NEEDS
                    ? kind(stage, KIND, "short", "medium", "long")
                    : kind(stage, KIND, "short", "long"),
            Account::subject,
            phase -> List.of("kind::text"),
            0)
        .harming(Harm.OF_NEW_CODE)
        .consenting();
  }

  /** The release in between leaves the column alone when it writes, and takes either name. */
  static Scenario<RenameEnumValue.Code> renameEnumValue() {
    Form either =
        new Form("?::kind", value -> value, found -> found.equals("lengthy") ? "long" : found);
    Form lengthy =
        new Form(
            "?::kind",
            value -> value.equals("long") ? "lengthy" : value,
            found -> found.equals("lengthy") ? "long" : found);
    return new Scenario<>(
        "RenameEnumValue",
        RenameEnumValue.of("rolling/rename-enum")
            .table("accounts")
            .type("kind")
            .from("long")
            .to("lengthy")
            .build(),
        kinds("kind kind NOT NULL DEFAULT 'short'"),
        "kind::text",
        List.of(
            List.of(),
            List.of(RenameEnumValue.Code.NAMES_NEITHER),
            List.of(RenameEnumValue.Code.NEW)),
        stage ->
            switch (stage) {
              case OLD -> kind(stage, KIND, "short", "long");
              case NAMES_NEITHER -> Code.of(stage).as(either).reads("kind").neverLooksUp();
              case NEW -> kind(stage, lengthy, "short", "long");
            },
        account -> "short",
        phase -> List.of("replace(kind::text, 'lengthy', 'long')"),
        0);
  }

  private static List<String> kinds(String column) {
    List<String> statements = new ArrayList<>();
    statements.add("CREATE TYPE kind AS ENUM ('short', 'long')");
    statements.addAll(
        Scenarios.ACCOUNTS.table(column, "CASE WHEN i % 3 = 0 THEN 'short' ELSE 'long' END::kind"));
    return statements;
  }

  private static Code kind(Enum<?> stage, Form form, String... values) {
    return Code.of(stage)
        .as(form)
        .reads("kind")
        .writes("kind")
        .values((slice, number) -> values[(int) (number % values.length)]);
  }
}
