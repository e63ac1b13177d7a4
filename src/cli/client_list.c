/* client_list.c - the lists of a running server's API, as a command prints them. */
#include "cli/client_api.h"
#include "cli/command.h"

#include <ctype.h>
#include <stdio.h>

enum { NEXT_MAX = 512 }; /* bytes of what a page says the next one begins after */

bool lst_client_is_name(struct lst_slice text, size_t most)
{
    bool ok = text.length > 0 && text.length <= most;

    for (size_t i = 0; ok && i < text.length; i++) {
        ok = isalnum((unsigned char)text.bytes[i]) != 0 ||
             (text.bytes[i] != '\0' && strchr("-._~", text.bytes[i]) != NULL);
    }
    return ok;
}

void lst_client_print_column(const char *text, size_t width)
{
    size_t length = lst_client_print(text);

    printf("%*s", (int)(length < width ? width - length + 1 : 1), "");
}

static int print_json(const json_t *rows, size_t before)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        printf("%s\n  ", before + i == 0 ? "" : ",");
        if (json_dumpf(json_array_get(rows, i), stdout, JSON_COMPACT | JSON_ENSURE_ASCII) != 0) {
            return LST_EXIT_FAILED;
        }
    }
    return LST_EXIT_OK;
}

int lst_client_api_list(struct lst_client_api *api, const char *path, const char *member,
                        const char *heading, void (*print_row)(const json_t *row), bool json)
{
    char page[LST_CLIENT_API_PATH_MAX];
    char next[NEXT_MAX + 1] = "";
    struct lst_client_api_answer answer;
    size_t count = 0;
    int status = LST_EXIT_OK;

    do {
        const json_t *rows;

        (void)snprintf(page, sizeof(page), "%s%s%s", path, next[0] == '\0' ? "" : "&after=", next);
        lst_client_api_call(api, "GET", page, NULL, &answer);
        if (answer.outcome != LST_CLIENT_API_DONE) {
            return lst_client_api_report(api, &answer);
        }
        rows = json_object_get(answer.json, member);
        if (count == 0) {
            printf("%s", json ? "[" : heading);
        }
        if (json) {
            status = print_json(rows, count);
        }
        for (size_t i = 0; !json && i < json_array_size(rows); i++) {
            print_row(json_array_get(rows, i));
        }
        count += json_array_size(rows);
        (void)snprintf(next, sizeof(next), "%s", lst_client_text(answer.json, "next"));
        json_decref(answer.json);
    } while (lst_client_is_name(lst_slice_of(next), NEXT_MAX) && status == LST_EXIT_OK);
    printf("%s", !json ? "" : count == 0 ? "]\n" : "\n]\n");
    return status;
}
