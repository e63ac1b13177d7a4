/*
 * index.h - an ordered, durable map of byte-string keys to byte-string values, split into
 * partitions.
 *
 * What the store stands on. The interface is what an embedded B-tree gives cheaply and what one
 * object of a distributed engine gives as well (RADOS omap, for one), so that the store above runs
 * on either: reads are point reads and forward scans, which copy what they read; a write is a batch
 * on one partition, applied whole or not at all; nothing spans partitions. The engine of this
 * folder is LMDB; none of its types shows here.
 *
 * Partitions are numbers that the caller chose. One exists as soon as something is in it.
 * Keys order as bytes (memcmp, a shorter key first). A key has 1 to LST_INDEX_KEY_MAX bytes, a
 * value 0 to LST_INDEX_VALUE_MAX.
 *
 * Threads: any thread may read, submit and close; a reader belongs to one thread at a time.
 * Processes: several may have the same index open; what one commits, the next reader of another
 * sees. But one process must not open the same file twice at a time: the first close would release
 * the locks of both. After a fork() the child must not touch what the parent has open.
 */
#ifndef LST_INDEX_INDEX_H
#define LST_INDEX_INDEX_H

#include "base/error.h"
#include "base/slice.h"

#define LST_INDEX_KEY_MAX   2100
#define LST_INDEX_VALUE_MAX (256 * 1024)
#define LST_INDEX_ADD_MAX   128 /* bytes of the numbers of one LST_INDEX_ADD, or of their row */
#define LST_INDEX_RANGE_ROW 's' /* see Ranges */
#define LST_INDEX_EPOCH     8   /* bytes */

struct lst_index;
struct lst_index_reader;

struct lst_index_options {
    const char *path;  /* of the file; made if it is not there */
    uint64_t size_max; /* bytes of address space to reserve, the most the file can grow to; 0: 1
                        * TiB. Where there is not so much, less is taken, down to 64 MiB */
    bool read_only;    /* refuse to make or to change it */
    bool has_secrets;  /* wipe what was read from memory when a reading ends */
    bool has_ranges;   /* partitions may be cut into ranges, see below */
};

/* Open. Starts the committer's thread unless read_only. LST_ERR_IO, _PERMISSION, _NOT_FOUND,
 * _CORRUPT, _NO_MEMORY; LST_ERR_FORMAT: another version of Latchstring made it, with another
 * format; it is left as it is. */
LST_MUST_CHECK int lst_index_open(const struct lst_index_options *options,
                                  struct lst_index **ret_index);

/*
 * What can be seen of a file before it is mapped: LST_ERR_CORRUPT, with what is wrong in words that
 * go on after its name ("has 4096 bytes, and its header says 40960: it was cut short"), if it is
 * empty, does not have the header of an index, or lacks pages that are in use. lst_index_open()
 * looks first, and gives the same code. LST_OK, LST_ERR_NOT_FOUND, _PERMISSION, _IO, _NO_MEMORY:
 * ret_text is as it was.
 */
#define LST_INDEX_DAMAGE_MAX 128
LST_MUST_CHECK int lst_index_examine(const char *path, char ret_text[LST_INDEX_DAMAGE_MAX]);

/*
 * Close. Waits until every batch that was submitted has been completed; there must be no open
 * reader. NULL does nothing.
 */
void lst_index_close(struct lst_index *index);

/*
 * A subscription to a partition, as a number: it is another one whenever any process has committed
 * something there. What was read from the partition after the number was asked for is true as long
 * as the number stays the same.
 *
 * It may change without reason: whoever learns of changes by messages, which can be lost, has a
 * lease, and when that has run out nobody knows. It never stays the same without reason. Costs less
 * than 100 ns. LMDB has one number for all partitions, that of the last transaction.
 */
uint64_t lst_index_version(struct lst_index *index, uint64_t partition);

/*
 * ---- Ranges
 *
 * A distributed engine keeps a large partition in several pieces. If the index was opened with
 * has_ranges, a partition may be cut into ranges, at borders that the engine chooses, and moves as
 * it likes. LMDB never cuts.
 *
 * The route of a row is what stands in its key behind the first byte, up to the first two bytes 00
 * that follow each other, with them. A range has all rows whose routes are not less than its lower
 * border and less than that of the next range, whatever their first byte is. The lower border of
 * the first range is empty. So all rows of one route are in one range, with those before and behind
 * them.
 *
 * A key of one byte has no route: each range has a row of its own by that name. Which one is meant,
 * a route says, or any key without its first byte. Of these the row LST_INDEX_RANGE_ROW begins with
 * the range's epoch, a number of LST_INDEX_EPOCH bytes, which the engine raises whenever the
 * borders of that range move; a new range gets a copy of that row, and no other row of its own. So
 * who requires that row as it was read has a batch that was made for the range as it is.
 *
 * - A batch stays within one range, that of its route. Nothing is atomic over several.
 * - Readings by key and scans need not know of ranges. Scans give the rows of all ranges in the
 *   order of their keys; ranges' own rows they may leave out.
 * - Who changes or sums something of the whole partition goes from range to range
 *   (lst_index_next_range()), and has to leave it so that another can finish what he began.
 */

/* ---- Reading */

/*
 * Begin to read. A reader is memory for what is read, and a place in a scan; it holds nothing of
 * the engine between two calls, so it may be kept for as long as one likes. Any call may wait.
 *
 * There is no snapshot: each call sees what was committed by then, and a batch may come between any
 * two. Who writes requires in his batch what he has read. Who reads several rows that belong
 * together reads the one again that all changes of the others change too (the head), and begins
 * again if it is another.
 *
 * LST_ERR_NO_MEMORY; LST_ERR_ENDING: a sync of the index has failed (lst_index_has_failed()). What
 * a reader would see then is the state before the change of which nobody knows, and whoever looks
 * whether it happened would be told that it did not. Every call below gives that code then, too,
 * and LST_ERR_IO and _NO_MEMORY.
 */
LST_MUST_CHECK int lst_index_read_begin(struct lst_index *index,
                                        struct lst_index_reader **ret_reader);
void lst_index_read_end(struct lst_index_reader *reader);

/* From now on a get of this reader gives LST_ERR_CORRUPT for what is not found and would stand
 * beside a damaged row: it may be that row. For who lets in what is not there (revocations). Else
 * that is told only if the damaged row is known to be it. */
void lst_index_read_strictly(struct lst_index_reader *reader);

/*
 * Every row carries a checksum of its partition, key and value, which each reading holds it
 * against. One that is wrong makes the reading of that row LST_ERR_CORRUPT, and no other. What
 * stands there is given all the same, for one who replaces or deletes the row and requires what he
 * read; whoever else looks at it is wrong. A cursor can go on behind such a row. It does so only on
 * purpose: an answer that leaves out a row which is there is a wrong answer.
 *
 * LST_ERR_CORRUPT also if the index can't find its way (to keys that are longer than one of its
 * rows, too); there is nothing to give then, and nothing to go on from: key and value are empty.
 * Such is what a page gives that makes no sense, that the disk can't read, or that was cut away
 * from the file: for that, opening an index sets handlers of SIGBUS and SIGSEGV, which hand on all
 * other faults to those that were set before.
 */
static inline bool lst_index_is_damaged_row(int status, struct lst_slice key)
{
    return status == LST_ERR_CORRUPT && key.length > 0;
}

/* The value of a key: a copy, the reader's, until lst_index_read_end(). LST_ERR_NOT_FOUND,
 * _CORRUPT. */
LST_MUST_CHECK int lst_index_get(struct lst_index_reader *reader, uint64_t partition,
                                 struct lst_slice key, struct lst_slice *ret_value);

/* The value of a row that is a range's own, of the range that has this route. As above. A plain get
 * gives the first range's. */
LST_MUST_CHECK int lst_index_get_own(struct lst_index_reader *reader, uint64_t partition,
                                     struct lst_slice route, char name,
                                     struct lst_slice *ret_value);

/* The lower border of the range behind the one that has this route: a copy, the reader's, until
 * lst_index_read_end(). LST_ERR_NOT_FOUND: that is the last one. */
LST_MUST_CHECK int lst_index_next_range(struct lst_index_reader *reader, uint64_t partition,
                                        struct lst_slice route, struct lst_slice *ret_low);

/*
 * Scan: go to the first key of the partition that is not less than this one, or, next, to the one
 * after. LST_ERR_NOT_FOUND: there is none. LST_ERR_CORRUPT: see above. Key and value are copies,
 * the reader's, until it seeks or goes on; a get between them changes nothing. Rows may be read
 * ahead: a row is given as it was at some moment since the seek. The key to seek may be one that
 * the reader gave.
 */
LST_MUST_CHECK int lst_index_seek(struct lst_index_reader *reader, uint64_t partition,
                                  struct lst_slice key, struct lst_slice *ret_key,
                                  struct lst_slice *ret_value);
LST_MUST_CHECK int lst_index_next(struct lst_index_reader *reader, struct lst_slice *ret_key,
                                  struct lst_slice *ret_value);

/*
 * From now on the scans of this reader give heads only: of a value that was put with a head, that;
 * of any other, all. What stands behind a head is neither read nor checked. A head that is damaged
 * is LST_ERR_CORRUPT, and never given for another; damage behind it is met by who reads the value.
 * Before the first seek.
 */
void lst_index_read_heads(struct lst_index_reader *reader);

/* After a seek or a next that gave this status: go on behind rows that are damaged. For
 * housekeeping, which one row must not keep from all others. */
LST_MUST_CHECK static inline int lst_index_pass_damaged(struct lst_index_reader *reader, int status,
                                                        struct lst_slice *key,
                                                        struct lst_slice *value)
{
    while (lst_index_is_damaged_row(status, *key)) {
        status = lst_index_next(reader, key, value);
    }
    return status;
}

/*
 * A change looks at the pages that it goes through, and is refused (LST_ERR_CORRUPT) if one of them
 * makes no sense. One that meets such a page all the same ends the process: what half a change is
 * worth, nobody knows. A SIGBUS goes to the handler that was there before the first index was
 * opened; in other cases this is called, with the path of the file, and should say what happened
 * and end the process. It must be safe in a signal's handler. NULL, or if it comes back: the
 * process ends by a signal.
 */
void lst_index_at_end(void (*say)(const char *path));

/* ---- Writing */

enum lst_index_change_kind {
    LST_INDEX_PUT,    /* set the value, whether or not the key is there */
    LST_INDEX_DELETE, /* remove the key; nothing if it is not there */
    /* Add to numbers: the value is some of 8 bytes each, two's complement, big-endian, and so is
     * what stands at the key; what is missing in either is 0. Many can add at the same time, since
     * nobody has to read before. To a damaged row nothing is added: it stays as it is until
     * somebody puts it. LST_ERR_MALFORMED: a length that is no multiple of 8. */
    LST_INDEX_ADD,
    LST_INDEX_REQUIRE_ABSENT,  /* else the batch fails with LST_ERR_EXISTS */
    LST_INDEX_REQUIRE_PRESENT, /* else the batch fails with LST_ERR_NOT_FOUND */
    LST_INDEX_REQUIRE_PREFIX,  /* the value is there and begins with these bytes, else
                                * LST_ERR_CONFLICT; that also if borders moved, and the batch is
                                * not within one range any more */
    /* A damaged row counts as what stands there, so that it can be replaced. */
};

struct lst_index_change {
    enum lst_index_change_kind kind;
    struct lst_slice key;
    struct lst_slice value; /* of PUT, ADD and REQUIRE_PREFIX */
    /* Of PUT: so many of the value's first bytes are its head, which scans can read without the
     * rest (lst_index_read_heads()), and which has a checksum of its own. 0: it has none. */
    size_t head_length;
};

/*
 * One atomic write. All preconditions are looked at before the first change, against what the
 * batches before it left. The batch and all that it points to stay the caller's, and must stay
 * unchanged until done() is called: exactly once, on the committer's thread, when the batch is
 * durable or has failed. done() must not block; it may submit again. status: 0; the precondition's
 * code; LST_ERR_TOO_LARGE (a key, value or head beyond its limit), _NO_SPACE, _IO, _NO_MEMORY,
 * _CORRUPT: nothing was written. LST_ERR_UNKNOWN: the batch may or may not be there after the next
 * opening, whole or not at all (see lst_index_has_failed()). failed_change: the index of the change
 * whose precondition did not hold. On an index opened read_only: LST_ERR_PERMISSION, on the
 * caller's thread.
 */
struct lst_index_batch {
    uint64_t partition;
    struct lst_slice route; /* that of any of its rows; empty: the first range */
    const struct lst_index_change *changes;
    size_t change_count;
    bool makes_room; /* it deletes more than it puts: it may have the last pages of an index that
                      * is full. One that puts nothing always may */
    void (*done)(struct lst_index_batch *batch, int status, size_t failed_change);
    void *context;                /* the caller's */
    struct lst_index_batch *next; /* the engine's */
};

/*
 * Hand a batch to the committer, which takes all that are waiting, commits them with one sync and
 * completes them. Batches are applied in the order in which they were submitted.
 */
void lst_index_submit(struct lst_index *index, struct lst_index_batch *batch);

/* Submit and wait (base/wait.h). Not on the committer's thread. Gives the batch's status. The first
 * is for the first range, or where there is but one. */
LST_MUST_CHECK int lst_index_apply(struct lst_index *index, uint64_t partition,
                                   const struct lst_index_change *changes, size_t change_count);
LST_MUST_CHECK int lst_index_apply_to(struct lst_index *index, uint64_t partition,
                                      struct lst_slice route,
                                      const struct lst_index_change *changes, size_t change_count);

/*
 * Whether a sync of the index has failed. The kernel may then have dropped what it was to write, so
 * nothing is written any more: every batch from then on gets LST_ERR_UNKNOWN, and no reading can be
 * begun (LST_ERR_ENDING). Close the index; the next opening reads what is on the disk, and commits
 * once before it gives out anything, so that what it read can't be undone. docs/durability.md has
 * the reasons.
 */
bool lst_index_has_failed(const struct lst_index *index);

/* ---- Checking */

/* Something that is wrong with an index, as lst_index_verify() found it. What is meant by a key
 * may have changed with it. */
struct lst_index_fault {
    const char *text; /* what is wrong with the row, the page that should have it, or the file */
    bool has_place;   /* else it is the file as a whole */
    bool is_row;      /* the row of this key; else all from it up to, but not including, the end */
    bool is_order;    /* not a row: all is there, but rows whose names are damaged, and reported as
                       * well, keep some from being found or changed */
    uint64_t partition;
    struct lst_slice key; /* of a long one only its beginning; both may be empty */
    uint64_t end_partition;
    struct lst_slice end;
};

struct lst_index_verify {
    bool with_rows; /* hold each row against its checksum, too */
    void (*report)(void *context, const struct lst_index_fault *fault);
    void *context;
    /* What was found. */
    uint64_t pages;
    uint64_t rows;
    uint64_t faults;
};

/*
 * Read the whole file, and hold its pages against each other: that all rows are there, each where a
 * read looks for it, and that no page is of an older time, as far as that shows. What does not show
 * is a page that is whole, but is the one that was there before the last change of it: a write that
 * the disk swallowed. Beside writers; the snapshot that is read lasts as long as this does.
 * LST_ERR_CORRUPT: it can't begin; _IO, _NO_MEMORY.
 */
LST_MUST_CHECK int lst_index_verify(struct lst_index *index, struct lst_index_verify *verify);

/* What an index has done since it was opened, for metrics. */
struct lst_index_statistics {
    uint64_t commits; /* syncs */
    uint64_t batches;
    uint64_t entries;    /* keys in all partitions, of all processes */
    uint64_t bytes_used; /* of the file */
};
void lst_index_statistics(struct lst_index *index, struct lst_index_statistics *ret_statistics);

#endif
