package dev.zerodowntime.samples.quarkus;

import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;

/**
 * What changes from release to release: what its code does with the changed columns, and so what
 * its builds declare. In a real application these are successive commits. Release 1 knows nothing
 * of the library: see {@link Schema}.
 */
enum Release {
  /** Brings the library, and announces region, which its code doesn't know yet. */
  R2 {
    @Override
    OrchestratorBuilder declare(OrchestratorBuilder builder) {
      return builder.thisBuild(Migrations.REGION, AddColumn.Code.UNAWARE);
    }

    @Override
    Mapping mapping(Orchestrator orchestrator) {
      return Mapping.WITHOUT_REGION;
    }
  },

  /** Relies on region. Can use the old name as well as the new one, and is told which. */
  R3 {
    @Override
    OrchestratorBuilder declare(OrchestratorBuilder builder) {
      return builder
          .thisBuild(Migrations.REGION, AddColumn.Code.READS)
          .thisBuild(
              Migrations.FULL_NAME,
              RenameColumn.Code.USES_OLD_NAME,
              RenameColumn.Code.USES_NEW_NAME);
    }

    @Override
    Mapping mapping(Orchestrator orchestrator) {
      return orchestrator.stage(Migrations.FULL_NAME) == RenameColumn.Code.USES_NEW_NAME
          ? Mapping.BY_FULL_NAME
          : Mapping.BY_NAME;
    }
  },

  /** Has forgotten the old name. */
  R4 {
    @Override
    OrchestratorBuilder declare(OrchestratorBuilder builder) {
      return builder
          .thisBuild(Migrations.REGION, AddColumn.Code.READS)
          .thisBuild(Migrations.FULL_NAME, RenameColumn.Code.USES_NEW_NAME);
    }
  },

  /** Is written when both are finished: the declarations are deleted, only their ids are named. */
  R5 {
    @Override
    OrchestratorBuilder declare(OrchestratorBuilder builder) {
      return builder.finished("users/2026-11-region", "users/2026-11-full-name");
    }
  };

  /** What its builds say of themselves. */
  abstract OrchestratorBuilder declare(OrchestratorBuilder builder);

  /** The mapping that suits the schema, as the library has said. */
  Mapping mapping(Orchestrator orchestrator) {
    return Mapping.BY_FULL_NAME;
  }

  static Release numbered(int number) {
    try {
      return valueOf("R" + number);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "app.release is " + number + "; there are releases 1 to 5", e);
    }
  }
}
