package dev.zerodowntime.samples.quarkus;

import io.quarkus.hibernate.orm.PersistenceUnit.PersistenceUnitLiteral;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.persistence.EntityManager;
import jakarta.transaction.Transactional;
import jakarta.ws.rs.BadRequestException;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.core.MediaType;
import java.util.Locale;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.resteasy.reactive.ResponseStatus;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;
import org.jspecify.annotations.Nullable;

/** The API: the same in all releases, but that the first two say nothing of regions. */
@Path("/users")
@Produces(MediaType.APPLICATION_JSON)
@Consumes(MediaType.APPLICATION_JSON)
public class UserResource {

  /**
   * A user as the API shows it.
   *
   * @param id its key
   * @param name its name, whatever the column is called
   * @param country where it is
   * @param region null in releases that don't know it
   */
  public record UserView(
      @Nullable Long id, @Nullable String name, @Nullable String country, @Nullable String region) {

    static UserView of(User user) {
      return new UserView(user.id, user.name(), user.country, user.region());
    }
  }

  private final Mapping mapping = Schema.current().mapping();
  private final EntityManager entities;
  private final String release;

  UserResource(
      @Any Instance<EntityManager> units, @ConfigProperty(name = "app.release") String release) {
    this.entities = units.select(new PersistenceUnitLiteral(mapping.unit())).get();
    this.release = release;
  }

  /**
   * So that a client sees who answers.
   *
   * @param response any response of this resource
   */
  @ServerResponseFilter
  public void nameRelease(ContainerResponseContext response) {
    response.getHeaders().putSingle("Release", release);
  }

  /**
   * Creates a user.
   *
   * @param view the user
   * @return the user, with its key
   */
  @POST
  @ResponseStatus(201)
  @Transactional
  public UserView create(UserView view) {
    User user = mapping.newUser();
    String country = given("country", view.country());
    user.rename(given("name", view.name()));
    user.country = country;
    user.moveTo(view.region() == null ? country.toUpperCase(Locale.ROOT) : view.region());
    entities.persist(user);
    return UserView.of(user);
  }

  /**
   * Renames a user.
   *
   * @param id its key
   * @param view its new name
   * @return the user
   */
  @PUT
  @Path("/{id}")
  @Transactional
  public UserView rename(long id, UserView view) {
    User user = load(id);
    user.rename(given("name", view.name()));
    return UserView.of(user);
  }

  /**
   * Finds a user.
   *
   * @param id its key
   * @return the user
   */
  @GET
  @Path("/{id}")
  @Transactional
  public UserView find(long id) {
    return UserView.of(load(id));
  }

  private User load(long id) {
    @Nullable User user = entities.find(mapping.entity(), id);
    if (user == null) {
      throw new NotFoundException("there is no user " + id);
    }
    return user;
  }

  private static String given(String what, @Nullable String value) {
    if (value == null || value.isBlank()) {
      throw new BadRequestException("a user needs a " + what);
    }
    return value;
  }
}
