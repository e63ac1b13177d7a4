/* job.c - a message that waits to be delivered, as a row. */
#include "api/job.h"

enum { FORMAT = 1 };

static char *write_number(uint64_t number, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (char)(number >> 8 * (size - 1 - i));
    }
    return out + size;
}

static uint64_t read_number(const char *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (uint8_t)bytes[i];
    }
    return number;
}

size_t lst_job_key(const struct lst_job *job, char ret_key[LST_JOB_KEY_MAX])
{
    char *end = ret_key;

    *end++ = LST_JOB_ROW[0];
    memcpy(end, job->profile.bytes, job->profile.length);
    end += job->profile.length;
    *end++ = '\0';
    end = write_number((uint64_t)job->due_ms, 8, end);
    memcpy(end, job->id, sizeof(job->id));
    return (size_t)(end - ret_key) + sizeof(job->id);
}

void lst_job_head(const struct lst_job *job, char ret_head[LST_JOB_HEAD_LENGTH])
{
    char *end = ret_head;

    *end++ = FORMAT;
    end = write_number((uint64_t)job->created_ms, 8, end);
    (void)write_number(job->attempts, 4, end);
}

int lst_job_read(struct lst_slice key, struct lst_slice value, struct lst_job *ret_job)
{
    const size_t behind = 1 + 8 + LST_JOB_ID_SIZE;
    struct lst_job job = {.due_ms = 0};
    const char *end;

    if (key.length < 1 + behind || key.length > LST_JOB_KEY_MAX ||
        value.length < LST_JOB_HEAD_LENGTH || value.bytes[0] != FORMAT) {
        return LST_ERR_CORRUPT;
    }
    job.profile = lst_slice_make(key.bytes + 1, key.length - 1 - behind);
    end = key.bytes + key.length - behind;
    job.due_ms = (int64_t)read_number(end + 1, 8);
    memcpy(job.id, end + 9, sizeof(job.id));
    job.created_ms = (int64_t)read_number(value.bytes + 1, 8);
    job.attempts = (uint32_t)read_number(value.bytes + 9, 4);
    job.body = lst_slice_after(value, LST_JOB_HEAD_LENGTH);
    if (*end != '\0' || job.due_ms < 0 || job.created_ms < 0) {
        return LST_ERR_CORRUPT;
    }
    *ret_job = job;
    return LST_OK;
}
