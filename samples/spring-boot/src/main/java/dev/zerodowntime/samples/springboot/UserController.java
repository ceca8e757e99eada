package dev.zerodowntime.samples.springboot;

import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.ModelAttribute;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** The API: the same in all releases, but that the first two say nothing of regions. */
@RestController
@RequestMapping("/users")
class UserController {

  /** A user as the API shows it. */
  record UserView(
      @Nullable Long id, @Nullable String name, @Nullable String country, @Nullable String region) {

    static UserView of(User user) {
      return new UserView(user.id, user.name(), user.country, user.region());
    }
  }

  private final UserService users;
  private final String release;

  UserController(UserService users, @Value("${app.release}") String release) {
    this.users = users;
    this.release = release;
  }

  /** So that a client sees who answers. */
  @ModelAttribute
  void nameRelease(HttpServletResponse response) {
    response.setHeader("Release", release);
  }

  @PostMapping
  @ResponseStatus(HttpStatus.CREATED)
  UserView create(@RequestBody UserView user) {
    return UserView.of(users.create(user));
  }

  @PutMapping("/{id}")
  UserView rename(@PathVariable("id") long id, @RequestBody UserView user) {
    return UserView.of(users.rename(id, user));
  }

  @GetMapping("/{id}")
  UserView find(@PathVariable("id") long id) {
    return UserView.of(users.find(id));
  }
}
