/* clock - the two clocks, in microseconds. Pure modules never call this: time comes in as an argument. */
#ifndef BNC_CLOCK_H
#define BNC_CLOCK_H

#include <stdint.h>

int64_t clock_real_us(void); /* since the epoch, UTC; may be stepped */
int64_t clock_mono_us(void); /* since boot; never goes back */

/* From now to a time of clock_mono_us in ms, for poll(2): rounded up, and an hour at most; -1 for INT64_MAX, never */
int clock_wait_ms(int64_t when);

#endif
