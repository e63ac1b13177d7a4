/* compat_test.c - docs/s3-compatibility.md says of every operation what the table says. */
#include "s3/operations.h"
#include "tap.h"

#include <stdlib.h>

/* The row that the document must have, up to its last column. */
static void write_row(const struct lst_operation *row, char *text, size_t size)
{
    static const char *const paths[] = {"/", "/bucket", "/bucket/key"};

    snprintf(text, size, "| %s | `%s %s%s%s%s%s%s%s` | %s | ", row->name, row->method,
             paths[row->level], row->parameter == 0 ? "" : "?",
             lst_parameter_name(row->parameter).bytes, row->second == 0 ? "" : "&",
             lst_parameter_name(row->second).bytes, row->header == 0 ? "" : " + ",
             lst_header_name(row->header).bytes,
             row->action == NULL ? "s3:DeleteObject, for each key" : row->action);
}

/* What there is of it: "yes" or "partly" and what, or "501". */
static bool says_so(const char *document, const char *start, const struct lst_operation *row)
{
    const char *at = strstr(document, start);

    if (at == NULL) {
        return false;
    }
    at += strlen(start);
    if (row->run == NULL) {
        return strncmp(at, "501 |", 5) == 0;
    }
    return strncmp(at, "yes |", 5) == 0 || strncmp(at, "partly: ", 8) == 0;
}

static char *read_document(void)
{
    const char *root = getenv("LST_ROOT");
    const char *tests = strstr(__FILE__, "tests/unit/s3/");
    char *text = calloc(1, 1 << 20);
    char path[1024];
    FILE *file;

    if (root != NULL) {
        snprintf(path, sizeof(path), "%s/docs/s3-compatibility.md", root);
    } else {
        snprintf(path, sizeof(path), "%.*sdocs/s3-compatibility.md", (int)(tests - __FILE__),
                 __FILE__);
    }
    file = fopen(path, "rb");
    if (file == NULL || text == NULL) {
        free(text);
        return NULL;
    }
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

int main(void)
{
    char *document = read_document();
    size_t rows = 0;
    char row[512];

    if (document == NULL) {
        tap_skip("the table of operations", "docs/s3-compatibility.md is not where the source was");
        return tap_done();
    }
    for (size_t i = 0; i < lst_operation_count; i++) {
        write_row(&lst_operations[i], row, sizeof(row));
        if (!CHECK(says_so(document, row, &lst_operations[i]), "%s is documented",
                   lst_operations[i].name)) {
            printf("# want: %s", row);
        }
    }
    for (const char *at = document; (at = strstr(at, " | `")) != NULL; at++) {
        const char *method = at + strlen(" | `");
        size_t length = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        rows += length > 0 && strncmp(method + length, " /", 2) == 0 ? 1 : 0;
    }
    CHECK(rows == lst_operation_count, "and nothing else is: %zu rows", rows);
    free(document);
    return tap_done();
}
