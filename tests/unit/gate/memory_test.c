/*
 * memory_test.c - JSON for which there is no memory, or which is damaged.
 *
 * Each allocation in turn fails. Every time that must be an error, never half a user or policy, and
 * nothing may leak (the sanitizer watches). Which error is jansson's to know: it takes some
 * failures for bad input.
 */
#include "gate/user_record.h"

#include "tap.h"

#include <jansson.h>
#include <stdlib.h>

static const char policy[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":"
    "[\"s3:Get*\",\"s3:Put*\"],\"Resource\":\"arn:aws:s3:::b/${aws:username}/*\",\"Condition\":{"
    "\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"::1\"]}}}]}";

static long allocations_left;

static void *allocate(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static int parse_policy(void)
{
    struct lst_access_policy *parsed;
    int status = lst_access_policy_parse(LST_SLICE(policy), &parsed, NULL);

    if (status == LST_OK) {
        lst_access_policy_free(parsed);
    }
    return status;
}

static int write_and_read_user(void)
{
    struct lst_user user = {.name = "alice", .display_name = "alice", .key_count = 2};
    struct lst_user found;
    struct lst_buffer record;
    int status;

    lst_user_key_generate(&user.keys[0]);
    lst_user_key_generate(&user.keys[1]);
    user.policy = strdup(policy);
    lst_buffer_init(&record, 65536);
    status = lst_user_record_write(&user, &record);
    if (status == LST_OK) {
        status = lst_user_record_read(LST_SLICE("alice"), lst_buffer_slice(&record), &found);
    }
    if (status == LST_OK) {
        if (memcmp(user.keys, found.keys, sizeof(user.keys)) != 0 || found.policy == NULL ||
            strcmp(user.policy, found.policy) != 0) {
            CHECK(false, "what was written is read");
        }
        lst_user_release(&found);
    }
    lst_user_release(&user);
    lst_buffer_release(&record);
    return status;
}

static void fail_each(const char *what, int (*work)(void))
{
    int status = LST_ERR_NO_MEMORY;
    long count = 0;

    while (count < 10000 && status != LST_OK) {
        allocations_left = count++;
        status = work();
    }
    CHECK(status == LST_OK && count > 20, "%s fails %ld times, then is whole", what, count - 1);
}

static void test_damaged_records(void)
{
    static const char *const records[] = {
        "",
        "0123456789abcdef",
        "0123456789abcdef\n",
        "0123456789abcdef\n[]",
        "0123456789abcdeX\n{}",
        "0123456789abcdef\n{\"canonical_id\":\"a\",\"display_name\":\"a\",\"created_ms\":1,"
        "\"enabled\":true,\"root\":false,\"keys\":[{}]}",
        "0123456789abcdef\n{\"canonical_id\":\"a\",\"display_name\":\"a\",\"created_ms\":1,"
        "\"enabled\":1,\"root\":false,\"keys\":[]}",
        "0123456789abcdef\n{\"canonical_id\":\"a\",\"display_name\":\"a\",\"created_ms\":1,"
        "\"enabled\":true,\"root\":false,\"keys\":[],\"policy\":{}}",
    };
    struct lst_user user;

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        CHECK(lst_user_record_read(LST_SLICE("a"), lst_slice_of(records[i]), &user) ==
                  LST_ERR_CORRUPT,
              "damaged record %zu is refused", i);
    }
}

int main(void)
{
    test_damaged_records();
    json_set_alloc_funcs(allocate, free);
    fail_each("parsing a policy", parse_policy);
    fail_each("writing and reading a user", write_and_read_user);
    return tap_done();
}
