/*
 * job.h - a message for a profile's webhook that waits to be delivered, or was given up: a row of
 * the ledger's index.
 *
 * docs/on-disk-format.md has its bytes. Rows of a profile stand together: those that wait in the
 * order in which they are due, those that were given up in the order in which they were.
 */
#ifndef LST_API_JOB_H
#define LST_API_JOB_H

#include "api/profile.h"

#define LST_JOB_ROW          "j"
#define LST_JOB_GIVEN_UP_ROW "g"
#define LST_JOB_ID_SIZE      16
#define LST_JOB_TAIL_LENGTH  (1 + 8 + LST_JOB_ID_SIZE) /* of a key, behind the profile's name */
#define LST_JOB_KEY_MAX      (1 + LST_PROFILE_NAME_MAX + LST_JOB_TAIL_LENGTH)
#define LST_JOB_HEAD_LENGTH  (1 + 8 + 4 + 8 + 2 + 2)
#define LST_JOB_BODY_MAX     (64 * 1024) /* bytes */

struct lst_job {
    struct lst_slice profile;
    bool is_given_up;
    int64_t due_ms; /* or when it was given up. 0 or later, as all times here */
    uint8_t id[LST_JOB_ID_SIZE];
    int64_t created_ms; /* from then on it is tried for LST_WEBHOOK_LIFE_MS */
    uint32_t attempts;  /* that failed */
    /* What came of the last of them. */
    int64_t last_ms;       /* 0: not known */
    uint16_t last_status;  /* of HTTP; 0: there was no answer, but: */
    uint16_t last_problem; /* a CURLcode */
    struct lst_slice body;
};

/* The row's key; gives its length. The profile's name is at most LST_PROFILE_NAME_MAX long. */
size_t lst_job_key(const struct lst_job *job, char ret_key[LST_JOB_KEY_MAX]);

/* What stands before the body in the row's value. */
void lst_job_head(const struct lst_job *job, char ret_head[LST_JOB_HEAD_LENGTH]);

/* Its texts point into key and value. LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_job_read(struct lst_slice key, struct lst_slice value,
                                struct lst_job *ret_job);

#endif
