/* password.c - passwords of links. */
#include "api/password.h"

#include <crypt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { TEXT_MAX = CRYPT_MAX_PASSPHRASE_SIZE };

static atomic_int under_way; /* let in */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_free = PTHREAD_COND_INITIALIZER;
static unsigned hashing; /* of those let in */

bool lst_password_enter(int most)
{
    if (atomic_fetch_add(&under_way, 1) < most) {
        return true;
    }
    lst_password_leave();
    return false;
}

void lst_password_leave(void)
{
    (void)atomic_fetch_sub(&under_way, 1);
}

static void begin_hashing(void)
{
    (void)pthread_mutex_lock(&lock);
    while (hashing == LST_PASSWORD_AT_ONCE_MAX) {
        (void)pthread_cond_wait(&is_free, &lock);
    }
    hashing++;
    (void)pthread_mutex_unlock(&lock);
}

static void end_hashing(void)
{
    (void)pthread_mutex_lock(&lock);
    hashing--;
    (void)pthread_cond_signal(&is_free);
    (void)pthread_mutex_unlock(&lock);
}

/* setting: of a new hash, or a hash, whose settings and salt are taken. */
static int hash(struct lst_slice password, const char *setting,
                char ret_hash[LST_PASSWORD_HASH_MAX + 1])
{
    struct crypt_data *data;
    char text[TEXT_MAX];
    const char *made;
    int status = LST_ERR_NO_MEMORY;

    if (password.length == 0 || password.length >= sizeof(text) ||
        memchr(password.bytes, '\0', password.length) != NULL) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    data = calloc(1, sizeof(*data));
    if (data == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    memcpy(text, password.bytes, password.length);
    text[password.length] = '\0';
    begin_hashing();
    made = crypt_rn(text, setting, data, (int)sizeof(*data));
    end_hashing();
    if (made != NULL && strlen(made) <= LST_PASSWORD_HASH_MAX) {
        memcpy(ret_hash, made, strlen(made) + 1);
        status = LST_OK;
    }
    lst_wipe(text, sizeof(text));
    lst_wipe(data, sizeof(*data));
    free(data);
    return status;
}

int lst_password_hash(struct lst_slice password, char ret_hash[LST_PASSWORD_HASH_MAX + 1])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];

    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, (int)sizeof(setting)) == NULL) {
        return LST_ERR_IO;
    }
    return hash(password, setting, ret_hash);
}

int lst_password_check(struct lst_slice password, struct lst_slice expected)
{
    char setting[LST_PASSWORD_HASH_MAX + 1];
    char made[LST_PASSWORD_HASH_MAX + 1];
    int status;

    if (expected.length == 0 || expected.length > LST_PASSWORD_HASH_MAX) {
        return LST_ERR_CORRUPT;
    }
    memcpy(setting, expected.bytes, expected.length);
    setting[expected.length] = '\0';
    status = hash(password, setting, made);
    if (status == LST_OK && !lst_equal_secret(lst_slice_of(made), expected)) {
        status = LST_REFUSED_SIGNATURE;
    }
    lst_wipe(made, sizeof(made));
    return status;
}
