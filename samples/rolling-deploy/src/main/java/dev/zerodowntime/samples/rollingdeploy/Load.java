package dev.zerodowntime.samples.rollingdeploy;

import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.List;

/** The clients, all at once. */
final class Load {

  private static final int CLIENTS = 4;

  private final List<Client> clients = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private Load() {}

  static Load start(HttpClient http, Proxy proxy, Proof proof) {
    Load load = new Load();
    for (int i = 0; i < CLIENTS; i++) {
      Client client = new Client(i, http, proxy, proof);
      Thread thread = new Thread(client, "client " + i);
      thread.setDaemon(true);
      thread.start();
      load.clients.add(client);
      load.threads.add(thread);
    }
    return load;
  }

  /** Ends it, and returns what the clients have written. */
  List<User> stop() throws InterruptedException {
    clients.forEach(Client::stop);
    for (Thread thread : threads) {
      thread.join();
    }
    return clients.stream().flatMap(each -> each.users().stream()).toList();
  }
}
