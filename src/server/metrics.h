/*
 * metrics.h - what the server counts, for Prometheus ("Exposition formats", text format 0.0.4).
 *
 * Any thread counts, without a lock on the way; names of operations and of errors are learned as
 * they come, up to a limit, after which they are counted as "other".
 */
#ifndef LST_SERVER_METRICS_H
#define LST_SERVER_METRICS_H

#include "api/jobs.h"
#include "base/buffer.h"
#include "base/error.h"
#include "store/store.h"

#include <stdatomic.h>

#define LST_METRICS_NAMES_MAX 96
#define LST_METRICS_BUCKETS   14 /* bounds of the histogram, in metrics.c */
#define LST_METRICS_CLASSES   6  /* of HTTP status; [0] is requests without an answer */

/* Counters by name. A name is a string that stays: S3's operations and errors are constants. */
struct lst_counters {
    const char *_Atomic names[LST_METRICS_NAMES_MAX];
    _Atomic uint64_t counts[LST_METRICS_NAMES_MAX][LST_METRICS_CLASSES];
};

struct lst_metrics {
    struct lst_counters operations; /* by status class */
    struct lst_counters errors;     /* [][0] alone */
    _Atomic uint64_t bytes_in;
    _Atomic uint64_t bytes_out;
    _Atomic uint64_t in_flight;
    _Atomic uint64_t connections;
    _Atomic uint64_t accepted;
    _Atomic uint64_t handshakes_failed;
    _Atomic uint64_t latency_counts[LST_METRICS_BUCKETS + 1];
    _Atomic uint64_t latency_sum_us;
};

/* One request that is over. operation and error are constants; error is "" on success. */
void lst_metrics_count(struct lst_metrics *metrics, const char *operation, int status,
                       const char *error, uint64_t bytes_in, uint64_t bytes_out,
                       uint64_t duration_us);

/* Write them all. dropped: lines that the access log lost. */
void lst_metrics_format(const struct lst_metrics *metrics,
                        const struct lst_store_statistics *statistics, uint64_t dropped,
                        struct lst_buffer *out);

/* Write those of TLS. expires: of the first certificate that does, in seconds since 1970. */
void lst_metrics_format_tls(const struct lst_metrics *metrics, int64_t expires,
                            struct lst_buffer *out);

/* Write how much is in all buckets. */
void lst_metrics_format_usage(struct lst_store *store, struct lst_buffer *out);

/* Write those of the webhooks. */
void lst_metrics_format_webhooks(const struct lst_jobs_statistics *statistics,
                                 struct lst_buffer *out);

#endif
