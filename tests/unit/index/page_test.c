/* page_test.c - pages of LMDB's file, looked at without LMDB. */
#include "index/lmdb_page.h"
#include "tap.h"

#include <string.h>

/* As LMDB writes it: the page's number, two bytes for nothing, flags, pages. */
static void begin_run(unsigned char *bytes, uint64_t number, uint16_t flags, uint32_t pages)
{
    memset(bytes, 0, LST_PAGE_HEADER);
    memcpy(bytes, &number, sizeof(number));
    memcpy(bytes + 10, &flags, sizeof(flags));
    memcpy(bytes + 12, &pages, sizeof(pages));
}

static void test_run(void)
{
    unsigned char bytes[LST_PAGE_HEADER];

    begin_run(bytes, 7, LST_PAGE_OVERFLOW, 3);
    CHECK(lst_page_begins_run(bytes, 7, 3), "three pages of big data begin with page 7");
    CHECK(!lst_page_begins_run(bytes, 8, 3), "page 8 is another");
    CHECK(!lst_page_begins_run(bytes, 7, 2), "they are not two");
    CHECK(!lst_page_begins_run(bytes, 7, 4), "nor four");
    begin_run(bytes, 7, LST_PAGE_LEAF, 3);
    CHECK(!lst_page_begins_run(bytes, 7, 3), "a leaf is no big data");
}

int main(void)
{
    test_run();
    return tap_done();
}
