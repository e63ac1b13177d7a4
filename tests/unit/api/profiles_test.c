/* profiles_test.c - the profiles of a server: rows and files, seen as they change. */
#include "api/profiles.h"

#include "gate/ledger.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char files[80];
static char problem[LST_PROBLEM_MAX];
static struct lst_ledger *ledger;

static struct lst_profiles *open_profiles(const char *from)
{
    struct lst_profiles *profiles = NULL;

    if (lst_profiles_open(lst_ledger_index(ledger), from, problem, &profiles) != LST_OK) {
        CHECK(false, "the profiles can be opened (%s)", problem);
        exit(1);
    }
    return profiles;
}

static int add(struct lst_profiles *profiles, const char *name, int size, bool replace)
{
    struct lst_profile profile;
    char text[256];

    snprintf(text, sizeof(text),
             "{\"bucket\":\"photos\",\"key\":\"{uuid}\",\"max_size\":%d,"
             "\"webhook\":{\"url\":\"https://a\",\"secret\":\"0123456789abcdef\"}}",
             size);
    if (lst_profile_parse(lst_slice_of(text), lst_slice_of(name), problem, &profile) != LST_OK) {
        return LST_ERR_MALFORMED;
    }
    return lst_profiles_add(profiles, &profile, replace);
}

/* The profile's max_size, or the code. */
static int64_t size_of(struct lst_profiles *profiles, const char *name)
{
    const struct lst_profile *profile;
    int status = lst_profiles_find(profiles, lst_slice_of(name), &profile);
    int64_t size;

    if (status != LST_OK) {
        return status;
    }
    size = strcmp(profile->name, name) == 0 ? profile->max_size : -1;
    lst_profile_unref(profile);
    return size;
}

static void put_row(const char *key, const char *value)
{
    struct lst_index_change change = {
        .kind = LST_INDEX_PUT, .key = lst_slice_of(key), .value = lst_slice_of(value)};

    CHECK(lst_index_apply(lst_ledger_index(ledger), LST_LEDGER_PARTITION, &change, 1) == LST_OK,
          "a row is written");
}

static void write_file(const char *name, const char *text)
{
    char path[200];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", files, name);
    file = fopen(path, "we");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        exit(1);
    }
}

static void test_rows(void)
{
    struct lst_profiles *profiles = open_profiles(NULL);
    struct lst_profiles *other = open_profiles("");
    const struct lst_profile *kept;
    const struct lst_profile *again;

    CHECK(size_of(profiles, "a") == LST_ERR_NOT_FOUND, "nothing is there");
    CHECK(size_of(profiles, "../a") == LST_ERR_NOT_FOUND &&
              size_of(profiles, "") == LST_ERR_NOT_FOUND,
          "what is no name is not found either");
    CHECK(add(profiles, "a", 10, false) == LST_OK && size_of(profiles, "a") == 10, "one is added");
    CHECK(size_of(other, "a") == 10, "and seen by all");
    CHECK(add(profiles, "a", 11, false) == LST_ERR_EXISTS && size_of(profiles, "a") == 10,
          "it is not replaced by chance");
    CHECK(lst_profiles_find(profiles, LST_SLICE("a"), &kept) == LST_OK &&
              strcmp(kept->webhook_secret, "0123456789abcdef") == 0,
          "it is found whole");
    put_row("xother", "1");
    CHECK(lst_profiles_find(profiles, LST_SLICE("a"), &again) == LST_OK && again == kept,
          "a change of something else leaves it as it is");
    lst_profile_unref(again);
    CHECK(add(other, "a", 12, true) == LST_OK && size_of(profiles, "a") == 12,
          "a change is seen at once");
    CHECK(kept->max_size == 10, "who has the old one still has it");
    CHECK(lst_profiles_remove(other, LST_SLICE("a")) == LST_OK &&
              size_of(profiles, "a") == LST_ERR_NOT_FOUND,
          "what is removed is gone at once");
    CHECK(lst_profiles_remove(other, LST_SLICE("a")) == LST_ERR_NOT_FOUND, "and only once");
    CHECK(lst_profiles_remove(other, LST_SLICE("/")) == LST_ERR_NOT_FOUND, "no name, no profile");
    lst_profiles_close(profiles);
    lst_profiles_close(other);
    CHECK(kept->max_size == 10, "even when the profiles are closed");
    lst_profile_unref(kept);
}

struct seen {
    char names[200];
    int stop_at;
};

static int see(void *context, const struct lst_profile *profile, bool is_file)
{
    struct seen *seen = context;
    size_t length = strlen(seen->names);

    snprintf(seen->names + length, sizeof(seen->names) - length, "%s%s ", profile->name,
             is_file ? "*" : "");
    return seen->stop_at > 0 && --seen->stop_at == 0 ? LST_ERR_CLOSED : LST_OK;
}

static void test_files(void)
{
    struct lst_profiles *profiles;
    struct seen seen = {.stop_at = 0};

    write_file("b.json", "{\"bucket\":\"photos\",\"key\":\"x\",\"max_size\":1}");
    write_file("d.json", "{\"name\":\"d\",\"bucket\":\"photos\",\"key\":\"x\",\"max_size\":2}");
    write_file("notes.txt", "not a profile");
    write_file(".hidden.json", "not a profile");
    profiles = open_profiles(NULL);
    CHECK(add(profiles, "a", 10, false) == LST_OK && add(profiles, "b", 10, false) == LST_OK &&
              add(profiles, "c", 10, false) == LST_OK,
          "there are rows");
    lst_profiles_close(profiles);
    profiles = open_profiles(files);
    CHECK(size_of(profiles, "a") == 10 && size_of(profiles, "d") == 2, "rows and files are found");
    CHECK(size_of(profiles, "b") == 1, "a file hides a row");
    CHECK(size_of(profiles, ".hidden") == LST_ERR_NOT_FOUND, "some files are passed over");
    CHECK(lst_profiles_list(profiles, see, &seen) == LST_OK, "all can be listed");
    CHECK_TEXT(seen.names, strlen(seen.names), "a b* c d* ", "in their order, each once");
    seen = (struct seen){.stop_at = 2};
    CHECK(lst_profiles_list(profiles, see, &seen) == LST_ERR_CLOSED &&
              strcmp(seen.names, "a b* ") == 0,
          "until the visitor has enough");
    CHECK(add(profiles, "d", 10, true) == LST_ERR_EXISTS, "a file is not replaced by a row");
    CHECK(lst_profiles_remove(profiles, LST_SLICE("d")) == LST_ERR_NOT_FOUND, "nor removed");
    CHECK(lst_profiles_remove(profiles, LST_SLICE("b")) == LST_OK && size_of(profiles, "b") == 1,
          "a row under a file can be removed");
    lst_profiles_close(profiles);
    CHECK(lst_profiles_open(lst_ledger_index(ledger), "/nowhere", problem, &profiles) ==
                  LST_ERR_NOT_FOUND &&
              strstr(problem, "/nowhere") != NULL,
          "a folder that is not there is an error (%s)", problem);
    write_file("e.json", "{\"bucket\":\"photos\",\"key\":\"x\",\"max_size\":\"1\"}");
    CHECK(lst_profiles_open(lst_ledger_index(ledger), files, problem, &profiles) ==
                  LST_ERR_MALFORMED &&
              strstr(problem, "/e.json: max_size: a number is needed") != NULL,
          "so is a mistake in a file (%s)", problem);
}

static void test_damage(void)
{
    struct lst_profiles *profiles = open_profiles(NULL);
    struct seen seen = {.stop_at = 0};

    put_row("pbad", "{");
    CHECK(size_of(profiles, "bad") == LST_ERR_CORRUPT, "a damaged row is told");
    CHECK(lst_profiles_list(profiles, see, &seen) == LST_ERR_CORRUPT, "in a list too");
    CHECK(size_of(profiles, "a") == 10, "and does the others no harm");
    CHECK(lst_profiles_remove(profiles, LST_SLICE("bad")) == LST_OK, "it can be removed");
    lst_profiles_close(profiles);
}

/* ---- Several threads */

struct finder {
    struct lst_profiles *profiles;
    size_t wrong;
};

static void *find_often(void *context)
{
    struct finder *finder = context;

    for (int i = 0; i < 20000; i++) {
        int64_t size = size_of(finder->profiles, "shared");

        finder->wrong += size < 1 || size > 200;
    }
    return NULL;
}

static void test_threads(void)
{
    struct lst_profiles *profiles = open_profiles(NULL);
    struct finder finders[4];
    pthread_t threads[4];
    size_t wrong = 0;
    int added = add(profiles, "shared", 1, false);

    for (size_t i = 0; i < 4; i++) {
        finders[i] = (struct finder){.profiles = profiles};
        if (pthread_create(&threads[i], NULL, find_often, &finders[i]) != 0) {
            exit(1);
        }
    }
    for (int i = 2; i <= 60 && added == LST_OK; i++) {
        added = add(profiles, "shared", i, true);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        wrong += finders[i].wrong;
    }
    CHECK(added == LST_OK && wrong == 0, "all threads always find one, while it changes");
    CHECK(size_of(profiles, "shared") == 60, "and in the end the last");
    lst_profiles_close(profiles);
}

static int child(void)
{
    struct lst_profiles *profiles;
    int status;

    if (lst_ledger_open(folder, false, &ledger) != LST_OK) {
        return 1;
    }
    profiles = open_profiles(NULL);
    status = add(profiles, "a", 77, true);
    lst_profiles_close(profiles);
    lst_ledger_close(ledger);
    return status == LST_OK ? 0 : 1;
}

static void test_processes(void)
{
    struct lst_profiles *profiles = open_profiles(NULL);
    int status = 1;
    pid_t pid;

    CHECK(size_of(profiles, "a") == 10, "a profile is in the cache");
    pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "profiles_test", "change", folder, (char *)NULL);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    CHECK(status == 0 && size_of(profiles, "a") == 77, "another process changes it: seen at once");
    lst_profiles_close(profiles);
}

int main(int argument_count, char **arguments)
{
    char command[128];

    if (argument_count == 3) {
        snprintf(folder, sizeof(folder), "%s", arguments[2]);
        return child();
    }
    snprintf(folder, sizeof(folder), "/tmp/profiles_test.XXXXXX");
    if (mkdtemp(folder) == NULL || lst_ledger_open(folder, false, &ledger) != LST_OK) {
        return 1;
    }
    snprintf(files, sizeof(files), "%s/profiles", folder);
    if (mkdir(files, 0700) != 0) {
        return 1;
    }
    test_rows();
    test_files();
    test_damage();
    test_processes();
    test_threads();
    lst_ledger_close(ledger);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    CHECK(system(command) == 0, "the folder is removed");
    return tap_done();
}
