/*
 * head_fuzz.c - any bytes as the head of a request: whole and in pieces it must be read alike, what
 * is found must stand in it, and what is accepted must look the same to a reader who knows nothing
 * but lines.
 *
 * Input: a byte (the size of the pieces), and the bytes on the wire.
 */
#include "http/head.h"

#include <stdlib.h>

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

struct reading {
    struct lst_http_head head;
    struct lst_field fields[LST_HEAD_FIELDS_MAX];
    uint8_t numbers[LST_HEAD_FIELDS_MAX];
    char *bytes;
};

static char *copy(const char *bytes, size_t length)
{
    char *made = malloc(length + 1);

    require(made != NULL);
    if (length > 0) {
        memcpy(made, bytes, length);
    }
    return made;
}

/* In pieces, in memory that moves with each. */
static enum lst_http_head_verdict read_in_pieces(struct reading *reading, struct lst_slice input,
                                                 size_t piece)
{
    enum lst_http_head_verdict verdict = LST_HEAD_MORE;
    size_t there = 0;

    reading->bytes = copy(NULL, 0);
    lst_http_head_begin(&reading->head, reading->fields, reading->numbers);
    do {
        size_t more = input.length - there < piece ? input.length - there : piece;
        char *moved = malloc(there + more + 1);

        require(moved != NULL);
        memcpy(moved, reading->bytes, there);
        if (more > 0) {
            memcpy(moved + there, input.bytes + there, more);
        }
        lst_http_head_move(&reading->head, reading->bytes, moved);
        free(reading->bytes);
        reading->bytes = moved;
        there += more;
        verdict = lst_http_head_read(&reading->head, reading->bytes, there);
    } while (verdict == LST_HEAD_MORE && there < input.length);
    return verdict;
}

static void require_same(struct lst_slice a, struct lst_slice b)
{
    require(lst_slice_equal(a, b) && (a.bytes == NULL) == (b.bytes == NULL));
}

static void compare(const struct lst_http_head *a, const struct lst_http_head *b)
{
    require_same(a->method, b->method);
    require_same(a->target, b->target);
    require(a->verdict == b->verdict && a->field_count == b->field_count);
    if (a->verdict != LST_HEAD_COMPLETE) {
        return;
    }
    require_same(a->path, b->path);
    require_same(a->query, b->query);
    require_same(a->host, b->host);
    require(a->length == b->length && a->form == b->form && a->is_old == b->is_old &&
            a->content_length == b->content_length && a->is_chunked == b->is_chunked &&
            a->keeps_connection == b->keeps_connection &&
            a->expects_continue == b->expects_continue);
    for (size_t i = 0; i < a->field_count; i++) {
        require_same(a->fields[i].name, b->fields[i].name);
        require_same(a->fields[i].value, b->fields[i].value);
    }
}

static void require_inside(struct lst_slice slice, const struct reading *reading)
{
    require(slice.length == 0 ||
            (slice.bytes >= reading->bytes &&
             slice.bytes + slice.length <= reading->bytes + reading->head.length));
}

/* Lines as anybody would count them: no other CR or LF stands in an accepted head. */
static void check_lines(const struct reading *reading)
{
    const struct lst_http_head *head = &reading->head;
    struct lst_slice text = lst_slice_make(reading->bytes, head->length);
    size_t lines = 0;

    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];

        require(byte != '\0' && (byte != '\r' || text.bytes[i + 1] == '\n'));
        require(byte != '\n' || (i > 0 && text.bytes[i - 1] == '\r'));
        lines += byte == '\n';
    }
    /* empty lines before it, the request line, the headers, the empty line */
    require(lines == head->field_count + 2 + head->empty_lines);
}

static void check_meaning(const struct reading *reading)
{
    const struct lst_http_head *head = &reading->head;
    size_t hosts = 0;
    size_t framings = 0;

    require(head->method.length > 0 && head->method.length <= LST_HEAD_METHOD_MAX);
    require(head->length <= LST_HEAD_MAX);
    require(head->form == LST_HEAD_ASTERISK ? head->path.length == 1 : head->path.bytes[0] == '/');
    require(head->path.length + (head->query.bytes == NULL ? 0 : head->query.length + 1) ==
            head->target.length);
    require_inside(head->target, reading);
    for (size_t i = 0; i < head->field_count; i++) {
        struct lst_slice name = head->fields[i].name;

        require_inside(name, reading);
        require_inside(head->fields[i].value, reading);
        hosts += lst_slice_equal_ignoring_case(name, LST_SLICE("host"));
        framings += lst_slice_equal_ignoring_case(name, LST_SLICE("content-length"));
        framings += lst_slice_equal_ignoring_case(name, LST_SLICE("transfer-encoding"));
    }
    require(hosts == 1 || (hosts == 0 && head->is_old));
    require(framings <= 1);
    require((framings == 1) == (head->is_chunked || head->has_content_length));
    require(!head->is_chunked || !head->has_content_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice input = lst_slice_after(lst_slice_make(bytes, size), 1);
    size_t piece = size > 0 && bytes[0] > 0 ? bytes[0] : 1;
    struct reading whole;
    struct reading cut;
    enum lst_http_head_verdict verdict;

    if (input.length > 2L * LST_HEAD_MAX) {
        return 0;
    }
    verdict = read_in_pieces(&whole, input, input.length + 1);
    require(read_in_pieces(&cut, input, piece) == verdict);
    compare(&whole.head, &cut.head);
    if (verdict == LST_HEAD_COMPLETE) {
        check_lines(&whole);
        check_meaning(&whole);
    } else if (verdict != LST_HEAD_MORE) {
        require(lst_http_head_refusal(verdict)->status >= 400);
    } else {
        require(input.length < LST_HEAD_MAX);
    }
    free(whole.bytes);
    free(cut.bytes);
    return 0;
}
