package dev.zerodowntime.orchestrator.mysql;

/** What can be asked of a table, as far as servers differ in how they carry it out. */
enum Change {
  ADD_COLUMN("add a nullable column"),
  ADD_COLUMN_DEFAULT("add a column with a constant default"),
  ADD_COLUMN_NOT_NULL_DEFAULT("add a NOT NULL column with a constant default"),
  ADD_COLUMN_INVISIBLE("add an invisible column"),
  ADD_COLUMN_EXPRESSION_DEFAULT("add a column whose default is an expression"),
  ADD_COLUMN_CHECK("add a column with a CHECK"),
  ADD_COLUMN_AUTO_INCREMENT("add an AUTO_INCREMENT column"),
  ADD_COLUMN_UNDER_FULLTEXT("add a nullable column to a table with a FULLTEXT index"),
  ADD_COLUMN_COMPRESSED("add a nullable column to a compressed table"),
  ADD_COLUMN_VIRTUAL("add a virtual generated column"),
  ADD_COLUMN_STORED("add a stored generated column"),
  DROP_COLUMN("drop a column"),
  DROP_COLUMN_INDEXED("drop a column with an index of its own"),
  DROP_COLUMN_VIRTUAL("drop a virtual generated column"),
  DROP_COLUMN_STORED("drop a stored generated column"),
  RENAME_COLUMN("rename a column"),
  SET_DEFAULT("set a default"),
  DROP_DEFAULT("drop a default"),
  HIDE_COLUMN("make a column invisible"),
  SHOW_COLUMN("make a column visible"),
  SET_NOT_NULL("make a column NOT NULL"),
  DROP_NOT_NULL("make a column nullable"),
  RENAME_HIDE_COLUMN("rename a column and make it invisible"),
  SHOW_SET_NOT_NULL("make an invisible column visible and NOT NULL, and another one nullable"),
  VARCHAR_WIDEN("widen a VARCHAR within 255 bytes"),
  VARCHAR_WIDEN_LONG("widen a VARCHAR that has more than 255 bytes"),
  VARCHAR_WIDEN_ACROSS("widen a VARCHAR across 255 bytes"),
  VARCHAR_SHRINK("shrink a VARCHAR"),
  INT_TO_BIGINT("change INT to BIGINT"),
  ENUM_APPEND("append a value to an ENUM"),
  VARBINARY_WIDEN("widen a VARBINARY within 255 bytes"),
  SET_APPEND("append a value to a SET"),
  ENUM_INSERT("insert a value into an ENUM"),
  CONVERT_CHARACTER_SET("convert a table to another character set"),
  ADD_INDEX("add an index"),
  ADD_UNIQUE("add a unique index"),
  ADD_FULLTEXT("add a FULLTEXT index"),
  ADD_PRIMARY_KEY("add a primary key where there is none"),
  DROP_PRIMARY_KEY("drop the primary key"),
  REPLACE_PRIMARY_KEY("replace the primary key"),
  DROP_INDEX("drop an index"),
  RENAME_INDEX("rename an index"),
  HIDE_INDEX("make an index invisible (MariaDB: ignored)"),
  ADD_FOREIGN_KEY("add a foreign key"),
  ADD_FOREIGN_KEY_UNCHECKED("add a foreign key with foreign_key_checks = 0"),
  DROP_FOREIGN_KEY("drop a foreign key"),
  ADD_CHECK("add a CHECK"),
  ADD_COLUMN_OWN_CHECK("give a column a CHECK of its own"),
  DROP_COLUMN_OWN_CHECK("take a column's own CHECK away"),
  ADD_CHECK_NOT_ENFORCED("add a CHECK that is NOT ENFORCED"),
  ENFORCE_CHECK("enforce a CHECK that was NOT ENFORCED"),
  DROP_CHECK("drop a CHECK"),
  TABLE_COMMENT("change a table's comment"),
  REBUILD("rebuild a table"),
  REBUILD_UNDER_CASCADE("rebuild a table whose rows are deleted by a cascade");

  private final String description;

  Change(String description) {
    this.description = description;
  }

  /** For people, as the end of "how to". */
  String description() {
    return description;
  }
}
