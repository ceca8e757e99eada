package dev.zerodowntime.samples.quickstart;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What all pods share.
 *
 * @param url the database, with what the driver must be told: {@code autosave=conservative} lets it
 *     prepare a statement anew, inside a transaction, when the columns of its result have changed
 * @param orchestrated whether the library drives the schema, or plain DDL does
 * @param shards the rows, by who writes them
 * @param expectations what the rows should hold
 * @param proof counts the queries
 */
record Shop(
    String url, boolean orchestrated, List<Shard> shards, Expectations expectations, Proof proof) {

  static Shop of(String url, boolean orchestrated, int pods, long rows) {
    int count = pods * Pod.WORKERS;
    return new Shop(
        Product.current().url(url),
        orchestrated,
        IntStream.range(0, count).mapToObj(each -> new Shard(each, count, rows)).toList(),
        new Expectations(rows),
        new Proof());
  }
}
