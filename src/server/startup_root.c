/* startup_root.c - the root user's keys. */
#include "server/startup.h"

#include "base/clock.h"
#include "base/file.h"
#include "server/settings_file.h"

#include <stdio.h>
#include <stdlib.h>

#define CREDENTIALS_FILE "root-credentials"
#define CREDENTIALS_MAX  4096 /* bytes of the file */

static bool copy_text(char *to, size_t capacity, const char *from)
{
    size_t length = strlen(from);

    if (length == 0 || length >= capacity) {
        return false;
    }
    memcpy(to, from, length + 1);
    return true;
}

static bool take_credential(void *user, const char *section, const char *name, const char *value)
{
    struct lst_user_key *key = user;

    (void)section;
    if (strcmp(name, "aws_access_key_id") == 0) {
        return copy_text(key->access_key_id, sizeof(key->access_key_id), value);
    }
    if (strcmp(name, "aws_secret_access_key") == 0) {
        return copy_text(key->secret, sizeof(key->secret), value);
    }
    return true;
}

static int read_credentials(const char *path, struct lst_user_key *ret_key)
{
    struct lst_user_key key = {.active = true, .created_ms = lst_clock_now_ms()};
    struct lst_buffer content;
    int status;
    int line;

    lst_buffer_init(&content, CREDENTIALS_MAX);
    status = lst_file_read(path, &content);
    if (status == LST_OK) {
        status = lst_settings_read(lst_buffer_slice(&content), NULL, take_credential, &key, &line);
    }
    if (status == LST_OK && !lst_user_key_is_valid(&key)) {
        status = LST_ERR_MALFORMED;
    }
    if (status == LST_OK) {
        *ret_key = key;
    }
    if (content.bytes != NULL) {
        explicit_bzero(content.bytes, content.length);
    }
    lst_buffer_release(&content);
    explicit_bzero(&key, sizeof(key));
    return status;
}

static int write_credentials(const char *path, const struct lst_user_key *key)
{
    struct lst_buffer content;
    int status;

    lst_buffer_init(&content, CREDENTIALS_MAX);
    lst_buffer_append_format(&content,
                             "# Made by latchstring at its first start. For the AWS tools: "
                             "AWS_SHARED_CREDENTIALS_FILE=%s\n[default]\naws_access_key_id = %s\n"
                             "aws_secret_access_key = %s\n",
                             path, key->access_key_id, key->secret);
    status = lst_buffer_status(&content);
    if (status == LST_OK) {
        status = lst_file_write(path, lst_buffer_slice(&content), 0600);
    }
    if (content.bytes != NULL) {
        explicit_bzero(content.bytes, content.length);
    }
    lst_buffer_release(&content);
    return status;
}

static int make_credentials(const char *path, struct lst_user_key *ret_key)
{
    lst_user_key_generate(ret_key);
    return write_credentials(path, ret_key);
}

static bool set_root(struct lst_server *server, const struct lst_user_key *key)
{
    int status = lst_users_set_root(server->users, key);

    if (status == LST_ERR_INVALID_ARGUMENT) {
        lst_server_complain("LATCHSTRING_ACCESS_KEY must have 3 to %d letters, digits and _ - . , "
                            "LATCHSTRING_SECRET_KEY 8 to %d characters without spaces",
                            LST_ACCESS_KEY_ID_MAX, LST_SECRET_MAX);
    } else if (status == LST_ERR_KEY_ID_EXISTS) {
        lst_server_complain("another user has the access key id of LATCHSTRING_ACCESS_KEY: "
                            "`latchstring user list` shows whose it is");
    } else if (status != LST_OK) {
        lst_server_complain("can't set the root user's key: %s", lst_error_text(status));
    }
    return status == LST_OK;
}

static bool is_same_key(const struct lst_user_key *one, const struct lst_user_key *other)
{
    return strcmp(one->access_key_id, other->access_key_id) == 0 &&
           lst_equal_secret(lst_slice_of(one->secret), lst_slice_of(other->secret));
}

/*
 * Whether the root user's key stays as it is. A key from the configuration does, when the
 * configuration no longer names one: the file has never known it. A key that the server made itself
 * is the file's: it goes when the file is removed, and follows the file when that has another one
 * (the process died between the two writes of a change, or somebody has changed the secret there).
 * A key that can't be read is not replaced: codes of lst_users_find(). LST_ERR_INVALID_ARGUMENT:
 * the file has got an id that the server has not made; once taken, that would outlive the file.
 */
static int keeps_key(struct lst_server *server, int file_status, const struct lst_user_key *in_file,
                     bool *ret_keeps)
{
    struct lst_user root;
    bool keeps = false;
    int status = lst_users_find(server->users, LST_SLICE(LST_ROOT_USER), &root);

    *ret_keeps = false;
    if (status != LST_OK) {
        return status == LST_ERR_USER_NOT_FOUND ? LST_OK : status;
    }
    if (root.key_count > 0 && !lst_user_key_is_generated(&root.keys[0])) {
        keeps = true;
    } else if (root.key_count > 0 && file_status == LST_OK) {
        keeps = is_same_key(&root.keys[0], in_file);
        status = lst_user_key_is_generated(in_file) ? LST_OK : LST_ERR_INVALID_ARGUMENT;
    }
    lst_user_release(&root);
    *ret_keeps = keeps;
    return status;
}

/* The configuration's key. */
static bool set_configured(struct lst_server *server)
{
    struct lst_user_key key = {.active = true, .created_ms = lst_clock_now_ms()};
    bool done;

    if (!copy_text(key.access_key_id, sizeof(key.access_key_id), server->config->access_key) ||
        !copy_text(key.secret, sizeof(key.secret), server->config->secret_key)) {
        key.access_key_id[0] = '\0'; /* too long: refused, with the limits, by set_root() */
    }
    done = set_root(server, &key);
    explicit_bzero(&key, sizeof(key));
    return done;
}

/* The key that the server makes, and keeps in a file, if the configuration has none. */
static bool set_own(struct lst_server *server, const char *path, bool *ret_is_new)
{
    struct lst_user_key key;
    int status = read_credentials(path, &key);
    bool done = false;
    int found = keeps_key(server, status, &key, &done);

    if (found == LST_ERR_INVALID_ARGUMENT) {
        lst_server_complain("%s: the access key id is not the one that the server made. For a key "
                            "of your own set LATCHSTRING_ACCESS_KEY and LATCHSTRING_SECRET_KEY; "
                            "to have a new one made, remove the file",
                            path);
        explicit_bzero(&key, sizeof(key));
        return false;
    }
    if (found != LST_OK) {
        lst_server_complain("can't read the root user's key: %s", lst_error_text(found));
        explicit_bzero(&key, sizeof(key));
        return false;
    }
    if (done) {
        status = LST_OK; /* whatever the file says */
    } else if (status == LST_OK) {
        done = set_root(server, &key);
    } else if (status == LST_ERR_NOT_FOUND) {
        status = make_credentials(path, &key);
        done = status == LST_OK && set_root(server, &key);
        *ret_is_new = done;
    }
    if (status != LST_OK && !done) {
        lst_server_complain("%s: %s. Put it right, or remove it to have new keys made", path,
                            lst_error_text(status));
    }
    explicit_bzero(&key, sizeof(key));
    return done;
}

bool lst_startup_root(struct lst_server *server, bool *ret_is_new)
{
    char *path = NULL;
    bool done;

    *ret_is_new = false;
    if (server->config->access_key[0] != '\0') {
        return set_configured(server);
    }
    if (asprintf(&path, "%s/" CREDENTIALS_FILE, server->config->data) < 0) {
        lst_server_complain("%s", lst_error_text(LST_ERR_NO_MEMORY));
        return false;
    }
    done = set_own(server, path, ret_is_new);
    free(path);
    return done;
}
