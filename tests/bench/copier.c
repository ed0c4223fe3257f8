/* copier - standard input to standard output, unchanged: the floor under every filter, what one would cost that looks
 * at no byte. 128 KiB at a time into a buffer that begins with a page, pipes of 256 KiB. */
#include <fcntl.h>
#include <stdalign.h>
#include <unistd.h>

#define BLOCK	   (128u << 10)
#define PIPE_BYTES (256 << 10)

int main(void)
{
	static alignas(4096) char block[BLOCK];
	ssize_t n, k;

	/* where it is no pipe there is nothing to set */
	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	while ((n = read(STDIN_FILENO, block, sizeof block)) > 0) {
		for (char *p = block; n > 0; p += k, n -= k) {
			k = write(STDOUT_FILENO, p, (size_t)n);
			if (k <= 0)
				return 1;
		}
	}
	return n < 0;
}
