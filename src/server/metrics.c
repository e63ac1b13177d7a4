/* metrics.c - what the server counts. */
#include "server/metrics.h"

#include <stdio.h>

/* Upper bounds of the histogram's buckets, in microseconds. */
static const uint64_t latency_bounds[LST_METRICS_BUCKETS] = {
    100,   250,    500,    1000,    2500,    5000,     10000,
    25000, 100000, 250000, 1000000, 5000000, 30000000, 300000000};

static void add(_Atomic uint64_t *counter, uint64_t number)
{
    atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The row of a name; a new name takes the first free row. The last row is for all that came too
 * late. */
static _Atomic uint64_t *find_row(struct lst_counters *counters, const char *name)
{
    for (size_t i = 0; i < LST_METRICS_NAMES_MAX - 1; i++) {
        const char *present = atomic_load_explicit(&counters->names[i], memory_order_acquire);

        if (present == NULL &&
            atomic_compare_exchange_strong(&counters->names[i], &present, name)) {
            return counters->counts[i];
        }
        if (present == name || strcmp(present, name) == 0) {
            return counters->counts[i];
        }
    }
    atomic_store(&counters->names[LST_METRICS_NAMES_MAX - 1], "other");
    return counters->counts[LST_METRICS_NAMES_MAX - 1];
}

void lst_metrics_count(struct lst_metrics *metrics, const char *operation, int status,
                       const char *error, uint64_t bytes_in, uint64_t bytes_out,
                       uint64_t duration_us)
{
    size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 0;
    size_t bucket = 0;

    add(&find_row(&metrics->operations, operation)[class], 1);
    if (error[0] != '\0') {
        add(&find_row(&metrics->errors, error)[0], 1);
    }
    if (bytes_in > 0) {
        add(&metrics->bytes_in, bytes_in);
    }
    add(&metrics->bytes_out, bytes_out);
    while (bucket < LST_METRICS_BUCKETS && duration_us > latency_bounds[bucket]) {
        bucket++;
    }
    add(&metrics->latency_counts[bucket], 1);
    add(&metrics->latency_sum_us, duration_us);
}

static void format_head(struct lst_buffer *out, const char *name, const char *type,
                        const char *help)
{
    lst_buffer_append_format(out, "# HELP latchstring_%s %s\n# TYPE latchstring_%s %s\n", name,
                             help, name, type);
}

static void format_one(struct lst_buffer *out, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    format_head(out, name, type, help);
    lst_buffer_append_format(out, "latchstring_%s %llu\n", name, (unsigned long long)value);
}

static void format_requests(const struct lst_counters *operations, struct lst_buffer *out)
{
    static const char *const classes[LST_METRICS_CLASSES] = {"none", "1xx", "2xx",
                                                             "3xx",  "4xx", "5xx"};

    format_head(out, "requests_total", "counter", "Requests by operation and status class.");
    for (size_t i = 0; i < LST_METRICS_NAMES_MAX; i++) {
        const char *name = atomic_load_explicit(&operations->names[i], memory_order_acquire);

        for (size_t class = 0; name != NULL && class < LST_METRICS_CLASSES; class ++) {
            uint64_t count = get(&operations->counts[i][class]);

            if (count > 0) {
                lst_buffer_append_format(
                    out, "latchstring_requests_total{operation=\"%s\",status=\"%s\"} %llu\n", name,
                    classes[class], (unsigned long long)count);
            }
        }
    }
}

static void format_errors(const struct lst_counters *errors, struct lst_buffer *out)
{
    format_head(out, "errors_total", "counter",
                "Requests that were refused or failed, by S3 code.");
    for (size_t i = 0; i < LST_METRICS_NAMES_MAX; i++) {
        const char *name = atomic_load_explicit(&errors->names[i], memory_order_acquire);

        if (name != NULL) {
            lst_buffer_append_format(out, "latchstring_errors_total{code=\"%s\"} %llu\n", name,
                                     (unsigned long long)get(&errors->counts[i][0]));
        }
    }
}

static void format_latency(const struct lst_metrics *metrics, struct lst_buffer *out)
{
    uint64_t total = 0;

    format_head(out, "request_seconds", "histogram",
                "Time from a request's head to the end of its answer.");
    for (size_t i = 0; i < LST_METRICS_BUCKETS; i++) {
        total += get(&metrics->latency_counts[i]);
        lst_buffer_append_format(out, "latchstring_request_seconds_bucket{le=\"%g\"} %llu\n",
                                 (double)latency_bounds[i] / 1e6, (unsigned long long)total);
    }
    total += get(&metrics->latency_counts[LST_METRICS_BUCKETS]);
    lst_buffer_append_format(out,
                             "latchstring_request_seconds_bucket{le=\"+Inf\"} %llu\n"
                             "latchstring_request_seconds_sum %.6f\n"
                             "latchstring_request_seconds_count %llu\n",
                             (unsigned long long)total, (double)get(&metrics->latency_sum_us) / 1e6,
                             (unsigned long long)total);
}

static void format_store(const struct lst_store_statistics *statistics, struct lst_buffer *out)
{
    format_one(out, "index_batches_total", "counter", "Changes of the index that were asked for.",
               statistics->index_batches);
    format_one(out, "index_commits_total", "counter",
               "Syncs of the index, each for one change or for many.", statistics->index_commits);
    format_one(out, "index_entries", "gauge", "Rows of the index.", statistics->index_entries);
    format_one(out, "index_bytes", "gauge", "Size of the index file.", statistics->index_bytes);
    format_one(out, "blobs_sealed_total", "counter", "Bodies that were stored as files.",
               statistics->blobs_sealed);
    format_one(out, "blob_syncs_total", "counter",
               "Syncs of bodies, each for one body or for many.", statistics->blob_syncs);
    format_one(out, "scrub_rows", "gauge",
               "Rows of the index, with their bodies, that this pass of the scrubber, or the last "
               "one, has read.",
               statistics->scrubbed_rows);
    format_one(out, "scrub_bytes", "gauge", "Bytes that it has read.", statistics->scrubbed_bytes);
    format_one(out, "scrub_damaged", "gauge", "Damaged objects and rows that it has found.",
               statistics->scrub_damaged);
    format_one(out, "scrub_finished_time_seconds", "gauge",
               "When a pass last came to its end, in seconds since 1970; 0: never.",
               (uint64_t)statistics->scrub_finished);
}

void lst_metrics_format(const struct lst_metrics *metrics,
                        const struct lst_store_statistics *statistics, uint64_t dropped,
                        struct lst_buffer *out)
{
    format_head(out, "build_info", "gauge", "The version that runs.");
    lst_buffer_append_format(out, "latchstring_build_info{version=\"%s\"} 1\n", LST_VERSION);
    format_requests(&metrics->operations, out);
    format_errors(&metrics->errors, out);
    format_one(out, "received_bytes_total", "counter", "Bytes of request bodies.",
               get(&metrics->bytes_in));
    format_one(out, "sent_bytes_total", "counter", "Bytes of response bodies.",
               get(&metrics->bytes_out));
    format_one(out, "requests_in_flight", "gauge", "Requests that are being answered.",
               get(&metrics->in_flight));
    format_one(out, "connections", "gauge", "Open connections.", get(&metrics->connections));
    format_one(out, "connections_total", "counter", "Connections that were accepted.",
               get(&metrics->accepted));
    format_one(out, "log_lines_dropped_total", "counter",
               "Lines of the access log that were lost to a slow or full disk.", dropped);
    format_latency(metrics, out);
    format_store(statistics, out);
}

void lst_metrics_format_tls(const struct lst_metrics *metrics, int64_t expires,
                            struct lst_buffer *out)
{
    format_one(out, "tls_handshakes_failed_total", "counter",
               "TLS handshakes that did not come to their end.", get(&metrics->handshakes_failed));
    format_one(out, "tls_certificate_expires_time_seconds", "gauge",
               "When the first of the certificates expires, in seconds since 1970.",
               (uint64_t)expires);
}

static int add_bucket(void *context, const struct lst_bucket_usage *usage)
{
    struct lst_bucket_usage *total = context;

    total->objects += usage->objects;
    total->versions += usage->versions;
    total->bytes += usage->bytes;
    total->uploads += usage->uploads;
    total->is_damaged = total->is_damaged || usage->is_damaged;
    return LST_OK;
}

/* Of all buckets together: these numbers are unsigned, and names of buckets are nobody's business.
 */
void lst_metrics_format_usage(struct lst_store *store, struct lst_buffer *out)
{
    struct lst_bucket_usage total = {0};

    if (lst_store_usage(store, add_bucket, &total) != LST_OK || total.is_damaged) {
        return; /* an answer without these is worth more than none, or than wrong numbers */
    }
    format_one(out, "objects", "gauge", "Objects that are current, in all buckets.", total.objects);
    format_one(out, "object_versions", "gauge",
               "Versions of objects, current or not, and delete markers.", total.versions);
    format_one(out, "object_bytes", "gauge", "Bytes of the bodies of all versions.", total.bytes);
    format_one(out, "multipart_uploads", "gauge", "Multipart uploads in progress.", total.uploads);
}

void lst_metrics_format_webhooks(const struct lst_jobs_statistics *statistics,
                                 struct lst_buffer *out)
{
    format_one(out, "webhooks_delivered_total", "counter", "Messages that a webhook took.",
               statistics->delivered);
    format_one(out, "webhook_failures_total", "counter",
               "Attempts to deliver that failed; they are made again.", statistics->failed);
    format_one(out, "webhooks_given_up_total", "counter",
               "Messages that no webhook took in three days, or whose webhook is gone.",
               statistics->given_up);
    format_one(out, "webhooks_in_flight", "gauge", "Messages that are being delivered.",
               statistics->under_way);
}
