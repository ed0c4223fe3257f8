/* delay [-r rate] [-n lines] command - what a pipeline adds to the age of a line.
 *
 * Writes bookTicker frames of SOLUSDT into the shell's command, evenly spaced, RATE a second (1000), each with the time
 * of its writing in it, reads what comes back, and prints "LINES P50 P99 MOST": how many came back, and how many µs
 * they took from write(2) to read(2). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "num.h"
#include "stamp.h"

#define READ_BYTES (256u << 10)
#define WARM_US	   300000 /* until all programs have started */

struct writer {
	int fd;
	uint64_t lines, rate;
};

static void sleep_until(int64_t us)
{
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
	}
}

static void *write_lines(void *writer)
{
	const struct writer *w = writer;
	int64_t start = clock_mono_us() + WARM_US;
	char line[512], stamp[STAMP_BYTES + 1] = "";

	for (uint64_t i = 0; i < w->lines; i++) {
		sleep_until(start + (int64_t)(i * 1000000 / w->rate));
		stamp_print(stamp, clock_mono_us());
		int n = snprintf(line, sizeof line,
		    "{\"e\":\"bookTicker\",\"u\":%llu,\"s\":\"SOLUSDT\",\"ps\":\"SOLUSDT\",\"b\":\"142.35\","
		    "\"B\":\"%s\",\"a\":\"142.36\",\"A\":\"5.30\",\"T\":1790526538939,\"E\":1790526538940,\"st\":1}\n",
		    (unsigned long long)i + 1, stamp);
		if (write(w->fd, line, (size_t)n) != n)
			break;
	}
	close(w->fd);
	return NULL;
}

static void read_lines(int fd, struct stamps *s)
{
	static char buf[READ_BYTES];
	size_t have = 0;
	ssize_t k;

	while ((k = read(fd, buf + have, sizeof buf - have)) > 0) {
		int64_t now = clock_mono_us();
		char *p = buf, *end;
		have += (size_t)k;
		for (; (end = memchr(p, '\n', (size_t)(buf + have - p))); p = end + 1)
			stamps_take(s, (struct span){ p, (size_t)(end - p) }, now);
		have -= (size_t)(p - buf);
		memmove(buf, p, have);
	}
}

static pid_t start(const char *command, int *in, int *out)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*in = to[1];
	*out = from[0];
	return pid;
}

int main(int argc, char **argv)
{
	static struct stamps stamps;
	struct writer w = { .lines = 4000, .rate = 1000 };
	pthread_t thread;
	int c, out, status;

	while ((c = getopt(argc, argv, "r:n:")) != -1)
		if (c == '?' || !num_u64(span_of(optarg), 1, STAMPS_MAX, c == 'r' ? &w.rate : &w.lines))
			optind = argc;
	if (argc - optind != 1) {
		fputs("usage: delay [-r rate] [-n lines] command\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	pid_t pid = start(argv[optind], &w.fd, &out);
	if (pid < 0 || pthread_create(&thread, NULL, write_lines, &w) != 0)
		return 3;
	read_lines(out, &stamps);
	pthread_join(thread, NULL);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return 1;
	bool all = stamps.n == w.lines;
	stamps_print(&stamps);
	return all ? 0 : 1;
}
