/* replay.c - run every file of a fuzzer's corpus through it once: what was found stays found. */
#include "../unit/tap.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool replay(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;
    uint8_t *bytes;
    size_t size;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    bytes = malloc(1 << 20);
    size = bytes == NULL ? 0 : fread(bytes, 1, 1 << 20, file);
    fclose(file);
    /* An exact copy, so that the sanitizer sees a read past the end. */
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (exact != NULL) {
        memcpy(exact, bytes, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(bytes);
    return true;
}

int main(int argument_count, char **arguments)
{
    DIR *folder = argument_count > 1 ? opendir(arguments[1]) : NULL;
    struct dirent *entry;

    if (folder == NULL) {
        CHECK(false, "the corpus folder can be opened");
        return tap_done();
    }
    int files = 0;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            files += replay(arguments[1], entry->d_name) ? 1 : 0;
        }
    }
    closedir(folder);
    CHECK(files > 0, "%d files of the corpus pass", files);
    return tap_done();
}
