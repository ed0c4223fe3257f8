#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_NAME    "BNC_API_KEY"
#define SECRET_NAME "BNC_API_SECRET"
#define LINKS_MAX   40 /* as in path_resolution(7) */
#define PATH_BYTES  4096

static bool fail(char why[256], const char *reason)
{
	snprintf(why, 256, "%s", reason);
	return false;
}

void keys_wipe(struct keys *k)
{
	explicit_bzero(k, sizeof *k);
}

/* ------------------------------------------------------------------------------------------------------- values */

static const char *unfit(struct span value, size_t max)
{
	if (value.n == 0)
		return "is empty";
	if (value.n > max)
		return "is too long";
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~')
			return "has blanks, line ends or other bytes in it that no key has";
	return NULL;
}

static bool is_pem(struct span s)
{
	return span_starts(s, SPAN("-----BEGIN "));
}

static bool take_value(char *to, size_t max, struct span value, const char *name, char why[256])
{
	const char *reason = *to ? "is there twice" : unfit(value, max);

	if (reason) {
		snprintf(why, 256, "%s %s", name, reason);
		return false;
	}
	memcpy(to, value.p, value.n);
	return true;
}

/* -------------------------------------------------------------------------------------------------------- text */

/* the block that begins with `text`: up to the end of the line that ends it; empty: there is no such line */
static struct span pem_block(struct span text)
{
	const char *end = memmem(text.p, text.n, "\n-----END ", 10);
	const char *nl = end ? memchr(end + 1, '\n', text.n - (size_t)(end + 1 - text.p)) : NULL;

	if (!end)
		return (struct span){ text.p, 0 };
	return (struct span){ text.p, nl ? (size_t)(nl - text.p) : text.n };
}

static bool take_pem(struct keys *k, struct span *text, char why[256])
{
	struct span block = pem_block(*text);

	if (block.n == 0)
		return fail(why, "a block of PEM is cut off: its last line is missing");
	if (block.n > KEYS_SECRET_MAX)
		return fail(why, "a block of PEM is too long");
	if (*k->secret)
		return fail(why, SECRET_NAME " is there twice");
	if (memchr(block.p, '\0', block.n))
		return fail(why, "a block of PEM has a NUL in it");
	memcpy(k->secret, block.p, block.n);
	text->p += block.n;
	text->n -= block.n;
	return true;
}

/* the line that *text begins with; *text is what stands behind it */
static bool take_line(struct keys *k, struct span *text, unsigned number, char why[256])
{
	struct span rest;
	struct span line = span_cut(*text, '\n', &rest);

	*text = rest.p ? rest : (struct span){ line.p + line.n, 0 };
	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (span_starts(line, SPAN(KEY_NAME "=")))
		return take_value(k->api_key, KEYS_API_KEY_MAX,
		    (struct span){ line.p + sizeof KEY_NAME, line.n - sizeof KEY_NAME }, KEY_NAME, why);
	if (span_starts(line, SPAN(SECRET_NAME "=")))
		return take_value(k->secret, KEYS_SECRET_MAX,
		    (struct span){ line.p + sizeof SECRET_NAME, line.n - sizeof SECRET_NAME }, SECRET_NAME, why);
	snprintf(why, 256, "line %u is neither " KEY_NAME "=..., " SECRET_NAME "=... nor the beginning of PEM", number);
	return false;
}

static unsigned lines_in(const char *from, const char *to)
{
	unsigned n = 0;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

static bool parse(struct keys *k, struct span text, char why[256])
{
	const char *from = text.p;

	while (text.n > 0)
		if (is_pem(text) ? !take_pem(k, &text, why) : !take_line(k, &text, lines_in(from, text.p) + 1, why))
			return false;
	if (!*k->api_key)
		return fail(why, KEY_NAME " is missing");
	return *k->secret || fail(why, SECRET_NAME ", or a private key in PEM, is missing");
}

bool keys_parse(struct keys *k, struct span text, char why[256])
{
	keys_wipe(k);
	if (parse(k, text, why))
		return true;
	keys_wipe(k);
	return false;
}

/* ------------------------------------------------------------------------------------------------- environment */

static void wipe_variable(char *value, const char *name)
{
	if (value)
		explicit_bzero(value, strlen(value));
	unsetenv(name);
}

static bool take_values(struct keys *k, const char *key, const char *secret, char why[256])
{
	struct span pem;

	if (!key && !secret)
		return fail(why, "");
	if (!key || !secret)
		return fail(
		    why, key ? KEY_NAME " is set, " SECRET_NAME " is not" : SECRET_NAME " is set, " KEY_NAME " is not");
	if (!take_value(k->api_key, KEYS_API_KEY_MAX, span_of(key), KEY_NAME, why))
		return false;
	if (!is_pem(span_of(secret)))
		return take_value(k->secret, KEYS_SECRET_MAX, span_of(secret), SECRET_NAME, why);
	pem = span_of(secret);
	return take_pem(k, &pem, why) &&
	       (span_trim(pem).n == 0 || fail(why, SECRET_NAME ": more behind the block of PEM"));
}

bool keys_take_environment(struct keys *k, char why[256])
{
	char *key = getenv(KEY_NAME);
	char *secret = getenv(SECRET_NAME);

	keys_wipe(k);
	bool good = take_values(k, key, secret, why);
	if (!good)
		keys_wipe(k);
	wipe_variable(key, KEY_NAME);
	wipe_variable(secret, SECRET_NAME);
	return good;
}

/* -------------------------------------------------------------------------------------------------------- files */

/* The way to a file, a component at a time, so that every link on it is seen. */
struct way {
	int dir;	       /* owned */
	char rest[PATH_BYTES]; /* still to go */
	unsigned links;
};

static bool refuse_errno(char why[256])
{
	return fail(why, strerror(errno));
}

static int no_file(char why[256], const char *reason)
{
	fail(why, reason);
	return -1;
}

static bool enter(struct way *w, const char *name, char why[256])
{
	int dir = openat(w->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return refuse_errno(why);
	close(w->dir);
	w->dir = dir;
	return true;
}

/* a path that begins with '/' begins anew, whatever has been gone so far */
static bool go_to_root(struct way *w, char why[256])
{
	return w->rest[0] != '/' || enter(w, "/", why);
}

/* the first component of what is still to go, cut off; empty: that was all */
static void next_name(struct way *w, char name[256])
{
	const char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");

	snprintf(name, 256, "%.*s", (int)(n < 255 ? n : 255), from);
	memmove(w->rest, from + n, strlen(from + n) + 1);
}

static bool may_anybody_write(int dir)
{
	struct stat st;

	return fstat(dir, &st) != 0 || (st.st_mode & S_IWOTH);
}

static bool follow(struct way *w, const char *name, char why[256])
{
	char to[PATH_BYTES], path[2 * PATH_BYTES];
	ssize_t n = readlinkat(w->dir, name, to, sizeof to - 1);

	if (n < 0)
		return refuse_errno(why);
	to[n] = '\0';
	if (may_anybody_write(w->dir))
		return fail(why, "it is reached through a symbolic link in a directory where everybody may make one");
	if (++w->links > LINKS_MAX)
		return fail(why, strerror(ELOOP));
	snprintf(path, sizeof path, "%s%s", to, w->rest);
	size_t path_n = strlen(path);
	if (path_n >= sizeof w->rest)
		return fail(why, strerror(ENAMETOOLONG));
	memcpy(w->rest, path, path_n + 1);
	return go_to_root(w, why);
}

static const char *not_to_be_trusted(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "it belongs to another user";
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return "others may read or write it; its mode should be 600";
	return NULL;
}

/* the file at the end of the way, -1: why[] */
static int open_last(struct way *w, const char *name, char why[256])
{
	/* not blocking, so that a FIFO is refused and not waited for */
	int fd = openat(w->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *reason = fd < 0 ? strerror(errno) : not_to_be_trusted(fd);

	if (!reason)
		return fd;
	if (fd >= 0)
		close(fd);
	return no_file(why, reason);
}

static bool is_link(const struct way *w, const char *name)
{
	struct stat st;

	return fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

static int go(struct way *w, char why[256])
{
	char name[256];

	if (!go_to_root(w, why))
		return -1;
	for (;;) {
		next_name(w, name);
		if (!*name)
			return no_file(why, strerror(EISDIR));
		if (is_link(w, name)) {
			if (!follow(w, name, why))
				return -1;
		} else if (!w->rest[strspn(w->rest, "/")]) {
			return open_last(w, name, why);
		} else if (!enter(w, name, why)) {
			return -1;
		}
	}
}

static int open_file(const char *path, char why[256])
{
	struct way w = { .dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	size_t path_n = strlen(path);

	if (path_n >= sizeof w.rest)
		return no_file(why, strerror(ENAMETOOLONG));
	if (w.dir < 0)
		return no_file(why, strerror(errno));
	memcpy(w.rest, path, path_n + 1);
	int fd = go(&w, why);
	close(w.dir);
	return fd;
}

/* its bytes; -1: why[] */
static ssize_t read_all(int fd, char *buf, size_t cap, char why[256])
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, buf + n, cap - n)) > 0 || (got < 0 && errno == EINTR))
		n += got > 0 ? (size_t)got : 0;
	if (got < 0)
		return no_file(why, strerror(errno));
	return n < cap ? (ssize_t)n : no_file(why, "it is too long for a key file");
}

bool keys_read_file(struct keys *k, const char *path, char why[256])
{
	char buf[KEYS_FILE_MAX];
	int fd = open_file(path, why);

	keys_wipe(k);
	if (fd < 0)
		return false;
	ssize_t n = read_all(fd, buf, sizeof buf, why);
	close(fd);
	bool good = n >= 0 && keys_parse(k, (struct span){ buf, (size_t)n }, why);
	explicit_bzero(buf, sizeof buf);
	return good;
}
