/* tokens_test.c - tokens: made, found, held against what somebody sends, revoked. */
#include "gate/tokens.h"

#include "tap.h"

#include <stdlib.h>

#define TEXT(text) lst_slice_make(text, LST_TOKEN_TEXT_LENGTH)

static char folder[] = "/tmp/tokens-XXXXXX";

static void add_user(struct lst_users *users, const char *name)
{
    struct lst_user user = {.key_count = 1};

    (void)snprintf(user.name, sizeof(user.name), "%s", name);
    lst_user_key_generate(&user.keys[0]);
    CHECK(lst_users_add(users, &user) == LST_OK, "the user %s is added", name);
    lst_user_release(&user);
}

static int create(struct lst_users *users, const char *name, const char *user, const char *role,
                  struct lst_token *ret_token, char ret_text[LST_TOKEN_TEXT_LENGTH])
{
    memset(ret_token, 0, sizeof(*ret_token));
    (void)snprintf(ret_token->name, sizeof(ret_token->name), "%s", name);
    (void)snprintf(ret_token->user, sizeof(ret_token->user), "%s", user);
    (void)snprintf(ret_token->profiles, sizeof(ret_token->profiles), "avatars,files");
    ret_token->may = lst_token_role(lst_slice_of(role));
    ret_token->created = 1000;
    ret_token->expires = 2000;
    return lst_tokens_create(users, ret_token, ret_text);
}

static void test_roles(void)
{
    static const struct {
        const char *name;
        unsigned may;
    } roles[] = {{"upload", 1}, {"link", 2}, {"backend", 7}, {"admin", 15}};

    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        CHECK(lst_token_role(lst_slice_of(roles[i].name)) == roles[i].may, "the role %s",
              roles[i].name);
        CHECK(strcmp(lst_token_role_name(roles[i].may), roles[i].name) == 0, "and back");
    }
    CHECK(lst_token_role(LST_SLICE("root")) == 0, "no role of that name");
    CHECK(strcmp(lst_token_role_name(8), "-") == 0, "no name for those rights");
}

static void test_create(struct lst_users *users)
{
    struct lst_token token;
    struct lst_token found;
    struct lst_slice id = {0};
    char text[LST_TOKEN_TEXT_LENGTH];
    char other[LST_TOKEN_TEXT_LENGTH];

    CHECK(create(users, "app", "alice", "backend", &token, text) == LST_OK, "a token is made");
    CHECK(strncmp(text, "lst_", 4) == 0 && lst_token_id(TEXT(text), &id) &&
              lst_slice_equal(id, lst_slice_of(token.id)),
          "its text has its id");
    CHECK(lst_tokens_find(users, LST_SLICE("app"), &found) == LST_OK &&
              strcmp(found.id, token.id) == 0 && strcmp(found.user, "alice") == 0 &&
              strcmp(found.profiles, "avatars,files") == 0 && found.may == 7 &&
              found.created == 1000 && found.expires == 2000 && found.revoked == 0,
          "it is found by its name, as it was made");
    CHECK(lst_tokens_find(users, id, &found) == LST_OK, "and by its id");
    CHECK(lst_token_fits(&found, TEXT(text)), "its text fits");
    CHECK(create(users, "other", "alice", "upload", &token, other) == LST_OK &&
              !lst_token_fits(&found, TEXT(other)),
          "another's does not");
    for (size_t i = 4 + LST_TOKEN_ID_LENGTH + 1; i < LST_TOKEN_TEXT_LENGTH; i++) {
        char wrong[LST_TOKEN_TEXT_LENGTH];

        memcpy(wrong, text, sizeof(wrong));
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        if (lst_token_id(TEXT(wrong), &id) && lst_token_fits(&found, TEXT(wrong))) {
            CHECK(false, "with another byte %zu it fits", i);
        }
    }
    CHECK(true, "nor does its text with any byte changed");
}

static void test_refused(struct lst_users *users)
{
    struct lst_token token;
    char text[LST_TOKEN_TEXT_LENGTH];

    CHECK(create(users, "app", "alice", "link", &token, text) == LST_ERR_EXISTS,
          "a name is used once");
    CHECK(create(users, "nobody", "nobody", "link", &token, text) == LST_ERR_USER_NOT_FOUND,
          "a token needs a user");
    CHECK(create(users, "a b", "alice", "link", &token, text) == LST_ERR_INVALID_ARGUMENT,
          "a name has no blanks");
    CHECK(create(users, "idle", "alice", "none", &token, text) == LST_ERR_INVALID_ARGUMENT,
          "a token is for something");
}

static void test_hostile_texts(void)
{
    static const char *const texts[] = {
        "",     "lst_", "lst_aaaaaaaaaaaaaaaa", "lst_aaaaaaaaaaaaaaaa_", "lsc_aaaaaaaaaaaaaaaa_b",
        "LST_", "lst__"};
    char text[LST_TOKEN_TEXT_LENGTH + 1];
    struct lst_slice id;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK(!lst_token_id(lst_slice_of(texts[i]), &id), "no token: '%s'", texts[i]);
    }
    memset(text, 'a', sizeof(text));
    memcpy(text, "lst_", 4);
    text[4 + LST_TOKEN_ID_LENGTH] = '_';
    CHECK(lst_token_id(TEXT(text), &id), "the form of a token");
    CHECK(!lst_token_id(lst_slice_make(text, sizeof(text)), &id), "a byte too long");
    CHECK(!lst_token_id(lst_slice_make(text, sizeof(text) - 2), &id), "a byte too short");
}

static int count(void *context, const struct lst_token *token)
{
    int *numbers = context;

    numbers[token->revoked == 0 ? 0 : 1]++;
    return LST_OK;
}

static void test_revoke(struct lst_users *users)
{
    struct lst_token token;
    struct lst_token again;
    char text[LST_TOKEN_TEXT_LENGTH];
    int numbers[2] = {0, 0};

    CHECK(lst_tokens_find(users, LST_SLICE("app"), &token) == LST_OK, "a token that is there");
    CHECK(lst_tokens_revoke(users, LST_SLICE("app"), 1500) == LST_OK, "is revoked by its name");
    CHECK(lst_tokens_revoke(users, LST_SLICE("app"), 1600) == LST_ERR_NOT_FOUND,
          "which names nothing any more");
    CHECK(lst_tokens_revoke(users, lst_slice_of(token.id), 1700) == LST_OK &&
              lst_tokens_find(users, lst_slice_of(token.id), &again) == LST_OK &&
              again.revoked == 1500,
          "again, by its id: it keeps its time");
    CHECK(create(users, "app", "alice", "link", &token, text) == LST_OK, "its name is free again");
    CHECK(lst_tokens_list(users, count, numbers) == LST_OK && numbers[0] == 2 && numbers[1] == 1,
          "the list has all, the revoked one too");
    CHECK(lst_tokens_revoke(users, LST_SLICE("nothing"), 1) == LST_ERR_NOT_FOUND,
          "none of that name");
}

/* As many as are found at once, and some more; another user's stay. */
static void test_revoke_of_a_user(struct lst_users *users)
{
    struct lst_token token;
    char text[LST_TOKEN_TEXT_LENGTH];
    char name[16];
    int before[2] = {0, 0};
    int after[2] = {0, 0};
    struct lst_user user = {.name = "carol"};

    CHECK(lst_users_add(users, &user) == LST_OK, "a user");
    CHECK(lst_tokens_list(users, count, before) == LST_OK, "the tokens of others");
    for (int i = 0; i < 70; i++) {
        (void)snprintf(name, sizeof(name), "carol-%d", i);
        CHECK(create(users, name, "carol", "link", &token, text) == LST_OK, "%s", name);
    }
    CHECK(lst_users_add(users, &user) == LST_ERR_USER_EXISTS &&
              lst_tokens_find(users, LST_SLICE("carol-0"), &token) == LST_OK,
          "adding a user who is there revokes nothing");
    CHECK(lst_users_remove(users, LST_SLICE("carol")) == LST_OK, "is removed");
    CHECK(lst_tokens_list(users, count, after) == LST_OK && after[0] == before[0] &&
              after[1] == before[1] + 70,
          "his tokens are revoked, nobody else's");
    CHECK(create(users, "carol-0", "carol", "link", &token, text) == LST_ERR_USER_NOT_FOUND,
          "and he gets no new one");
}

int main(void)
{
    struct lst_users *users = NULL;

    if (mkdtemp(folder) == NULL || lst_users_open(folder, false, &users) != LST_OK) {
        CHECK(false, "the users can be opened");
        return tap_done();
    }
    add_user(users, "alice");
    test_roles();
    test_create(users);
    test_refused(users);
    test_hostile_texts();
    test_revoke(users);
    test_revoke_of_a_user(users);
    lst_users_close(users);
    return tap_done();
}
