/* user_key.c - which names and keys a user can have, and keys made up. */
#include "gate/users.h"

#include "base/clock.h"
#include "base/random.h"

enum {
    ACCESS_KEY_ID_MIN = 3,
    ACCESS_KEY_ID_LENGTH = 20,
    SECRET_MIN = 8,
    SECRET_LENGTH = 40,
};

static bool is_letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* Letters, digits, and the others; never the NUL at the end of the others. */
static bool is_made_of(struct lst_slice text, struct lst_slice others)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_letter_or_digit(text.bytes[i]) &&
            lst_slice_find(others, text.bytes[i]) == others.length) {
            return false;
        }
    }
    return true;
}

bool lst_user_name_is_valid(struct lst_slice name)
{
    return name.length > 0 && name.length <= LST_USER_NAME_MAX &&
           is_made_of(name, LST_SLICE("+=,.@_-"));
}

bool lst_user_key_is_valid(const struct lst_user_key *key)
{
    size_t id_length = strnlen(key->access_key_id, sizeof(key->access_key_id));
    size_t secret_length = strnlen(key->secret, sizeof(key->secret));

    if (id_length < ACCESS_KEY_ID_MIN || id_length > LST_ACCESS_KEY_ID_MAX ||
        secret_length < SECRET_MIN || secret_length > LST_SECRET_MAX ||
        !is_made_of(lst_slice_make(key->access_key_id, id_length), LST_SLICE("_-."))) {
        return false;
    }
    for (size_t i = 0; i < secret_length; i++) {
        if (key->secret[i] <= ' ' || key->secret[i] > '~') {
            return false;
        }
    }
    return true;
}

void lst_user_key_generate(struct lst_user_key *ret_key)
{
    static const struct lst_slice prefix = {"LST", 3};

    *ret_key = (struct lst_user_key){.created_ms = lst_clock_now_ms(), .active = true};
    memcpy(ret_key->access_key_id, prefix.bytes, prefix.length);
    lst_random_text(LST_SLICE("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
                    ret_key->access_key_id + prefix.length, ACCESS_KEY_ID_LENGTH - prefix.length);
    lst_random_text(LST_SLICE("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
                    ret_key->secret, SECRET_LENGTH);
}

bool lst_user_key_is_generated(const struct lst_user_key *key)
{
    return strlen(key->access_key_id) == ACCESS_KEY_ID_LENGTH &&
           strncmp(key->access_key_id, "LST", 3) == 0;
}
