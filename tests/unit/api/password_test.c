/* password_test.c - passwords are kept as hashes, and the right one alone is the right one. */
#include "api/password.h"

#include "tap.h"

int main(void)
{
    char hash[LST_PASSWORD_HASH_MAX + 1];
    char again[LST_PASSWORD_HASH_MAX + 1];
    char longest[511];
    size_t entered = 0;

    CHECK(lst_password_hash(LST_SLICE("open sesame"), hash) == LST_OK, "a password is hashed");
    CHECK(strncmp(hash, "$y$", 3) == 0, "by yescrypt");
    CHECK(strstr(hash, "sesame") == NULL, "it is not in its hash");
    CHECK(lst_password_hash(LST_SLICE("open sesame"), again) == LST_OK && strcmp(hash, again) != 0,
          "another time with other salt");
    CHECK(lst_password_check(LST_SLICE("open sesame"), lst_slice_of(hash)) == LST_OK,
          "it is right");
    CHECK(lst_password_check(LST_SLICE("open sesamf"), lst_slice_of(hash)) == LST_REFUSED_SIGNATURE,
          "another is wrong");
    CHECK(lst_password_check(LST_SLICE("open sesam"), lst_slice_of(hash)) == LST_REFUSED_SIGNATURE,
          "a part of it is wrong");
    CHECK(lst_password_check(LST_SLICE(""), lst_slice_of(hash)) == LST_ERR_INVALID_ARGUMENT,
          "nothing is no password");
    CHECK(lst_password_check(LST_SLICE("open sesame\0x"), lst_slice_of(hash)) ==
              LST_ERR_INVALID_ARGUMENT,
          "nor is what has a NUL in it");
    CHECK(lst_password_check(LST_SLICE("open sesame"), LST_SLICE("")) == LST_ERR_CORRUPT,
          "nothing is no hash");
    CHECK(lst_password_check(LST_SLICE("open sesame"), LST_SLICE("$y$nonsense")) != LST_OK,
          "nor is nonsense");
    memset(longest, 'x', sizeof(longest));
    CHECK(lst_password_hash(lst_slice_make(longest, sizeof(longest)), hash) == LST_OK &&
              lst_password_check(lst_slice_make(longest, sizeof(longest) - 1),
                                 lst_slice_of(hash)) == LST_REFUSED_SIGNATURE,
          "every byte of a long one counts");
    while (entered <= LST_PASSWORD_WAITING_MAX && lst_password_enter(LST_PASSWORD_WAITING_MAX)) {
        entered++;
    }
    CHECK(entered == LST_PASSWORD_WAITING_MAX, "so many may wait, and no more");
    lst_password_leave();
    CHECK(lst_password_enter(LST_PASSWORD_WAITING_MAX), "one that leaves makes room");
    return tap_done();
}
