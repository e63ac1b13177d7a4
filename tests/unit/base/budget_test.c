/* budget_test.c - the memory that all requests may hold together, and what JSON would take of it.
 */
#include "base/budget.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json_size.h"
#include "tap.h"

enum { LIMIT = 1000 * 1000 };

static void test_budget(void)
{
    lst_budget_set(LIMIT);
    CHECK(lst_budget_take(LIMIT - 1) && lst_budget_take(1), "all of it can be taken");
    CHECK(!lst_budget_take(1) && lst_budget_used() == LIMIT, "and no more");
    lst_budget_give(10);
    CHECK(!lst_budget_take(11) && lst_budget_take(10), "what is given back can be taken again");
    CHECK(!lst_budget_take(SIZE_MAX), "no number is too large to be refused");
    lst_budget_set(LIMIT / 2);
    lst_budget_give(1);
    CHECK(!lst_budget_take(1), "a smaller budget holds for what comes");
    lst_budget_give(LIMIT - 1);
    CHECK(lst_budget_used() == 0, "nothing is left over");
}

/* Charged for a piece: what it takes of the heap, which is a little more than was asked for. */
static bool is_about(size_t size)
{
    return lst_budget_used() >= size + 24 && lst_budget_used() <= size + 48;
}

/* Of many small pieces most is what the allocator adds: a budget that did not count it would let
 * in several times as much as it says. */
static void test_small_pieces(void)
{
    enum { COUNT = 1000 };
    void *pieces[COUNT];

    lst_budget_set(LIMIT);
    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = lst_budget_malloc(10);
    }
    CHECK(lst_budget_used() >= (size_t)COUNT * 40, "a piece of ten bytes costs forty at least: %zu",
          lst_budget_used() / COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        lst_budget_free(pieces[i]);
    }
    CHECK(lst_budget_used() == 0, "and gives back as much");
}

static void test_memory(void)
{
    char *memory;

    lst_budget_set(LIMIT);
    memory = lst_budget_malloc(1000);
    CHECK(memory != NULL && is_about(1000), "memory is charged");
    memory = lst_budget_realloc(memory, 5000);
    CHECK(memory != NULL && is_about(5000), "also when it grows");
    CHECK(lst_budget_realloc(memory, 2 * (size_t)LIMIT) == NULL && is_about(5000),
          "beyond the budget it stays as it is");
    CHECK(lst_budget_realloc(memory, SIZE_MAX - 8) == NULL && is_about(5000),
          "no number is too large to be refused");
    memory = lst_budget_realloc(memory, 100);
    CHECK(memory != NULL && is_about(100), "and when it shrinks");
    lst_budget_free(memory);
    lst_budget_free(NULL);
    CHECK(lst_budget_used() == 0, "and given back");
}

static void test_buffer(void)
{
    struct lst_buffer buffer;
    struct lst_buffer other;

    lst_buffer_init_charged(&buffer, 2 * (size_t)LIMIT);
    lst_buffer_init_charged(&other, LST_BUDGET_SMALL);
    (void)lst_buffer_reserve(&buffer, LST_BUDGET_SMALL);
    CHECK(buffer.bytes != NULL && lst_budget_used() == 0, "small buffers are free");
    (void)lst_buffer_reserve(&buffer, LIMIT / 2);
    CHECK(lst_budget_used() == buffer.capacity && lst_buffer_charge(&buffer) == buffer.capacity,
          "large ones are charged whole");
    CHECK(lst_buffer_reserve(&buffer, LIMIT + 1) == NULL &&
              lst_buffer_status(&buffer) == LST_ERR_NO_MEMORY,
          "beyond the budget there is no memory");
    (void)lst_budget_take(LIMIT - lst_budget_used());
    lst_buffer_append_string(&other, "an error");
    CHECK(lst_buffer_status(&other) == LST_OK, "an error has room even then");
    lst_budget_give(LIMIT - lst_buffer_charge(&buffer));
    lst_buffer_release(&buffer);
    lst_buffer_release(&other);
    CHECK(lst_budget_used() == 0, "releasing gives it back");
    CHECK(buffer.is_charged, "a buffer that was released is charged again");
}

static void check_json(const char *text, size_t depth, size_t containers, size_t separators)
{
    struct lst_json_size size = lst_json_measure(lst_slice_make(text, strlen(text)));

    CHECK(size.depth == depth && size.containers == containers && size.separators == separators,
          "%s", text);
}

static void test_json(void)
{
    check_json("", 0, 0, 0);
    check_json("{}", 1, 1, 0);
    check_json("[[],{\"a\":[1,2]}]", 3, 4, 3);
    check_json("[\"[{,:\\\"[\\\\\",1]", 1, 1, 1);
    check_json("[\"[", 1, 1, 0);
    check_json("[\"\\", 1, 1, 0);
    check_json("]]]][", 1, 1, 0);
}

int main(void)
{
    test_budget();
    test_memory();
    test_small_pieces();
    test_buffer();
    test_json();
    return tap_done();
}
