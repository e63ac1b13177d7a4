/* library.c - a shared library that is loaded when it is first used. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

/* All or none, so that no call goes astray. NULL: done. */
static const char *find_functions(const struct lst_library *library, void *handle)
{
    for (size_t i = 0; i < library->count; i++) {
        void *found = dlsym(handle, library->functions[i].name);

        if (found == NULL) {
            return dlerror();
        }
        memcpy(library->functions[i].place, &found, sizeof(found));
    }
    return NULL;
}

static const char *load(struct lst_library *library)
{
    void *handle = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL);
    const char *reason;

    if (handle == NULL) {
        return dlerror();
    }
    reason = find_functions(library, handle);
    if (reason == NULL && library->begin != NULL && !library->begin()) {
        return "it was loaded, but can't be used";
    }
    return reason; /* it stays loaded either way: what it began may go on */
}

int lst_library_load(struct lst_library *library, const char **ret_reason)
{
    const char *reason = NULL;

    if (atomic_load_explicit(&library->is_loaded, memory_order_acquire)) {
        return LST_OK;
    }
    pthread_mutex_lock(&library->mutex);
    if (!atomic_load_explicit(&library->is_loaded, memory_order_relaxed)) {
        reason = load(library);
        atomic_store_explicit(&library->is_loaded, reason == NULL, memory_order_release);
    }
    pthread_mutex_unlock(&library->mutex);
    if (reason == NULL) {
        return LST_OK;
    }
    if (ret_reason != NULL) {
        *ret_reason = reason;
    }
    return LST_ERR_NO_LIBRARY;
}
