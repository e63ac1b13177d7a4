/* content_load.c - libmagic, loaded when the first content is looked at: base/library.h. */
#include "s3/content_magic.h"

#include "base/library.h"

/* Callers in other files mean these functions; nobody else does. */
#pragma GCC visibility push(hidden)
#include <magic.h>
#pragma GCC visibility pop

static magic_t (*open_handle)(int flags);
static void (*close_handle)(magic_t handle);
static int (*load)(magic_t handle, const char *files);
static int (*set_parameter)(magic_t handle, int parameter, const void *value);
static const char *(*look)(magic_t handle, const void *bytes, size_t length);

static const struct lst_library_function functions[] = {
    {"magic_open", &open_handle},       {"magic_close", &close_handle}, {"magic_load", &load},
    {"magic_setparam", &set_parameter}, {"magic_buffer", &look},
};

static struct lst_library library = {
    .file = "libmagic.so.1",
    .functions = functions,
    .count = sizeof(functions) / sizeof(functions[0]),
    .mutex = PTHREAD_MUTEX_INITIALIZER,
};

int lst_content_load(const char **ret_reason)
{
    return lst_library_load(&library, ret_reason);
}

magic_t magic_open(int flags)
{
    return open_handle(flags);
}

void magic_close(magic_t handle)
{
    close_handle(handle);
}

int magic_load(magic_t handle, const char *files)
{
    return load(handle, files);
}

int magic_setparam(magic_t handle, int parameter, const void *value)
{
    return set_parameter(handle, parameter, value);
}

const char *magic_buffer(magic_t handle, const void *bytes, size_t length)
{
    return look(handle, bytes, length);
}
