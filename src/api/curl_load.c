/* curl_load.c - libcurl, loaded when it is first used: base/library.h. */
#include "api/curl_load.h"

#include "base/library.h"

/* Callers in other files mean these functions; nobody else does. The macros of the names check
 * arguments. */
#define CURL_DISABLE_TYPECHECK
#pragma GCC visibility push(hidden)
#include <curl/curl.h>
#pragma GCC visibility pop
#undef curl_easy_setopt
#undef curl_easy_getinfo

#include <stdarg.h>

static CURLcode (*global_init)(long flags);
static CURL *(*easy_init)(void);
static void (*easy_cleanup)(CURL *easy);
static void (*easy_reset)(CURL *easy);
static CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
static CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
static CURLcode (*easy_perform)(CURL *easy);
static const char *(*easy_strerror)(CURLcode code);
static CURLM *(*multi_init)(void);
static CURLMcode (*multi_cleanup)(CURLM *multi);
static CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
static CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
static CURLMcode (*multi_perform)(CURLM *multi, int *ret_running);
static CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd files[], unsigned count,
                               int wait_ms, int *ret_ready);
static CURLMsg *(*multi_info_read)(CURLM *multi, int *ret_left);
static struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
static void (*slist_free_all)(struct curl_slist *list);

static const struct lst_library_function functions[] = {
    {"curl_global_init", &global_init},
    {"curl_easy_init", &easy_init},
    {"curl_easy_cleanup", &easy_cleanup},
    {"curl_easy_reset", &easy_reset},
    {"curl_easy_setopt", &easy_setopt},
    {"curl_easy_getinfo", &easy_getinfo},
    {"curl_easy_perform", &easy_perform},
    {"curl_easy_strerror", &easy_strerror},
    {"curl_multi_init", &multi_init},
    {"curl_multi_cleanup", &multi_cleanup},
    {"curl_multi_add_handle", &multi_add_handle},
    {"curl_multi_remove_handle", &multi_remove_handle},
    {"curl_multi_perform", &multi_perform},
    {"curl_multi_poll", &multi_poll},
    {"curl_multi_info_read", &multi_info_read},
    {"curl_slist_append", &slist_append},
    {"curl_slist_free_all", &slist_free_all},
};

static bool begin(void)
{
    return global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static struct lst_library library = {
    .file = "libcurl.so.4",
    .functions = functions,
    .count = sizeof(functions) / sizeof(functions[0]),
    .begin = begin,
    .mutex = PTHREAD_MUTEX_INITIALIZER,
};

int lst_curl_load(const char **ret_reason)
{
    return lst_library_load(&library, ret_reason);
}

/* ---- The functions, as <curl/curl.h> declares them */

CURL *curl_easy_init(void)
{
    return easy_init();
}

void curl_easy_cleanup(CURL *easy)
{
    if (easy != NULL) {
        easy_cleanup(easy);
    }
}

void curl_easy_reset(CURL *easy)
{
    easy_reset(easy);
}

/* The number of an option tells the type of its value. */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    CURLcode code;
    va_list values;

    va_start(values, option);
    // NOLINTNEXTLINE(bugprone-branch-clone): each takes a value of another type
    if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB) {
        code = easy_setopt(easy, option, va_arg(values, curl_off_t));
    } else if (option >= CURLOPTTYPE_OBJECTPOINT) {
        code = easy_setopt(easy, option, va_arg(values, void *));
    } else {
        code = easy_setopt(easy, option, va_arg(values, long));
    }
    va_end(values);
    return code;
}

/* It is always given a pointer. */
CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    CURLcode code;
    va_list values;

    va_start(values, info);
    code = easy_getinfo(easy, info, va_arg(values, void *));
    va_end(values);
    return code;
}

CURLcode curl_easy_perform(CURL *easy)
{
    return easy_perform(easy);
}

const char *curl_easy_strerror(CURLcode code)
{
    return lst_curl_load(NULL) == LST_OK ? easy_strerror(code) : "libcurl cannot be loaded";
}

CURLM *curl_multi_init(void)
{
    return multi_init();
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
    return multi == NULL ? CURLM_OK : multi_cleanup(multi);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    return multi_add_handle(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    return multi_remove_handle(multi, easy);
}

CURLMcode curl_multi_perform(CURLM *multi, int *ret_running)
{
    return multi_perform(multi, ret_running);
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd files[], unsigned count, int wait_ms,
                          int *ret_ready)
{
    return multi_poll(multi, files, count, wait_ms, ret_ready);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *ret_left)
{
    return multi_info_read(multi, ret_left);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
    return slist_append(list, text);
}

void curl_slist_free_all(struct curl_slist *list)
{
    if (list != NULL) {
        slist_free_all(list);
    }
}
