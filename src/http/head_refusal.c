/* head_refusal.c - what the server answers to a head that is not in order. */
#include "http/head.h"

#define BAD "BadRequest"

static const struct lst_http_head_refusal refusals[LST_HEAD_VERDICTS] = {
    [LST_HEAD_BAD_LINE] = {400, BAD,
                           "The request line must be a method, a target and HTTP/1.1, with one "
                           "space between each, and end in CR LF",
                           "RFC 9112, 3"},
    [LST_HEAD_METHOD_TOO_LONG] = {501, "NotImplemented",
                                  "The method is longer than any method that the server knows",
                                  "RFC 9112, 3"},
    [LST_HEAD_TARGET_TOO_LONG] = {414, "InvalidURI",
                                  "The request target is longer than the server allows",
                                  "RFC 9112, 3"},
    [LST_HEAD_BAD_TARGET] = {400, BAD,
                             "The request target must begin with '/', or be http:// or https:// "
                             "and a host; '*' is for OPTIONS alone",
                             "RFC 9112, 3.2"},
    [LST_HEAD_BAD_VERSION] = {505, BAD, "This server speaks HTTP/1.1 and HTTP/1.0",
                              "RFC 9110, 15.6.6"},
    [LST_HEAD_BARE_LF] = {400, BAD, "A header line ends in LF without CR", "RFC 9112, 2.2"},
    [LST_HEAD_BARE_CR] = {400, BAD, "A header line contains a CR without LF", "RFC 9112, 2.2"},
    [LST_HEAD_FOLDED] = {400, BAD, "A header line begins with white space: it is folded",
                         "RFC 9112, 5.2"},
    [LST_HEAD_SPACE_BEFORE_COLON] = {400, BAD, "There is white space before the colon of a header",
                                     "RFC 9112, 5.1"},
    [LST_HEAD_NO_COLON] = {400, BAD, "A header line has no colon", "RFC 9112, 5"},
    [LST_HEAD_BAD_NAME] = {400, BAD, "The name of a header is empty or has an invalid character",
                           "RFC 9110, 5.1"},
    [LST_HEAD_BAD_VALUE] = {400, BAD, "The value of a header has a control character",
                            "RFC 9110, 5.5"},
    [LST_HEAD_TOO_LARGE] = {400, "RequestHeaderSectionTooLarge", NULL, "RFC 9110, 5.4"},
    [LST_HEAD_NO_HOST] = {400, BAD, "There is no Host header", "RFC 9112, 3.2"},
    [LST_HEAD_TWO_HOSTS] = {400, BAD, "There is more than one Host header", "RFC 9112, 3.2"},
    [LST_HEAD_BAD_HOST] = {400, BAD, "The Host header is not a host name with an optional port",
                           "RFC 9112, 3.2"},
    [LST_HEAD_OTHER_HOST] = {400, BAD,
                             "The request target and the Host header name different hosts",
                             "RFC 9112, 3.2"},
    [LST_HEAD_BAD_LENGTH] = {400, BAD, "Content-Length is not a number", "RFC 9112, 6.3"},
    [LST_HEAD_TWO_LENGTHS] = {400, BAD, "There is more than one Content-Length header",
                              "RFC 9112, 6.3"},
    [LST_HEAD_TWO_FRAMINGS] = {400, BAD,
                               "There is more than one of the headers Content-Length and "
                               "Transfer-Encoding",
                               "RFC 9112, 6.1"},
    [LST_HEAD_BAD_CODING] = {400, BAD, "The only Transfer-Encoding that is understood is chunked",
                             "RFC 9112, 6.3"},
    [LST_HEAD_UNKNOWN_CODING] = {501, "NotImplemented",
                                 "The only Transfer-Encoding that is understood is chunked",
                                 "RFC 9112, 6.1"},
    [LST_HEAD_OLD_CODING] = {400, BAD, "HTTP/1.0 has no Transfer-Encoding", "RFC 9112, 6.1"},
};

const struct lst_http_head_refusal *lst_http_head_refusal(enum lst_http_head_verdict verdict)
{
    return &refusals[verdict];
}
