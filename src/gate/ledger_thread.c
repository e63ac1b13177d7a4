/* ledger_thread.c - the ledger's thread: what waits is written together; what expired is swept. */
#include "gate/ledger_state.h"

#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#define NS_PER_SECOND  1000000000U
#define FLUSH_AFTER_NS (NS_PER_SECOND / 5)
#define SWEEP_EVERY_NS (60ULL * NS_PER_SECOND)
#define FLUSH_AT_COUNT (LST_LEDGER_WAITING_MAX / 2)
#define AGAIN_FIRST_NS (NS_PER_SECOND / 50)
#define AGAIN_MAX_NS   (60ULL * NS_PER_SECOND)

static void fail_reservation(struct lst_reservation *reservation, int status)
{
    reservation->sequence = 0;
    reservation->used = 0;
    reservation->done(reservation, status);
}

void lst_ledger_reserve(struct lst_ledger *ledger, struct lst_reservation *reservation)
{
    if (ledger->read_only) {
        fail_reservation(reservation, LST_ERR_PERMISSION);
        return;
    }
    if (!lst_ledger_name_is_valid(reservation->use.user, reservation->use.id)) {
        fail_reservation(reservation, LST_ERR_INVALID_ARGUMENT);
        return;
    }
    reservation->next = NULL;
    pthread_mutex_lock(&ledger->lock);
    if (ledger->first_reservation == NULL) {
        ledger->first_reservation = reservation;
    } else {
        ledger->last_reservation->next = reservation;
    }
    ledger->last_reservation = reservation;
    pthread_cond_signal(&ledger->wake);
    pthread_mutex_unlock(&ledger->lock);
}

static struct lst_slice copy_text(char **end, struct lst_slice text)
{
    struct lst_slice copy = lst_slice_make(*end, text.length);

    if (text.length > 0) {
        memcpy(*end, text.bytes, text.length);
        *end += text.length;
    }
    return copy;
}

/* With room for so many bytes of text. */
static struct lst_settlement *new_settlement(struct lst_ledger *ledger, size_t length,
                                             bool is_reserved)
{
    struct lst_settlement *settlement = malloc(sizeof(*settlement) + length);

    if (settlement != NULL) {
        settlement->is_spare = false;
        return settlement;
    }
    if (is_reserved) {
        pthread_mutex_lock(&ledger->lock);
        settlement = ledger->spare;
        ledger->spare = NULL;
        pthread_mutex_unlock(&ledger->lock);
    }
    if (settlement != NULL) {
        settlement->is_spare = true;
    }
    return settlement;
}

static struct lst_settlement *make_settlement(struct lst_ledger *ledger,
                                              const struct lst_use_outcome *original)
{
    struct lst_use_outcome outcome = *original;
    struct lst_slice *texts[] = {
        &outcome.use.user,   &outcome.use.id,  &outcome.use.method,
        &outcome.use.bucket, &outcome.use.key, &outcome.use.peer,
        &outcome.etag,       &outcome.type,    &outcome.reason,
    };
    size_t length = 0;
    struct lst_settlement *settlement;
    char *end;

    lst_ledger_use_cut(&outcome);
    if (outcome.ended_ms == 0) {
        outcome.ended_ms = lst_clock_now_ms();
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        length += texts[i]->length;
    }
    settlement = new_settlement(ledger, length, outcome.sequence != 0);
    if (settlement == NULL) {
        return NULL;
    }
    end = settlement->bytes;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = copy_text(&end, *texts[i]);
    }
    settlement->next = NULL;
    settlement->is_written = false;
    settlement->is_again = false;
    settlement->outcome = outcome;
    return settlement;
}

void lst_ledger_settle(struct lst_ledger *ledger, const struct lst_use_outcome *outcome)
{
    struct lst_settlement *settlement = NULL;

    if (!ledger->read_only && lst_ledger_name_is_valid(outcome->use.user, outcome->use.id)) {
        settlement = make_settlement(ledger, outcome);
    }
    pthread_mutex_lock(&ledger->lock);
    if (settlement == NULL ||
        (outcome->sequence == 0 && ledger->waiting >= LST_LEDGER_WAITING_MAX)) {
        ledger->statistics.dropped++;
        pthread_mutex_unlock(&ledger->lock);
        free(settlement);
        return;
    }
    if (ledger->first_settlement == NULL) {
        ledger->first_settlement = settlement;
        ledger->flush_due_ns = lst_clock_monotonic_ns() + FLUSH_AFTER_NS;
    } else {
        ledger->last_settlement->next = settlement;
    }
    ledger->last_settlement = settlement;
    ledger->settled++;
    ledger->waiting++;
    if (ledger->waiting == 1 || ledger->waiting == FLUSH_AT_COUNT) {
        pthread_cond_signal(&ledger->wake);
    }
    pthread_mutex_unlock(&ledger->lock);
}

void lst_ledger_flush(struct lst_ledger *ledger)
{
    uint64_t up_to;

    pthread_mutex_lock(&ledger->lock);
    up_to = ledger->settled;
    ledger->flush_up_to = up_to;
    pthread_cond_signal(&ledger->wake);
    while (ledger->completed < up_to) {
        pthread_cond_wait(&ledger->flushed, &ledger->lock);
    }
    pthread_mutex_unlock(&ledger->lock);
}

void lst_ledger_end_hook(struct lst_ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->ending_hook = true;
    ledger->flush_up_to = ledger->settled;
    pthread_cond_signal(&ledger->wake);
    while (ledger->completed < ledger->flush_up_to || ledger->again_count > 0) {
        pthread_cond_wait(&ledger->flushed, &ledger->lock);
    }
    ledger->ending_hook = false;
    pthread_mutex_unlock(&ledger->lock);
    lst_ledger_on_settled(ledger, &(struct lst_ledger_hook){.settled = NULL});
}

bool lst_ledger_flush_begin(struct lst_ledger *ledger, struct lst_ledger_waiter *waiter)
{
    bool must_wait;

    pthread_mutex_lock(&ledger->lock);
    must_wait = ledger->completed < ledger->settled;
    if (must_wait) {
        waiter->up_to = ledger->settled;
        waiter->next = NULL;
        if (ledger->first_waiter == NULL) {
            ledger->first_waiter = waiter;
        } else {
            ledger->last_waiter->next = waiter;
        }
        ledger->last_waiter = waiter;
        ledger->flush_up_to = waiter->up_to;
        pthread_cond_signal(&ledger->wake);
    }
    pthread_mutex_unlock(&ledger->lock);
    return must_wait;
}

/* Those who have waited long enough. With the lock held. */
static struct lst_ledger_waiter *take_waiters(struct lst_ledger *ledger)
{
    struct lst_ledger_waiter *first = ledger->first_waiter;
    struct lst_ledger_waiter **end = &first;

    while (*end != NULL && (*end)->up_to <= ledger->completed) {
        end = &(*end)->next;
    }
    ledger->first_waiter = *end;
    *end = NULL;
    return first;
}

static void wake_waiters(struct lst_ledger_waiter *waiter)
{
    while (waiter != NULL) {
        struct lst_ledger_waiter *next = waiter->next; /* done() may free it */

        waiter->done(waiter);
        waiter = next;
    }
}

/* Whether there is something to write now. With the lock held, as the next two. */
static bool is_due(const struct lst_ledger *ledger, uint64_t now_ns)
{
    if (ledger->first_reservation != NULL) {
        return true;
    }
    return ledger->first_settlement != NULL &&
           (ledger->closing || ledger->waiting >= FLUSH_AT_COUNT ||
            ledger->flush_up_to > ledger->completed || now_ns >= ledger->flush_due_ns);
}

static void wait_until(struct lst_ledger *ledger, uint64_t sweep_due_ns)
{
    uint64_t until = sweep_due_ns;
    struct timespec time;

    if (ledger->first_again != NULL && ledger->again_due_ns < until) {
        until = ledger->again_due_ns;
    }
    if (ledger->first_settlement != NULL && ledger->flush_due_ns < until) {
        until = ledger->flush_due_ns;
    }
    time.tv_sec = (time_t)(until / NS_PER_SECOND);
    time.tv_nsec = (long)(until % NS_PER_SECOND);
    (void)pthread_cond_timedwait(&ledger->wake, &ledger->lock, &time);
}

static void take_round(struct lst_ledger *ledger, struct lst_ledger_round *round)
{
    struct lst_reservation *reservation = ledger->first_reservation;
    struct lst_settlement *settlement = ledger->first_settlement;

    *round = (struct lst_ledger_round){.reservations = reservation, .settlements = settlement};
    for (; reservation != NULL && round->reservation_count < LST_LEDGER_ROUND_MAX;
         round->reservation_count++) {
        ledger->first_reservation = reservation->next;
        if (round->reservation_count + 1 == LST_LEDGER_ROUND_MAX) {
            reservation->next = NULL;
        }
        reservation = ledger->first_reservation;
    }
    for (; settlement != NULL && round->settlement_count < LST_LEDGER_ROUND_MAX;
         round->settlement_count++) {
        ledger->first_settlement = settlement->next;
        if (round->settlement_count + 1 == LST_LEDGER_ROUND_MAX) {
            settlement->next = NULL;
        }
        settlement = ledger->first_settlement;
    }
    ledger->waiting -= round->settlement_count;
}

/* ---- What could not be written, and can be later */

/* There is no later for it. With the lock held, as the next. */
static bool is_last_try(const struct lst_ledger *ledger)
{
    return ledger->closing || ledger->ending_hook;
}

/* For certain nothing of it was written, and it is worth another try. */
static bool may_try_again(const struct lst_ledger *ledger, const struct lst_settlement *settlement)
{
    int status = settlement->status;

    return !settlement->is_written && settlement->outcome.sequence != 0 && !is_last_try(ledger) &&
           ledger->again_count < LST_LEDGER_WAITING_MAX && !lst_index_has_failed(ledger->index) &&
           (status == LST_ERR_NO_MEMORY || status == LST_ERR_NO_SPACE || status == LST_ERR_IO ||
            status == LST_ERR_TOO_MANY_FILES || status == LST_ERR_CONFLICT);
}

/* With the lock held, as the next three. */
static void keep(struct lst_ledger *ledger, struct lst_settlement *settlement)
{
    settlement->next = NULL;
    settlement->is_again = true;
    if (ledger->first_again == NULL) {
        ledger->first_again = settlement;
    } else {
        ledger->last_again->next = settlement;
    }
    ledger->last_again = settlement;
    ledger->again_count++;
}

/* Take out of a round what is to be tried again. The pause grows with what fails again; what waits
 * already is not put off by it. */
static void keep_for_later(struct lst_ledger *ledger, struct lst_ledger_round *round)
{
    struct lst_settlement **link = &round->settlements;
    bool is_first = ledger->first_again == NULL;
    bool has_failed_again = false;

    while (*link != NULL) {
        struct lst_settlement *settlement = *link;

        if (!may_try_again(ledger, settlement)) {
            link = &settlement->next;
            continue;
        }
        *link = settlement->next;
        has_failed_again = has_failed_again || settlement->is_again;
        keep(ledger, settlement);
    }
    if (!is_first || ledger->first_again == NULL) {
        return;
    }
    ledger->again_ns = !has_failed_again                     ? AGAIN_FIRST_NS
                       : 2 * ledger->again_ns > AGAIN_MAX_NS ? AGAIN_MAX_NS
                                                             : 2 * ledger->again_ns;
    ledger->again_due_ns = lst_clock_monotonic_ns() + ledger->again_ns;
}

/* Before what waits for the first time. */
static void try_again(struct lst_ledger *ledger)
{
    ledger->last_again->next = ledger->first_settlement;
    if (ledger->first_settlement == NULL) {
        ledger->last_settlement = ledger->last_again;
    }
    for (struct lst_settlement *settlement = ledger->first_again;
         settlement != ledger->first_settlement; settlement = settlement->next) {
        ledger->waiting++;
    }
    ledger->first_settlement = ledger->first_again;
    ledger->flush_due_ns = 0;
    ledger->first_again = NULL;
}

static void count_round(struct lst_ledger *ledger, const struct lst_ledger_round *round)
{
    struct lst_ledger_statistics *statistics = &ledger->statistics;
    const struct lst_settlement *settlement = round->settlements;

    statistics->batches++;
    for (size_t i = 0; i < round->reservation_count; i++) {
        statistics->reserved += round->statuses[i] == LST_OK;
        statistics->refused +=
            round->statuses[i] == LST_ERR_TOO_LARGE || round->statuses[i] == LST_ERR_CLOSED;
    }
    for (; settlement != NULL; settlement = settlement->next) {
        statistics->settled += settlement->is_written;
        statistics->dropped += !settlement->is_written && !may_try_again(ledger, settlement);
        ledger->completed += settlement->is_again ? 0 : 1;
        ledger->again_count -= settlement->is_again ? 1 : 0;
    }
    pthread_cond_broadcast(&ledger->flushed);
}

/* The spare is kept for the next time. */
static void free_settlement(struct lst_ledger *ledger, struct lst_settlement *settlement)
{
    if (!settlement->is_spare) {
        free(settlement);
        return;
    }
    pthread_mutex_lock(&ledger->lock);
    ledger->spare = settlement;
    pthread_mutex_unlock(&ledger->lock);
}

static void complete_round(struct lst_ledger *ledger, struct lst_ledger_round *round)
{
    struct lst_reservation *reservation = round->reservations;

    for (size_t i = 0; i < round->reservation_count; i++) {
        struct lst_reservation *next = reservation->next; /* done() may free it */
        reservation->done(reservation, round->statuses[i]);
        reservation = next;
    }
    while (round->settlements != NULL) {
        struct lst_settlement *next = round->settlements->next;
        free_settlement(ledger, round->settlements);
        round->settlements = next;
    }
}

static void *run(void *argument)
{
    struct lst_ledger *ledger = argument;
    uint64_t sweep_due_ns = lst_clock_monotonic_ns() + SWEEP_EVERY_NS;
    struct lst_ledger_round round;
    struct lst_ledger_waiter *waiters;

    pthread_mutex_lock(&ledger->lock);
    while (!ledger->closing || ledger->first_reservation != NULL ||
           ledger->first_settlement != NULL || ledger->first_again != NULL) {
        uint64_t now_ns = lst_clock_monotonic_ns();
        if (ledger->first_again != NULL &&
            (is_last_try(ledger) || now_ns >= ledger->again_due_ns)) {
            try_again(ledger);
        }
        if (is_due(ledger, now_ns)) {
            take_round(ledger, &round);
            pthread_mutex_unlock(&ledger->lock);
            lst_ledger_round_write(ledger, &round);
            pthread_mutex_lock(&ledger->lock);
            count_round(ledger, &round);
            keep_for_later(ledger, &round);
            waiters = take_waiters(ledger);
            pthread_mutex_unlock(&ledger->lock);
            complete_round(ledger, &round);
            wake_waiters(waiters);
            pthread_mutex_lock(&ledger->lock);
        } else if (now_ns >= sweep_due_ns) {
            int status;
            pthread_mutex_unlock(&ledger->lock);
            status = lst_ledger_sweep(ledger, lst_clock_now_ms());
            sweep_due_ns = lst_clock_monotonic_ns() + SWEEP_EVERY_NS;
            pthread_mutex_lock(&ledger->lock);
            ledger->statistics.failed_sweeps += status != LST_OK;
        } else {
            wait_until(ledger, sweep_due_ns);
        }
    }
    pthread_mutex_unlock(&ledger->lock);
    return NULL;
}

int lst_ledger_thread_start(struct lst_ledger *ledger)
{
    /* As much text as a row can have. */
    ledger->spare = malloc(sizeof(*ledger->spare) + LST_LEDGER_USE_MAX + LST_LEDGER_NAME_MAX);
    if (ledger->spare == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    return pthread_create(&ledger->thread, NULL, run, ledger) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

void lst_ledger_thread_stop(struct lst_ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->closing = true;
    pthread_cond_signal(&ledger->wake);
    pthread_mutex_unlock(&ledger->lock);
    pthread_join(ledger->thread, NULL);
}
