/*
 * library.h - a shared library that is loaded when it is first used.
 *
 * What few installations need (a client of HTTP, the database of file types, TLS of one's own) and
 * what brings many more libraries along would else cost every start its time and every server its
 * memory. A file for each such library (s3/content_load.c, api/curl_load.c, server/tls_load.c)
 * defines the functions that are called, under their own names and with the library's own header,
 * so that callers see no difference; each goes through a pointer that was found here. Include that
 * header between `#pragma GCC visibility push(hidden)` and `pop`: other libraries that use the same
 * one must not get ours.
 */
#ifndef LST_BASE_LIBRARY_H
#define LST_BASE_LIBRARY_H

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct lst_library_function {
    const char *name;
    void *place; /* of the pointer to it */
};

/*
 * A list of functions, of which each is FUNCTION(type, name, (parameters), (arguments)), makes
 * them and their entries:
 *
 *     #define FUNCTIONS(FUNCTION) FUNCTION(int, inflateReset, (z_streamp stream), (stream))
 *     FUNCTIONS(LST_LIBRARY_DEFINE)
 *     static const struct lst_library_function functions[] = {FUNCTIONS(LST_LIBRARY_ENTRY)};
 */
// NOLINTBEGIN(bugprone-macro-parentheses): parameters and arguments bring their own
#define LST_LIBRARY_DEFINE(type, name, parameters, arguments)                                      \
    static type(*found_##name) parameters;                                                         \
    type name parameters                                                                           \
    {                                                                                              \
        return found_##name arguments;                                                             \
    }
// NOLINTEND(bugprone-macro-parentheses)
#define LST_LIBRARY_ENTRY(type, name, parameters, arguments) {#name, &found_##name},

struct lst_library {
    const char *file; /* as the dynamic linker knows it: "libcurl.so.4" */
    const struct lst_library_function *functions;
    size_t count;
    /* Called once when it is loaded; NULL: nothing has to be. False: it can't be used. */
    bool (*begin)(void);
    pthread_mutex_t mutex; /* PTHREAD_MUTEX_INITIALIZER */
    atomic_bool is_loaded;
};

/*
 * Load it, unless it is loaded. It stays so until the process ends. Any thread may ask; a failure
 * is tried again by the next. LST_ERR_NO_LIBRARY: it is not there, or not one that fits;
 * *ret_reason (NULL: not wanted) is then the dynamic linker's words, which name the file, good
 * until this thread calls the linker again.
 */
LST_MUST_CHECK int lst_library_load(struct lst_library *library, const char **ret_reason);

#endif
