/* html_test.c - whatever a text says, in a page it is only text. */
#include "api/html.h"

#include "tap.h"

static struct lst_buffer page;

static bool becomes(struct lst_slice text, const char *wanted)
{
    lst_buffer_clear(&page);
    lst_html_text(&page, text);
    return lst_slice_equal(lst_buffer_slice(&page), lst_slice_of(wanted));
}

static void test_text(void)
{
    CHECK(becomes(LST_SLICE("a b.jpg"), "a b.jpg"), "plain text stays");
    CHECK(becomes(LST_SLICE("\"'<>&"), "&quot;&#39;&lt;&gt;&amp;"),
          "what means something is escaped");
    CHECK(becomes(LST_SLICE("&amp;"), "&amp;amp;"), "also what looks escaped");
    CHECK(becomes(LST_SLICE("a\0b\nc\x7f"), "a\xef\xbf\xbd"
                                            "b\xef\xbf\xbd"
                                            "c\xef\xbf\xbd"),
          "controls are replaced");
    CHECK(becomes(LST_SLICE("\xc2\x9b\xc2\xa0"), "\xef\xbf\xbd\xc2\xa0"), "C1 controls too");
    CHECK(becomes(LST_SLICE("x\xe2\x80\xaegpj.exe"), "x\xef\xbf\xbdgpj.exe"),
          "and what turns text around");
    CHECK(becomes(LST_SLICE("\xe2\x80\x90\xe2\x81\xa5\xe2\x81\xaa"),
                  "\xe2\x80\x90\xe2\x81\xa5\xe2\x81\xaa"),
          "their neighbours stay");
    CHECK(becomes(LST_SLICE("\xff<\xc3"), "\xef\xbf\xbd&lt;\xef\xbf\xbd"), "what is no UTF-8 too");
    CHECK(becomes(LST_SLICE("\xf0\x9f\x98\x80\xe6\x97\xa5"), "\xf0\x9f\x98\x80\xe6\x97\xa5"),
          "all of Unicode stays");
    CHECK(becomes(lst_slice_make(NULL, 0), ""), "nothing is nothing");
}

static void test_query_value(void)
{
    lst_buffer_clear(&page);
    lst_html_query_value(&page, LST_SLICE("a/b \"<&+%\xc3\xbc"));
    CHECK(lst_slice_equal(lst_buffer_slice(&page), LST_SLICE("a%2Fb%20%22%3C%26%2B%25%C3%BC")),
          "a value in a query");
}

static void test_sizes(void)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{0, "0 bytes"},
                 {1, "1 byte"},
                 {999, "999 bytes"},
                 {1000, "1.0 kB"},
                 {1999, "1.9 kB"},
                 {999999, "999.9 kB"},
                 {1000000, "1.0 MB"},
                 {5497558138880, "5.4 TB"},
                 {UINT64_MAX, "18446744.0 TB"}};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        lst_buffer_clear(&page);
        lst_html_size(&page, sizes[i].bytes);
        CHECK(lst_slice_equal(lst_buffer_slice(&page), lst_slice_of(sizes[i].text)), "%s",
              sizes[i].text);
    }
}

int main(void)
{
    lst_buffer_init(&page, 1024);
    test_text();
    test_query_value();
    test_sizes();
    lst_buffer_clear(&page);
    lst_html_time(&page, 1795460280);
    CHECK(lst_slice_equal(lst_buffer_slice(&page), LST_SLICE("2026-11-23 18:58 UTC")), "a time");
    lst_buffer_release(&page);
    return tap_done();
}
