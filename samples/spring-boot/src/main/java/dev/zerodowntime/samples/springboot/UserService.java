package dev.zerodowntime.samples.springboot;

import dev.zerodowntime.samples.springboot.UserController.UserView;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeanUtils;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.server.ResponseStatusException;

/** What any JPA application does. */
@Service
@Transactional
class UserService {

  private final EntityManager entities;
  private final Class<? extends User> entity;

  UserService(EntityManager entities, EntityManagerFactory factory) {
    this.entities = entities;
    // There is one.
    this.entity =
        factory.getMetamodel().getEntities().iterator().next().getJavaType().asSubclass(User.class);
  }

  User create(UserView view) {
    User user = BeanUtils.instantiateClass(entity);
    user.rename(given("name", view.name()));
    user.country = given("country", view.country());
    user.moveTo(view.region() == null ? user.country.toUpperCase(Locale.ROOT) : view.region());
    entities.persist(user);
    return user;
  }

  User rename(long id, UserView view) {
    User user = find(id);
    user.rename(given("name", view.name()));
    return user;
  }

  @Transactional(readOnly = true)
  User find(long id) {
    @Nullable User user = entities.find(entity, id);
    if (user == null) {
      throw new ResponseStatusException(HttpStatus.NOT_FOUND, "there is no user " + id);
    }
    return user;
  }

  private static String given(String what, @Nullable String value) {
    if (value == null || value.isBlank()) {
      throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "a user needs a " + what);
    }
    return value;
  }
}
