package dev.zerodowntime.samples.rollingdeploy;

import java.net.http.HttpClient;
import java.time.Duration;

/** The JDK's client, told to repeat nothing. */
final class Http {

  static {
    // It would repeat a GET whose connection was closed, and so hide a failure. Its idle
    // connections must be gone before a server closes them.
    System.setProperty("jdk.httpclient.redirects.retrylimit", "1");
    System.setProperty("jdk.httpclient.disableRetryConnect", "true");
    System.setProperty("jdk.httpclient.keepalive.timeout", "5");
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private Http() {}

  static HttpClient client() {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .connectTimeout(Duration.ofSeconds(10))
        .build();
  }
}
