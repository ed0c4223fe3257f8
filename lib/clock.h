/* clock - the two clocks, in microseconds. Pure modules never call this: time comes in as an argument. */
#ifndef BNC_CLOCK_H
#define BNC_CLOCK_H

#include <stdint.h>

int64_t clock_real_us(void); /* since the epoch, UTC; may be stepped */
int64_t clock_mono_us(void); /* since boot; never goes back */

#endif
