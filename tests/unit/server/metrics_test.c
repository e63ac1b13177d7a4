/* metrics_test.c - what Prometheus reads. */
#include "server/metrics.h"

#include "tap.h"

static struct lst_metrics metrics;

static bool has(const struct lst_buffer *out, const char *line)
{
    return memmem(out->bytes, out->length, line, strlen(line)) != NULL;
}

int main(void)
{
    static char names[200][8];
    const struct lst_store_statistics statistics = {.index_commits = 3, .index_batches = 30};
    const struct lst_jobs_statistics webhooks = {
        .delivered = 5, .failed = 4, .given_up = 2, .under_way = 1};
    struct lst_buffer out;

    lst_buffer_init(&out, 1024 * 1024);
    lst_metrics_count(&metrics, "PutObject", 200, "", 10, 0, 90);
    lst_metrics_count(&metrics, "PutObject", 200, "", 10, 0, 2000000);
    lst_metrics_count(&metrics, "GetObject", 403, "AccessDenied", 0, 300, 400000000);
    lst_metrics_count(&metrics, "PutObject", 0, "", 5, 0, 100);
    lst_metrics_format(&metrics, &statistics, 7, &out);
    CHECK(has(&out, "latchstring_requests_total{operation=\"PutObject\",status=\"2xx\"} 2\n"),
          "requests by operation and class");
    CHECK(has(&out, "latchstring_requests_total{operation=\"PutObject\",status=\"none\"} 1\n"),
          "also those without an answer");
    CHECK(has(&out, "latchstring_errors_total{code=\"AccessDenied\"} 1\n"), "refusals by reason");
    CHECK(has(&out, "latchstring_received_bytes_total 25\n"), "bytes that came in");
    CHECK(has(&out, "latchstring_sent_bytes_total 300\n"), "bytes that went out");
    CHECK(has(&out, "latchstring_request_seconds_bucket{le=\"0.0001\"} 2\n"),
          "a bucket holds its bound");
    CHECK(has(&out, "latchstring_request_seconds_bucket{le=\"5\"} 3\n"), "buckets add up");
    CHECK(has(&out, "latchstring_request_seconds_bucket{le=\"+Inf\"} 4\n") &&
              has(&out, "latchstring_request_seconds_count 4\n"),
          "and the last holds all");
    CHECK(has(&out, "latchstring_log_lines_dropped_total 7\n"), "lost log lines");
    CHECK(has(&out, "latchstring_index_commits_total 3\n") &&
              has(&out, "latchstring_index_batches_total 30\n"),
          "commits and batches of the store");
    lst_metrics_format_webhooks(&webhooks, &out);
    CHECK(has(&out, "latchstring_webhooks_delivered_total 5\n") &&
              has(&out, "latchstring_webhook_failures_total 4\n") &&
              has(&out, "latchstring_webhooks_given_up_total 2\n") &&
              has(&out, "latchstring_webhooks_in_flight 1\n"),
          "webhooks");
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "op%zu", i);
        lst_metrics_count(&metrics, names[i], 200, "", 0, 0, 1);
    }
    lst_buffer_clear(&out);
    lst_metrics_format(&metrics, &statistics, 0, &out);
    CHECK(has(&out, "latchstring_requests_total{operation=\"other\",status=\"2xx\"} 107\n"),
          "names beyond the limit are counted together");
    lst_buffer_release(&out);
    return tap_done();
}
