/* head.c - the lines of a head, from bytes to slices. */
#include "http/head.h"

#include "http/characters.h"
#include "http/head_meaning.h"

#define ONES 0x0101010101010101ULL
#define HIGH 0x8080808080808080ULL
#define WORD sizeof(uint64_t)

static inline uint64_t find_byte(uint64_t word, unsigned byte)
{
    uint64_t other = word ^ (ONES * byte);

    return (other - ONES) & ~other & HIGH;
}

/* Not 0 if one of the next bytes is below the limit (at most 128), DEL, or the odd one. */
static inline uint64_t find_outside(const char *at, unsigned limit, unsigned odd)
{
    uint64_t word;

    memcpy(&word, at, WORD);
    return ((word - ONES * limit) & ~word & HIGH) | find_byte(word, 0x7F) | find_byte(word, odd);
}

/* The first byte that is not of the class; `end` if all are. A word at a time; what is left is
 * looked at byte by byte. Outside of the class are, of the bytes from the limit on, DEL and the odd
 * one alone. */
static inline const char *skip(const char *at, const char *end, unsigned limit, unsigned odd,
                               enum lst_character class)
{
    do {
        const char *stop;

        while ((size_t)(end - at) >= WORD && find_outside(at, limit, odd) == 0) {
            at += WORD;
        }
        stop = (size_t)(end - at) > WORD ? at + WORD : end;
        while (at < stop && lst_character_is(*at, class)) {
            at++;
        }
        if (at < stop) {
            return at;
        }
    } while (at < end);
    return at;
}

static inline const char *skip_token(const char *at, const char *end)
{
    while (at < end && lst_character_is(*at, LST_CHARACTER_TOKEN)) {
        at++;
    }
    return at;
}

/* Where a part of a line ends at the latest: no further than it may be long, and has arrived. */
static inline const char *bound(const char *at, const char *end, size_t most)
{
    return (size_t)(end - at) > most ? at + most : end;
}

/* "HTTP/1.1" CR LF, as far as it is there. */
static enum lst_http_head_verdict take_version(struct lst_http_head *head, const char *at,
                                               const char *end)
{
    static const char pattern[] = "HTTP/d.d\r\n";
    size_t size = sizeof(pattern) - 1;
    size_t there = (size_t)(end - at) < size ? (size_t)(end - at) : size;

    for (size_t i = 0; i < there; i++) {
        if (pattern[i] == 'd' ? at[i] < '0' || at[i] > '9' : at[i] != pattern[i]) {
            return LST_HEAD_BAD_LINE;
        }
    }
    if (there < size) {
        return LST_HEAD_MORE;
    }
    if (at[5] != '1') {
        return LST_HEAD_BAD_VERSION;
    }
    /* A later 1.x is read as the latest that is known here (RFC 9110 section 2.5). */
    head->is_old = at[7] == '0';
    return LST_HEAD_COMPLETE;
}

static enum lst_http_head_verdict read_request_line(struct lst_http_head *head, char *bytes,
                                                    size_t length)
{
    static const size_t version_size = sizeof("HTTP/1.1\r\n") - 1;
    char *line = bytes + head->line;
    const char *end = bytes + length;
    const char *stop = bound(line, end, LST_HEAD_METHOD_MAX + 1);
    const char *at = skip_token(line, stop);
    size_t method_length = (size_t)(at - line);
    char *target = line + method_length + 1;
    enum lst_http_head_verdict verdict;
    size_t target_length;

    if (at == stop) {
        return method_length > LST_HEAD_METHOD_MAX ? LST_HEAD_METHOD_TOO_LONG : LST_HEAD_MORE;
    }
    if (*at != ' ' || method_length == 0) {
        return LST_HEAD_BAD_LINE;
    }
    stop = bound(target, end, LST_HEAD_TARGET_MAX + 1);
    at = skip(target, stop, '!', '#', LST_CHARACTER_TARGET);
    target_length = (size_t)(at - target);
    if (at == stop) {
        return target_length > LST_HEAD_TARGET_MAX ? LST_HEAD_TARGET_TOO_LONG : LST_HEAD_MORE;
    }
    if (*at != ' ' || target_length == 0) {
        return LST_HEAD_BAD_LINE;
    }
    verdict = take_version(head, at + 1, end);
    if (verdict != LST_HEAD_COMPLETE) {
        return verdict;
    }
    head->method = lst_slice_make(line, method_length);
    head->line = (uint32_t)(at + 1 + version_size - bytes);
    head->section = head->line;
    return lst_http_head_take_target(head, target, target_length);
}

/* What stands where a byte of a line should not be. */
static enum lst_http_head_verdict name_byte(char byte, enum lst_http_head_verdict otherwise)
{
    if (byte == '\n') {
        return LST_HEAD_BARE_LF;
    }
    return byte == '\r' ? LST_HEAD_NO_COLON : otherwise;
}

/* The line ends here, or it should. */
static inline enum lst_http_head_verdict take_line_end(const char *at, const char *end)
{
    if (*at == '\r') {
        if (at + 1 == end) {
            return LST_HEAD_MORE;
        }
        return at[1] == '\n' ? LST_HEAD_COMPLETE : LST_HEAD_BARE_CR;
    }
    return name_byte(*at, LST_HEAD_BAD_VALUE);
}

static inline struct lst_slice trim(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    while (at < end && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return lst_slice_make(at, (size_t)(end - at));
}

/* A name and its colon. COMPLETE: *ret_colon is where that is. */
static inline enum lst_http_head_verdict read_name(const char *line, const char *end,
                                                   const char **ret_colon)
{
    const char *at = skip_token(line, end);

    if (at == end) {
        return LST_HEAD_MORE;
    }
    if (*at == ':' && at > line) {
        *ret_colon = at;
        return LST_HEAD_COMPLETE;
    }
    if (*at == ' ' || *at == '\t') {
        return at == line ? LST_HEAD_FOLDED : LST_HEAD_SPACE_BEFORE_COLON;
    }
    return name_byte(*at, LST_HEAD_BAD_NAME);
}

/* One header line. COMPLETE: it is in order, and head->line is behind it. */
static enum lst_http_head_verdict read_field(struct lst_http_head *head, const char *bytes,
                                             const char *line, const char *end)
{
    struct lst_field *field = &head->fields[head->field_count];
    const char *colon = NULL;
    const char *at;
    enum lst_http_head_verdict verdict = read_name(line, end, &colon);

    if (verdict != LST_HEAD_COMPLETE) {
        return verdict;
    }
    at = skip(colon + 1, end, ' ', 0x7F, LST_CHARACTER_VALUE);
    verdict = at == end ? LST_HEAD_MORE : take_line_end(at, end);
    if (verdict != LST_HEAD_COMPLETE) {
        return verdict;
    }
    head->line = (uint32_t)(at + 2 - bytes);
    if (head->line - head->section > LST_HEAD_SECTION_MAX ||
        head->field_count == LST_HEAD_FIELDS_MAX) {
        return LST_HEAD_TOO_LARGE;
    }
    field->name = lst_slice_make(line, (size_t)(colon - line));
    field->value = trim(colon + 1, at);
    return lst_http_head_take_field(head, field);
}

static enum lst_http_head_verdict read_fields(struct lst_http_head *head, const char *bytes,
                                              size_t length)
{
    size_t most = head->section + LST_HEAD_SECTION_MAX + 2;
    const char *end = bytes + (length < most ? length : most);
    enum lst_http_head_verdict verdict;

    do {
        const char *line = bytes + head->line;

        if (line < end && *line == '\r') {
            verdict = take_line_end(line, end);
            if (verdict == LST_HEAD_COMPLETE) {
                head->length = head->line + 2;
                return lst_http_head_settle(head);
            }
        } else {
            verdict = read_field(head, bytes, line, end);
        }
    } while (verdict == LST_HEAD_COMPLETE);
    return verdict == LST_HEAD_MORE && length >= most ? LST_HEAD_TOO_LARGE : verdict;
}

/* Empty lines before the request line: at least one is to be passed over (RFC 9112 section 2.2). */
static enum lst_http_head_verdict skip_empty_lines(struct lst_http_head *head, const char *bytes,
                                                   size_t length)
{
    while (head->line < length && bytes[head->line] == '\r') {
        enum lst_http_head_verdict verdict = take_line_end(bytes + head->line, bytes + length);

        if (verdict != LST_HEAD_COMPLETE) {
            return verdict;
        }
        if (head->empty_lines++ == LST_HEAD_EMPTY_LINES_MAX) {
            return LST_HEAD_BAD_LINE;
        }
        head->line += 2;
    }
    return LST_HEAD_COMPLETE;
}

// NOLINTNEXTLINE(readability-non-const-parameter): what is kept here is written to later
void lst_http_head_begin(struct lst_http_head *head, struct lst_field *fields, uint8_t *numbers)
{
    *head = (struct lst_http_head){.fields = fields, .numbers = numbers, .verdict = LST_HEAD_MORE};
}

enum lst_http_head_verdict lst_http_head_read(struct lst_http_head *head, char *bytes,
                                              size_t length)
{
    enum lst_http_head_verdict verdict = LST_HEAD_COMPLETE;

    if (head->verdict != LST_HEAD_MORE) {
        return head->verdict;
    }
    if (head->section == 0) {
        verdict = skip_empty_lines(head, bytes, length);
        if (verdict == LST_HEAD_COMPLETE) {
            verdict = read_request_line(head, bytes, length);
        }
    }
    if (verdict == LST_HEAD_COMPLETE) {
        verdict = read_fields(head, bytes, length);
    }
    head->verdict = verdict;
    return verdict;
}

static void move(struct lst_slice *slice, const char *from, const char *to)
{
    if (slice->bytes != NULL) {
        slice->bytes = to + (slice->bytes - from);
    }
}

void lst_http_head_move(struct lst_http_head *head, const char *from, const char *to)
{
    move(&head->method, from, to);
    move(&head->target, from, to);
    move(&head->path, from, to);
    move(&head->query, from, to);
    move(&head->host, from, to);
    move(&head->authority, from, to);
    for (size_t i = 0; i < head->field_count; i++) {
        move(&head->fields[i].name, from, to);
        move(&head->fields[i].value, from, to);
    }
}
