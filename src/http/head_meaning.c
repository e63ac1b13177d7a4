/* head_meaning.c - what the lines of a head mean: target, Host, framing, Connection. */
#include "http/head_meaning.h"

#include "http/characters.h"
#include "http/media_type.h"

#define PORT_MAX 65535

static void set_target(struct lst_http_head *head, const char *target, size_t length)
{
    const char *question = memchr(target, '?', length);

    head->target = lst_slice_make(target, length);
    if (question == NULL) {
        head->path = head->target;
        head->query = lst_slice_make(NULL, 0);
    } else {
        head->path = lst_slice_make(target, (size_t)(question - target));
        head->query = lst_slice_make(question + 1, (size_t)(target + length - question - 1));
    }
}

/* "http://host:80/path": the authority is kept until Host is known. */
static enum lst_http_head_verdict take_absolute(struct lst_http_head *head, char *target,
                                                size_t length)
{
    struct lst_slice all = lst_slice_make(target, length);
    char *authority = target + sizeof("http://") - 1;
    const char *end = target + length;
    char *at;

    if (lst_slice_starts_with_ignoring_case(all, LST_SLICE("https://"))) {
        authority++;
    } else if (!lst_slice_starts_with_ignoring_case(all, LST_SLICE("http://"))) {
        return LST_HEAD_BAD_TARGET;
    }
    for (at = authority; at < end && *at != '/' && *at != '?'; at++) {
    }
    if (at == authority) { /* RFC 9110 section 4.2.1 */
        return LST_HEAD_BAD_TARGET;
    }
    head->form = LST_HEAD_ABSOLUTE;
    head->authority = lst_slice_make(authority, (size_t)(at - authority));
    if (at == end || *at == '?') {
        /* No path means "/". The authority moves over the slash before it, to make room. */
        memmove(authority - 1, authority, head->authority.length);
        head->authority.bytes--;
        *--at = '/';
    }
    set_target(head, at, (size_t)(end - at));
    return LST_HEAD_COMPLETE;
}

enum lst_http_head_verdict lst_http_head_take_target(struct lst_http_head *head, char *target,
                                                     size_t length)
{
    if (target[0] == '/') {
        set_target(head, target, length);
        return LST_HEAD_COMPLETE;
    }
    if (length == 1 && target[0] == '*' && lst_slice_equal(head->method, LST_SLICE("OPTIONS"))) {
        head->form = LST_HEAD_ASTERISK;
        set_target(head, target, length);
        return LST_HEAD_COMPLETE;
    }
    return take_absolute(head, target, length);
}

/* [":" port], where port may be empty. */
static bool is_port(struct lst_slice text)
{
    uint64_t port;

    if (text.length == 0) {
        return true;
    }
    return text.bytes[0] == ':' &&
           (text.length == 1 || (text.length <= sizeof(":65535") - 1 &&
                                 lst_slice_to_number(lst_slice_after(text, 1), PORT_MAX, &port)));
}

/* uri-host [":" port]: RFC 9110 section 7.2, RFC 3986 section 3.2.2. */
static bool is_host(struct lst_slice text)
{
    bool is_literal = text.length > 0 && text.bytes[0] == '[';
    size_t length = is_literal ? 1 : 0;

    while (length < text.length && (lst_character_is(text.bytes[length], LST_CHARACTER_HOST) ||
                                    (is_literal && text.bytes[length] == ':'))) {
        length++;
    }
    if (is_literal) {
        if (length < 3 || length == text.length || text.bytes[length] != ']') {
            return false;
        }
        length++;
    }
    return length > 0 && is_port(lst_slice_after(text, length));
}

static enum lst_http_head_verdict take_host(struct lst_http_head *head, struct lst_slice value)
{
    if (head->has_host) {
        return LST_HEAD_TWO_HOSTS;
    }
    head->has_host = true;
    head->host = value;
    return is_host(value) ? LST_HEAD_COMPLETE : LST_HEAD_BAD_HOST;
}

static enum lst_http_head_verdict take_length(struct lst_http_head *head, struct lst_slice value)
{
    if (head->has_content_length) {
        return LST_HEAD_TWO_LENGTHS;
    }
    head->has_content_length = true;
    return lst_slice_to_number(value, INT64_MAX, &head->content_length) ? LST_HEAD_COMPLETE
                                                                        : LST_HEAD_BAD_LENGTH;
}

/* A list that ends in one "chunked". Empty elements, which other lists may have, are refused: who
 * reads them differently frames the body differently. */
static enum lst_http_head_verdict take_coding(struct lst_http_head *head, struct lst_slice value)
{
    struct lst_slice rest = value;
    struct lst_slice coding = {NULL, 0};
    size_t count = 0;

    if (head->has_coding) {
        return LST_HEAD_BAD_CODING;
    }
    head->has_coding = true;
    while (lst_slice_split(&rest, ',', &coding)) {
        if (head->is_chunked) {
            return LST_HEAD_BAD_CODING; /* something behind it */
        }
        coding = lst_slice_trim(coding);
        if (!lst_http_is_token(coding)) {
            return LST_HEAD_BAD_CODING;
        }
        head->is_chunked = lst_slice_equal_ignoring_case(coding, LST_SLICE("chunked"));
        count++;
    }
    if (!head->is_chunked) {
        return LST_HEAD_BAD_CODING;
    }
    return count == 1 ? LST_HEAD_COMPLETE : LST_HEAD_UNKNOWN_CODING;
}

static bool list_has(struct lst_slice list, struct lst_slice member)
{
    struct lst_slice each;

    while (lst_slice_split(&list, ',', &each)) {
        if (lst_slice_equal_ignoring_case(lst_slice_trim(each), member)) {
            return true;
        }
    }
    return false;
}

/* Has a header of that name come before? Of names without a number: may it have? */
static void note_seen(struct lst_http_head *head, struct lst_slice name, enum lst_header number)
{
    unsigned mixed = (unsigned)name.length * 7 + ((unsigned char)name.bytes[0] & 0x1FU) * 3 +
                     ((unsigned char)name.bytes[name.length - 1] & 0x1FU);
    uint64_t bit = UINT64_C(1) << (mixed & 63);

    if (number != LST_HEADER_OTHER) {
        head->may_repeat |= head->has_seen[number];
        head->has_seen[number] = true;
    } else {
        head->may_repeat |= (head->has_seen_others & bit) != 0;
        head->has_seen_others |= bit;
    }
}

enum lst_http_head_verdict lst_http_head_take_field(struct lst_http_head *head,
                                                    const struct lst_field *field)
{
    enum lst_header number = lst_header_number(field->name);
    struct lst_slice value = field->value;

    head->numbers[head->field_count++] = (uint8_t)number;
    note_seen(head, field->name, number);
    switch (number) {
    case LST_HEADER_HOST:
        return take_host(head, value);
    case LST_HEADER_CONTENT_LENGTH:
        return take_length(head, value);
    case LST_HEADER_TRANSFER_ENCODING:
        return take_coding(head, value);
    case LST_HEADER_EXPECT:
        head->expects_continue |= list_has(value, LST_SLICE("100-continue"));
        break;
    case LST_HEADER_CONNECTION:
        head->says_close |= list_has(value, LST_SLICE("close"));
        head->says_keep_alive |= list_has(value, LST_SLICE("keep-alive"));
        break;
    default:
        break;
    }
    return LST_HEAD_COMPLETE;
}

enum lst_http_head_verdict lst_http_head_settle(struct lst_http_head *head)
{
    if (!head->has_host && !head->is_old) {
        return LST_HEAD_NO_HOST;
    }
    if (head->has_host && head->form == LST_HEAD_ABSOLUTE &&
        !lst_slice_equal_ignoring_case(head->host, head->authority)) {
        return LST_HEAD_OTHER_HOST;
    }
    if (head->is_chunked && head->has_content_length) {
        return LST_HEAD_TWO_FRAMINGS;
    }
    if (head->is_chunked && head->is_old) {
        return LST_HEAD_OLD_CODING;
    }
    head->keeps_connection = !head->says_close && (!head->is_old || head->says_keep_alive);
    head->expects_continue = head->expects_continue && !head->is_old;
    return LST_HEAD_COMPLETE;
}
