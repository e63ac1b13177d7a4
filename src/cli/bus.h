/* bus.h - what a user sees of SIGBUS. */
#ifndef LST_CLI_BUS_H
#define LST_CLI_BUS_H

/*
 * The index is mapped into memory. If its file is cut short meanwhile, or the disk can't read a
 * page of it, the kernel sends SIGBUS: from now on the process then names the file on standard
 * error, says what to do, and exits with status 1.
 */
void lst_bus_errors_report(void);

#endif
