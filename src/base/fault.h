/* fault.h: named points where a test may make the product fail or die.
 * Compiled in only with -DFAULTS (test builds); otherwise FAULT() is 0.
 * VEDETTE_FAULT="writer.commit=kill@3,writer.commit=error@5": at the third
 * pass of that point the process kills itself, at the fifth FAULT() is true
 * ("@5+": and at every later one). "stall" sleeps there for five seconds, as
 * a disk does that has trouble of its own. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

#ifdef FAULTS
bool fault_here(const char *point);
#define FAULT(point) fault_here(point)
#else
#define FAULT(point) false
#endif

#endif
