/* jobs_ask.c - messages that are sent once, and whose answer somebody waits for. */
#include "api/jobs_state.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

int lst_jobs_ask(struct lst_jobs *jobs, struct lst_question *question)
{
    struct lst_transfer *transfer = calloc(1, sizeof(*transfer));
    bool is_taken;

    if (transfer == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    transfer->question = question;
    question->transfer = transfer;
    question->http_status = 0;
    question->problem[0] = '\0';
    question->is_cancelled = false;
    question->failure = LST_OK;
    lst_buffer_init(&question->answer, LST_JOBS_ANSWER_MAX);
    pthread_mutex_lock(&jobs->lock);
    is_taken = !jobs->is_cancelled && jobs->question_count < LST_JOBS_QUESTIONS_MAX;
    if (is_taken) {
        question->next = jobs->waiting;
        jobs->waiting = question;
        jobs->question_count++;
    }
    pthread_mutex_unlock(&jobs->lock);
    if (!is_taken) {
        free(transfer);
        return LST_ERR_TOO_LARGE;
    }
    lst_jobs_nudge(jobs);
    return LST_OK;
}

void lst_jobs_cancel_questions(struct lst_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->is_cancelled = true;
    pthread_mutex_unlock(&jobs->lock);
    lst_jobs_nudge(jobs);
}

/* It is not to be touched after this: whoever asked may have freed it. */
static void finish(struct lst_jobs *jobs, struct lst_question *question)
{
    free(question->transfer);
    question->transfer = NULL;
    pthread_mutex_lock(&jobs->lock);
    jobs->question_count--;
    pthread_mutex_unlock(&jobs->lock);
    question->done(question);
}

static void fail(struct lst_jobs *jobs, struct lst_question *question, const char *problem)
{
    (void)snprintf(question->problem, sizeof(question->problem), "%s", problem);
    finish(jobs, question);
}

static void begin(struct lst_jobs *jobs, struct lst_question *question)
{
    const struct lst_message message = {.url = question->url,
                                        .secret = question->secret,
                                        .body = question->body,
                                        .seconds = question->seconds};

    int status = lst_transfer_begin(jobs, question->transfer, &message, lst_clock_now_ms());

    if (status != LST_OK) {
        question->failure = status;
        fail(jobs, question,
             status == LST_ERR_NO_LIBRARY ? "the server lacks libcurl"
                                          : "the server is short of memory");
        return;
    }
    question->next = jobs->asked;
    jobs->asked = question;
}

static void take_off(struct lst_jobs *jobs, const struct lst_question *question)
{
    struct lst_question **link = &jobs->asked;

    while (*link != question) {
        link = &(*link)->next;
    }
    *link = question->next;
    lst_transfer_end(jobs, question->transfer);
}

void lst_jobs_take_questions(struct lst_jobs *jobs)
{
    struct lst_question *waiting;
    bool is_cancelled;

    pthread_mutex_lock(&jobs->lock);
    waiting = jobs->waiting;
    jobs->waiting = NULL;
    is_cancelled = jobs->is_cancelled;
    pthread_mutex_unlock(&jobs->lock);
    while (waiting != NULL) {
        struct lst_question *question = waiting;

        waiting = question->next;
        begin(jobs, question);
    }
    while (is_cancelled && jobs->asked != NULL) {
        struct lst_question *question = jobs->asked;

        take_off(jobs, question);
        question->is_cancelled = true;
        fail(jobs, question, "the server stops");
    }
}

void lst_jobs_answered(struct lst_jobs *jobs, struct lst_question *question, CURLcode code)
{
    const struct lst_transfer *transfer = question->transfer;
    bool is_cut = transfer->is_cut;
    long status;

    code = lst_transfer_result(transfer, code, &status);
    take_off(jobs, question);
    if (is_cut) { /* the rest might have made something else of it */
        fail(jobs, question, "its answer is longer than 64 KiB");
        return;
    }
    if (code != CURLE_OK) {
        question->failure = code == CURLE_OUT_OF_MEMORY ? LST_ERR_NO_MEMORY : LST_OK;
        /* Never curl's own text, which may have the URL in it. */
        fail(jobs, question, curl_easy_strerror(code));
        return;
    }
    question->http_status = (int)status;
    finish(jobs, question);
}
