/* spent [-r runs] file command... - runs a command so many times (1), one after the other, and writes to the file what
 * that took: "WALL CPU PEAK STATUS", µs, µs and KiB, the medians of the runs and the largest peak; STATUS is 0 when
 * all runs ended so. It is small itself, as what a process had before exec(2) counts as its peak. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "num.h"

#define RUNS_MAX 1000

extern char **environ;

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int64_t median(int64_t *of, size_t n)
{
	qsort(of, n, sizeof *of, compare);
	return of[n / 2];
}

static int64_t us(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

int main(int argc, char **argv)
{
	static int64_t wall[RUNS_MAX], cpu[RUNS_MAX];
	uint64_t runs = 1;
	int c, bad = 0;
	long peak = 0;

	while ((c = getopt(argc, argv, "+r:")) != -1)
		if (c != 'r' || !num_u64(span_of(optarg), 1, RUNS_MAX, &runs))
			optind = argc;
	if (argc - optind < 2) {
		fputs("usage: spent [-r runs] file command...\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < runs; i++) {
		struct rusage usage;
		int64_t start = clock_mono_us();
		int status;
		pid_t pid;
		if (posix_spawnp(&pid, argv[optind + 1], NULL, NULL, argv + optind + 1, environ) != 0)
			return 3;
		if (wait4(pid, &status, 0, &usage) < 0)
			return 3;
		wall[i] = clock_mono_us() - start;
		cpu[i] = us(usage.ru_utime) + us(usage.ru_stime);
		peak = usage.ru_maxrss > peak ? usage.ru_maxrss : peak;
		bad |= status;
	}
	FILE *out = fopen(argv[optind], "w");
	if (!out)
		return 3;
	fprintf(out, "%lld %lld %ld %d\n", (long long)median(wall, runs), (long long)median(cpu, runs), peak, bad);
	return fclose(out) ? 3 : 0;
}
