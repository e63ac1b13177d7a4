/* running_test.c - an operation that is one function, when its client goes away: at any point it
 * comes to its end, and leaves nothing. */
#include "base/fiber.h"
#include "fixture.h"

enum { BODY = 100000 };

static const char body[BODY];

/* The head, so many bytes of the body, perhaps its end, and then the client is gone. */
static void go_away(struct world *world, struct call *call, size_t bytes, bool ends)
{
    struct fixture_request *request = malloc(sizeof(*request));
    struct lst_s3_exchange *exchange;
    sem_t woken;

    sem_init(&woken, 0, 0);
    fixture_make(call, request);
    exchange = lst_s3_begin(world->s3, &request->http, fixture_wake, &woken);
    if (bytes > 0) {
        lst_s3_body(exchange, lst_slice_make(body, bytes / 2));
        lst_s3_body(exchange, lst_slice_make(body, bytes - bytes / 2));
    }
    if (ends) {
        lst_s3_end(exchange);
        if (lst_s3_state(exchange) == LST_S3_PENDING) {
            sem_wait(&woken);
        }
    }
    lst_s3_free(exchange); /* without a look at what came of it, as a server does that stops */
    sem_destroy(&woken);
    free(request);
}

static void test_going(struct world *world, size_t size)
{
    struct call put = {.method = "PUT",
                       .bucket = "pictures",
                       .key = "torn",
                       .body = {body, size},
                       .has_body = true};
    struct call get = {.method = "GET", .bucket = "pictures", .key = "torn"};
    struct reply reply;

    go_away(world, &put, 0, false);
    go_away(world, &put, 1, false);
    go_away(world, &put, size - 1, false);
    go_away(world, &put, size, false);
    reply = expect(world, &get, 404, "NoSuchKey", "of an upload that was torn nothing is left");
    reply_release(&reply);
    go_away(world, &put, size - 1, true);
    reply = expect(world, &get, 404, "NoSuchKey", "nor of one that is too short");
    reply_release(&reply);
    go_away(world, &put, size, true);
    reply = expect(world, &get, 200, "", "what was committed is there");
    CHECK(reply.body_length == size, "whole, though nobody was told");
    reply_release(&reply);
}

static void test_many(struct world *world)
{
    enum { MANY = 200 };
    static struct fixture_request requests[MANY];
    struct lst_s3_exchange *exchanges[MANY];
    struct call put = {.method = "PUT",
                       .bucket = "pictures",
                       .key = "many",
                       .body = {body, BODY},
                       .has_body = true};
    bool wanted = true;
    sem_t woken;

    sem_init(&woken, 0, 0);
    for (int i = 0; i < MANY; i++) {
        fixture_make(&put, &requests[i]);
        exchanges[i] = lst_s3_begin(world->s3, &requests[i].http, fixture_wake, &woken);
    }
    for (int i = 0; i < MANY; i++) {
        lst_s3_body(exchanges[i], lst_slice_make(body, BODY / 2));
        wanted = wanted && lst_s3_state(exchanges[i]) == LST_S3_BODY;
    }
    CHECK(wanted && lst_fiber_count() >= MANY, "many uploads come in at once");
    for (int i = 0; i < MANY; i++) {
        lst_s3_free(exchanges[i]);
    }
    CHECK(lst_fiber_count() <= LST_FIBERS_KEPT, "and give up their stacks when they are torn");
    sem_destroy(&woken);
}

int main(void)
{
    struct world world;
    struct call create = {.method = "PUT", .bucket = "pictures"};
    struct reply reply;

    world_open(&world, NULL, 0);
    reply = expect(&world, &create, 200, "", "a bucket is made");
    reply_release(&reply);
    test_going(&world, 100);
    test_many(&world);
    world_close(&world);
    world_open(&world, NULL, 0);
    reply = expect(&world, &create, 200, "", "another bucket");
    reply_release(&reply);
    test_going(&world, BODY);
    world_close(&world);
    return tap_done();
}
