/* directory.h - what the commands `user` and `policy` share: the directory of users of a data
 * folder, and policies from files. */
#ifndef LST_CLI_DIRECTORY_H
#define LST_CLI_DIRECTORY_H

#include "cli/options.h"
#include "gate/users.h"

#include <jansson.h>

#define LST_DATA_HELP "data directory; default: $LATCHSTRING_DATA, or ./data"
#define LST_MAKE_HELP "create a missing data directory without asking"

enum lst_directory_mode {
    LST_DIRECTORY_READ,
    LST_DIRECTORY_CHANGE,
    LST_DIRECTORY_ASK,  /* change it; if it is not there, ask whether to make it */
    LST_DIRECTORY_MAKE, /* change it, and make it if it is not there yet */
};

/*
 * Whether a store may be made in this folder, where there is none: in mode MAKE, or in mode ASK
 * when somebody at the terminal says so. False, reported, if not: a mistyped --data must not become
 * a store.
 */
LST_MUST_CHECK bool lst_directory_may_make(const struct lst_usage *usage, const char *folder,
                                           enum lst_directory_mode mode);

/* lst_error_text() of a folder that can't be opened, and what to do if it is another user's. */
const char *lst_directory_error_text(int status);

/* Open the users of --data (may be NULL). Reports what is wrong and gives an exit status. */
LST_MUST_CHECK int lst_directory_open(const struct lst_usage *usage, const char *data,
                                      enum lst_directory_mode mode, struct lst_users **ret_users);

/* The folder that --data (NULL: it was not given) means: that, or $LATCHSTRING_DATA, or "data". */
const char *lst_directory_folder(const char *data);

/* The same, for whoever looks at it first. False, reported, if --data was given without a name: an
 * empty variable of a script must not become ./data. */
LST_MUST_CHECK bool lst_directory_named(const struct lst_usage *usage, const char *data,
                                        const char **ret_folder);

/* Warn that the store in this folder has no such bucket, which is often a slip of the pen, and what
 * that means until it is made. Says nothing if it can't be told, or if the bucket is NULL. */
void lst_directory_warn_of_bucket(const struct lst_usage *usage, const char *folder,
                                  const char *bucket, const char *consequence);

/* Report that FOLDER/NAME, an index file, can't be used, and what to do; status: as
 * lst_damage_text() takes it. Gives LST_EXIT_FAILED. */
int lst_directory_damaged(const char *command, const char *folder, const char *name, int status);

/*
 * Parse the options of a command whose only operand is a user's name, and give that. NULL, with
 * *ret_status set, if the command is over: help was asked for, or a mistake was made, and reported.
 */
const char *lst_directory_name(const struct lst_usage *usage, int argument_count, char **arguments,
                               int *ret_status);

/* Find a user in --data (may be NULL); to be released. Reports what is wrong and gives an exit
 * status. */
LST_MUST_CHECK int lst_directory_find(const struct lst_usage *usage, const char *data,
                                      const char *name, struct lst_user *ret_user);

/*
 * Find a user in --data (may be NULL), let edit() change it, store it; again, if another process
 * changed it meanwhile. edit() gives an exit status, and reports. Reports what is wrong and gives
 * an exit status.
 */
LST_MUST_CHECK int lst_directory_change(const struct lst_usage *usage, const char *data,
                                        const char *name,
                                        int (*edit)(void *context, struct lst_user *user),
                                        void *context);

/* Report that an operation on a user failed. Gives LST_EXIT_FAILED. */
int lst_directory_report(const struct lst_usage *usage, const char *name, int code);

/*
 * The text of a policy, checked: a ready-made one by its name (limited to a bucket unless that is
 * NULL), a file, or standard input for "-". *ret_policy is to be freed. Reports what is wrong and
 * gives an exit status.
 */
LST_MUST_CHECK int lst_directory_policy(const struct lst_usage *usage, const char *source,
                                        const char *bucket, char **ret_policy);

/* Warn of what a policy, which was checked, says and hardly means: actions that no operation of S3
 * needs, and statements that can't apply. */
void lst_directory_warn_of_policy(const struct lst_usage *usage, const char *policy);

/* Read standard input to its end. LST_ERR_TOO_LARGE, _IO, _NO_MEMORY. */
LST_MUST_CHECK int lst_directory_read_input(struct lst_buffer *ret_content);

/* A list that is printed: of users, of tokens. */
struct lst_directory_list {
    json_t *json; /* an array to append to, or NULL to print lines */
    size_t damaged;
};

/* Add one whose row is damaged, of which only this is known: name: of the member, "name". */
LST_MUST_CHECK int lst_directory_list_damaged(struct lst_directory_list *list, const char *name,
                                              const char *text);

/* The list is over, with this status: print it if it is JSON, and report what is wrong with it.
 * damaged: what to say of damaged ones behind "the rows of 2 of these ". Gives an exit status. */
LST_MUST_CHECK int lst_directory_list_end(const struct lst_usage *usage,
                                          struct lst_directory_list *list, int status,
                                          const char *damaged);

/* A time as "2026-11-23T19:18:00Z", ending in NUL. */
void lst_directory_time(int64_t time_ms, char ret_text[21]);

/* Print JSON on standard output, and free it. Gives an exit status; NULL is out of memory. */
LST_MUST_CHECK int lst_directory_print(const struct lst_usage *usage, json_t *document);

#endif
