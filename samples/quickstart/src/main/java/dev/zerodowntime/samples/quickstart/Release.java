package dev.zerodowntime.samples.quickstart;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.ReleaseManifest;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The releases of the shop, and what the code of each does with what the migrations change.
 *
 * <p>Two habits are all there is to it. A migration is declared one release before code needs it,
 * so that the schema is ready when that code arrives. And from release to release a stage moves on
 * by no more than the two can share: while pods are replaced one by one, both run side by side.
 *
 * <p>A release that doesn't declare a migration is at its oldest stage: it was built before anybody
 * thought of it.
 */
enum Release {
  V0("before the library", null, null, null, null),
  V1("brings the library, announces public_id", AddColumn.Code.UNAWARE, null, null, null),
  V2(
      "relies on public_id, announces that name becomes full_name",
      AddColumn.Code.READS,
      RenameColumn.Code.USES_OLD_NAME,
      null,
      null),
  V3(
      "uses full_name, no longer reads fax",
      AddColumn.Code.READS,
      RenameColumn.Code.USES_NEW_NAME,
      DropColumn.Code.NOT_READING,
      null),
  V4(
      "has forgotten fax, announces an index on public_id",
      AddColumn.Code.READS,
      RenameColumn.Code.USES_NEW_NAME,
      DropColumn.Code.UNUSED,
      CreateIndex.Code.UNAWARE),
  V5(
      "looks customers up by public_id, which needs the index",
      AddColumn.Code.READS,
      RenameColumn.Code.USES_NEW_NAME,
      DropColumn.Code.UNUSED,
      CreateIndex.Code.NEEDS);

  private final String news;
  private final AddColumn.@Nullable Code publicId;
  private final RenameColumn.@Nullable Code fullName;
  private final DropColumn.@Nullable Code fax;
  private final CreateIndex.@Nullable Code byPublicId;

  Release(
      String news,
      AddColumn.@Nullable Code publicId,
      RenameColumn.@Nullable Code fullName,
      DropColumn.@Nullable Code fax,
      CreateIndex.@Nullable Code byPublicId) {
    this.news = news;
    this.publicId = publicId;
    this.fullName = fullName;
    this.fax = fax;
    this.byPublicId = byPublicId;
  }

  /** What changed in it. */
  String news() {
    return news;
  }

  /** The number on the pods. */
  int number() {
    return ordinal();
  }

  boolean hasLibrary() {
    return this != V0;
  }

  /** What its builds tell the library. In a real application these are the lines that change. */
  OrchestratorBuilder builder(DataSource pool) {
    OrchestratorBuilder builder =
        Orchestrator.builder(pool)
            .application(Migrations.APPLICATION)
            .release(Integer.toString(number()))
            .timing(Migrations::hurried)
            // Asked right before anything is dropped for good. A real one looks for a recent
            // backup.
            .backupGate((migration, drops) -> true);
    declare(builder, Migrations.PUBLIC_ID, publicId);
    declare(builder, Migrations.FULL_NAME, fullName);
    declare(builder, Migrations.FAX, fax);
    declare(builder, Migrations.BY_PUBLIC_ID, byPublicId);
    return builder;
  }

  private static <C extends Enum<C> & CodeStage> void declare(
      OrchestratorBuilder builder, Migration<C> migration, @Nullable C stage) {
    if (stage != null) {
      builder.thisBuild(migration, stage);
    }
  }

  /** What its code does, whether or not a library is there to know of it. */
  Code code() {
    return new Code(
        publicId == null ? AddColumn.Code.UNAWARE : publicId,
        fullName == null ? RenameColumn.Code.USES_OLD_NAME : fullName,
        fax == null ? DropColumn.Code.USES : fax,
        byPublicId == null ? CreateIndex.Code.UNAWARE : byPublicId);
  }

  /** The code of a pod that was admitted: at the stages the library has chosen for it. */
  Code code(Orchestrator orchestrator) {
    Code mine = code();
    return new Code(
        publicId == null ? mine.publicId() : orchestrator.stage(Migrations.PUBLIC_ID),
        fullName == null ? mine.fullName() : orchestrator.stage(Migrations.FULL_NAME),
        fax == null ? mine.fax() : orchestrator.stage(Migrations.FAX),
        byPublicId == null ? mine.byPublicId() : orchestrator.stage(Migrations.BY_PUBLIC_ID));
  }

  /** What its build says of itself. Touches no database. */
  ReleaseManifest manifest(DataSource pool) {
    return builder(pool).build().manifest();
  }
}
