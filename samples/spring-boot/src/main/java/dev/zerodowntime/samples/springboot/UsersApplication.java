package dev.zerodowntime.samples.springboot;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Keeps users, and renames a column of theirs while it serves. */
@SpringBootApplication
public class UsersApplication {

  /**
   * Starts it.
   *
   * @param args as Spring Boot takes them
   */
  public static void main(String[] args) {
    SpringApplication.run(UsersApplication.class, args);
  }
}
