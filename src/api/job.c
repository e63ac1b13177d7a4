/* job.c - a message that waits to be delivered, as a row. */
#include "api/job.h"

enum { FORMAT = 2 };

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

    *end++ = job->is_given_up ? LST_JOB_GIVEN_UP_ROW[0] : LST_JOB_ROW[0];
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
    end = write_number(job->attempts, 4, end);
    end = write_number((uint64_t)job->last_ms, 8, end);
    end = write_number(job->last_status, 2, end);
    (void)write_number(job->last_problem, 2, end);
}

/* False: it is no value of a job. */
static bool read_value(struct lst_slice value, struct lst_job *job)
{
    if (value.length < LST_JOB_HEAD_LENGTH || value.bytes[0] != FORMAT) {
        return false;
    }
    job->created_ms = (int64_t)read_number(value.bytes + 1, 8);
    job->attempts = (uint32_t)read_number(value.bytes + 9, 4);
    job->last_ms = (int64_t)read_number(value.bytes + 13, 8);
    job->last_status = (uint16_t)read_number(value.bytes + 21, 2);
    job->last_problem = (uint16_t)read_number(value.bytes + 23, 2);
    job->body = lst_slice_after(value, LST_JOB_HEAD_LENGTH);
    return job->created_ms >= 0 && job->last_ms >= 0;
}

int lst_job_read(struct lst_slice key, struct lst_slice value, struct lst_job *ret_job)
{
    struct lst_job job = {.due_ms = 0};
    const char *end;

    if (key.length < 1 + LST_JOB_TAIL_LENGTH || key.length > LST_JOB_KEY_MAX ||
        !read_value(value, &job)) {
        return LST_ERR_CORRUPT;
    }
    job.is_given_up = key.bytes[0] == LST_JOB_GIVEN_UP_ROW[0];
    job.profile = lst_slice_make(key.bytes + 1, key.length - 1 - LST_JOB_TAIL_LENGTH);
    end = key.bytes + key.length - LST_JOB_TAIL_LENGTH;
    job.due_ms = (int64_t)read_number(end + 1, 8);
    memcpy(job.id, end + 9, sizeof(job.id));
    if (*end != '\0' || job.due_ms < 0) {
        return LST_ERR_CORRUPT;
    }
    *ret_job = job;
    return LST_OK;
}
