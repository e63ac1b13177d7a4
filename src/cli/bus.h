/* bus.h - what a user sees of SIGBUS. */
#ifndef LST_CLI_BUS_H
#define LST_CLI_BUS_H

/*
 * The index is mapped into memory. If its file is cut short meanwhile, or the disk can't read a
 * page of it, the kernel sends SIGBUS. A read of the index that meets that is an error of that read
 * (index/index.h). In a change of the index, and elsewhere, from now on the process names the file
 * on standard error, says what to do, and exits with status 1; likewise if a change meets a page
 * that makes no sense. A fiber that uses up its stack (base/fiber.h) is named, too. To be called
 * before the first index is opened.
 */
void lst_bus_errors_report(void);

#endif
