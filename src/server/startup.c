/* startup.c - first buckets, and the words on the screen. */
#include "server/startup.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXAMPLE_KEY     "hello.txt"
#define EXAMPLE_EXPIRES 3600 /* seconds */
#define EXAMPLE_MAX     4096 /* bytes of an example's URL */

/* ---- Buckets */

static int create_bucket(struct lst_store *store, const struct lst_bucket *bucket)
{
    struct lst_store_write write = {.done = NULL};
    int status = lst_store_bucket_create(store, bucket, &write);

    return status == LST_OK ? lst_store_wait(&write) : status;
}

static bool make_buckets(struct lst_server *server, const struct lst_user *root)
{
    const struct lst_config_list *names = &server->config->buckets;

    for (size_t i = 0; i < names->count; i++) {
        struct lst_bucket bucket = {.name = names->values[i],
                                    .created_ms = lst_clock_now_ms(),
                                    .region = lst_slice_of(server->config->region),
                                    .owner = lst_slice_of(root->canonical_id)};
        int status = create_bucket(server->store, &bucket);

        if (status != LST_OK && status != LST_ERR_BUCKET_EXISTS) {
            lst_server_complain("can't make the bucket '%s': %s", names->values[i].bytes,
                                lst_error_text(status));
            return false;
        }
    }
    return true;
}

bool lst_startup_buckets(struct lst_server *server)
{
    struct lst_user root;
    bool done;
    int status = lst_users_find(server->users, LST_SLICE(LST_ROOT_USER), &root);

    if (status != LST_OK) {
        lst_server_complain("can't read the user directory: %s", lst_error_text(status));
        return false;
    }
    done = make_buckets(server, &root);
    lst_user_release(&root);
    return done;
}

/* ---- The words on the screen */

static int copy_name(void *context, const struct lst_bucket *bucket)
{
    struct lst_buffer *name = context;

    lst_buffer_append(name, bucket->name);
    return 1; /* the first is enough */
}

/* What a client on this machine calls the server: "http://127.0.0.1:9000". */
static void endpoint_of(const struct lst_server *server, struct lst_buffer *out)
{
    if (server->public_host_count > 0) {
        lst_buffer_append_string(out, server->is_public_secure ? "https://" : "http://");
        lst_buffer_append(out, server->public_hosts[0]);
    } else {
        lst_buffer_append_string(out, server->own_url);
    }
}

static void print_link(struct lst_slice endpoint, struct lst_slice bucket, const char *method,
                       const char *command, const struct lst_server *server,
                       const struct lst_user_key *credentials)
{
    size_t scheme = lst_slice_find(endpoint, ':');
    struct lst_slice region = lst_slice_of(server->config->region);
    struct lst_signing signing = {.method = lst_slice_of(method),
                                  .scheme = lst_slice_first(endpoint, scheme),
                                  .host = lst_slice_after(endpoint, scheme + 3),
                                  .bucket = bucket,
                                  .key = LST_SLICE(EXAMPLE_KEY),
                                  .access_key_id = lst_slice_of(credentials->access_key_id),
                                  .time = lst_clock_now_ms() / 1000,
                                  .expires = EXAMPLE_EXPIRES};
    struct lst_key key;
    char url[EXAMPLE_MAX];
    size_t length;

    if (region.length == 0) {
        region = LST_SLICE("us-east-1");
    }
    if (lst_key_init(&key, lst_slice_of(credentials->secret), signing.time, region,
                     LST_SLICE("s3")) == LST_OK &&
        lst_presign(&signing, &key, url, sizeof(url), &length) == LST_OK) {
        printf("    %s '%.*s'\n", command, (int)length, url);
    }
    lst_wipe(&key, sizeof(key));
}

static const struct lst_user_key *active_key(const struct lst_user *user)
{
    for (size_t i = 0; i < user->key_count; i++) {
        if (user->keys[i].active) {
            return &user->keys[i];
        }
    }
    return NULL;
}

static void print_links(struct lst_server *server, struct lst_slice endpoint,
                        const struct lst_user_key *key)
{
    struct lst_buffer bucket;
    int status = LST_OK;

    lst_buffer_init(&bucket, 64);
    if (server->config->buckets.count > 0) {
        lst_buffer_append(&bucket, server->config->buckets.values[0]);
    } else {
        struct lst_slice none = {NULL, 0};

        status = lst_store_buckets(server->store, none, none, copy_name, &bucket);
    }
    if (bucket.length == 0 || (status != LST_OK && status != 1)) {
        printf("\n  There is no bucket yet. Start with LATCHSTRING_BUCKETS=photos, or make one:\n"
               "    aws s3 mb s3://photos --endpoint-url %.*s\n",
               (int)endpoint.length, endpoint.bytes);
    } else {
        printf("\n  Put a file there and get it back, for one hour, without any keys:\n");
        print_link(endpoint, lst_buffer_slice(&bucket), "PUT", "curl --upload-file FILE", server,
                   key);
        print_link(endpoint, lst_buffer_slice(&bucket), "GET", "curl", server, key);
    }
    lst_buffer_release(&bucket);
}

static void print_recovery(const struct lst_store_recovery *recovery)
{
    if (!recovery->was_unclean && recovery->blobs_removed == 0) {
        return;
    }
    printf("  Recovered   the last server did not stop cleanly; %llu unfinished upload%s removed\n",
           (unsigned long long)recovery->blobs_removed, recovery->blobs_removed == 1 ? "" : "s");
}

/* What is printed to anything but a terminal may be kept, and read by others: a log, a journal. */
static void print_root(const struct lst_server *server, const struct lst_user_key *key, bool is_new,
                       bool is_private)
{
    printf("  Access key  %s\n", key->access_key_id);
    if (is_new && !is_private) {
        printf("  Secret key  (made just now; kept in %s/root-credentials, and printed only to a "
               "terminal)\n",
               server->config->data);
    } else if (is_new) {
        printf("  Secret key  %s\n              (made just now and shown this once; kept in "
               "%s/root-credentials)\n",
               key->secret, server->config->data);
    }
}

void lst_startup_greet(struct lst_server *server, bool root_is_new)
{
    char *folder = realpath(server->config->data, NULL);
    bool is_private = isatty(STDOUT_FILENO) == 1;
    struct lst_buffer endpoint;
    const struct lst_user_key *key;
    struct lst_user root;

    lst_buffer_init(&endpoint, EXAMPLE_MAX);
    endpoint_of(server, &endpoint);
    printf("Latchstring %s\n\n  Endpoint    %.*s\n  Listening   %s\n  Data        %s\n",
           LST_VERSION, (int)endpoint.length, endpoint.bytes, server->address,
           folder != NULL ? folder : server->config->data);
    print_recovery(&server->recovery);
    if (lst_users_find(server->users, LST_SLICE(LST_ROOT_USER), &root) == LST_OK) {
        key = active_key(&root);
        if (key != NULL) {
            print_root(server, key, root_is_new, is_private);
            if (is_private) { /* a URL that is ready to be used is as good as a key */
                print_links(server, lst_buffer_slice(&endpoint), key);
            }
        }
        lst_user_release(&root);
    }
    printf("\n");
    (void)fflush(stdout);
    lst_buffer_release(&endpoint);
    free(folder);
}
