/* lib/keys: what a key file may look like, whose it must be and how it may be reached; and the environment */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keys.h"

#define PEM_BLOCK "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"

static struct keys k;
static char dir[] = "/tmp/bnc-keys.XXXXXX";

/* --------------------------------------------------------------------------------------------------------- text */

static void taken(const char *text, const char *api_key, const char *secret)
{
	char why[256] = "";

	assert_true(keys_parse(&k, span_of(text), why));
	assert_string_equal(k.api_key, api_key);
	assert_string_equal(k.secret, secret);
}

static void refused(struct span text, const char *sentence)
{
	static const struct keys nothing;
	char why[256];

	assert_false(keys_parse(&k, text, why));
	assert_string_equal(why, sentence);
	assert_memory_equal(&k, &nothing, sizeof k); /* nothing of it is left */
}

static void good_texts(void **state)
{
	(void)state;
	taken("BNC_API_KEY=abc\nBNC_API_SECRET=def\n", "abc", "def");
	taken("BNC_API_SECRET=def\nBNC_API_KEY=abc", "abc", "def");
	taken("# of the test network\n\nBNC_API_KEY=a=b#c\n\nBNC_API_SECRET=d\"e'f\\\n", "a=b#c", "d\"e'f\\");
	taken("BNC_API_KEY=abc\n" PEM_BLOCK "\n", "abc", PEM_BLOCK);
	taken(PEM_BLOCK "\nBNC_API_KEY=abc", "abc", PEM_BLOCK);
	taken("BNC_API_KEY=abc\n" PEM_BLOCK, "abc", PEM_BLOCK);
}

static void bad_texts(void **state)
{
	static const char odd[] = " has blanks, line ends or other bytes in it that no key has";
	char text[KEYS_FILE_MAX], sentence[200];

	(void)state;
	refused(SPAN(""), "BNC_API_KEY is missing");
	refused(SPAN("BNC_API_KEY=abc\n"), "BNC_API_SECRET, or a private key in PEM, is missing");
	refused(SPAN(PEM_BLOCK), "BNC_API_KEY is missing");
	refused(SPAN("BNC_API_KEY=\nBNC_API_SECRET=def"), "BNC_API_KEY is empty");
	refused(SPAN("BNC_API_KEY=abc\nBNC_API_SECRET=\n"), "BNC_API_SECRET is empty");
	refused(SPAN("BNC_API_KEY=abc\nBNC_API_KEY=abd\n"), "BNC_API_KEY is there twice");
	refused(SPAN("BNC_API_KEY=abc\nBNC_API_SECRET=d\n" PEM_BLOCK), "BNC_API_SECRET is there twice");
	refused(SPAN("BNC_API_KEY=abc\n" PEM_BLOCK "\n" PEM_BLOCK), "BNC_API_SECRET is there twice");
	refused(SPAN("\nexport BNC_API_KEY=abc\n"),
	    "line 2 is neither BNC_API_KEY=..., BNC_API_SECRET=... nor the beginning of PEM");
	refused(SPAN("BNC_API_KEY=abc\n" PEM_BLOCK "\nsecret\n"),
	    "line 5 is neither BNC_API_KEY=..., BNC_API_SECRET=... nor the beginning of PEM");
	refused(SPAN("BNC_API_KEY=abc\nd\n"),
	    "line 2 is neither BNC_API_KEY=..., BNC_API_SECRET=... nor the beginning of PEM");
	refused(SPAN("BNC_API_KEY=abc\n-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n"),
	    "a block of PEM is cut off: its last line is missing");
	refused(SPAN("BNC_API_KEY=abc\n-----BEGIN PRIVATE KEY-----\nc2\0VjcmV0\n-----END PRIVATE KEY-----\n"),
	    "a block of PEM has a NUL in it");
	snprintf(sentence, sizeof sentence, "BNC_API_KEY%s", odd);
	refused(SPAN("BNC_API_KEY= abc\n"), sentence);
	refused(SPAN("BNC_API_KEY=a bc\n"), sentence);
	refused(SPAN("BNC_API_KEY=abc\t\n"), sentence);
	refused(SPAN("BNC_API_KEY=abc\r\nBNC_API_SECRET=def\r\n"), sentence);
	refused(SPAN("BNC_API_KEY=ab\0c\n"), sentence);
	refused(SPAN("BNC_API_KEY=ab\177c\n"), sentence);
	refused(SPAN("BNC_API_KEY=\303\244bc\n"), sentence);
	memset(text, 'x', sizeof text);
	memcpy(text, "BNC_API_KEY=", 12);
	refused((struct span){ text, 12 + KEYS_API_KEY_MAX + 1 }, "BNC_API_KEY is too long");
	memcpy(text, "BNC_API_SECRET=", 15);
	refused((struct span){ text, 15 + KEYS_SECRET_MAX + 1 }, "BNC_API_SECRET is too long");
	memcpy(text, "-----BEGIN ", 11);
	memcpy(text + KEYS_SECRET_MAX, "\n-----END x", 11);
	refused((struct span){ text, KEYS_SECRET_MAX + 11 }, "a block of PEM is too long");
}

/* -------------------------------------------------------------------------------------------------------- files */

static const char *in_dir(const char *name)
{
	static char path[4][200];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, 200, "%s/%s", dir, name);
	return p;
}

static void write_file(const char *name, mode_t mode)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs("BNC_API_KEY=abc\nBNC_API_SECRET=def\n", f);
	fclose(f);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static void read_well(const char *path)
{
	char why[256] = "";

	if (!keys_read_file(&k, path, why))
		fail_msg("%s: %s", path, why);
	assert_string_equal(k.secret, "def");
}

static void read_refused(const char *path, const char *sentence)
{
	static const struct keys nothing;
	char why[256] = "";

	assert_false(keys_read_file(&k, path, why));
	assert_string_equal(why, sentence);
	assert_memory_equal(&k, &nothing, sizeof k);
}

static void modes(void **state)
{
	static const mode_t bad[] = { 0604, 0602, 0601, 0640, 0620, 0610, 0644, 0666 };

	(void)state;
	write_file("key", 0600);
	read_well(in_dir("key"));
	assert_int_equal(chmod(in_dir("key"), 0400), 0);
	read_well(in_dir("key"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(chmod(in_dir("key"), bad[i]), 0);
		read_refused(in_dir("key"), "others may read or write it; its mode should be 600");
	}
	if (geteuid() == 0) { /* root's own is fine, a stranger's is not */
		assert_int_equal(chmod(in_dir("key"), 0600), 0);
		assert_int_equal(chown(in_dir("key"), 65534, 65534), 0);
		read_refused(in_dir("key"), "it belongs to another user");
	}
}

static void no_files(void **state)
{
	(void)state;
	read_refused(in_dir("nothing"), "No such file or directory");
	read_refused("", "Is a directory");
	read_refused("/", "Is a directory");
	read_refused(dir, "not a regular file");
	read_refused("/dev/null", "not a regular file");
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	read_refused(in_dir("fifo"), "not a regular file"); /* and at once, though nobody writes to it */
	write_file("key2", 0600);
	read_refused(in_dir("key2/x"), "Not a directory");
	FILE *f = fopen(in_dir("long"), "w");
	for (int i = 0; i < KEYS_FILE_MAX; i++)
		fputc('#', f);
	fclose(f);
	assert_int_equal(chmod(in_dir("long"), 0600), 0);
	read_refused(in_dir("long"), "it is too long for a key file");
}

static void links(void **state)
{
	static const char loop[] = "Too many levels of symbolic links";
	static const char open_to_all[] =
	    "it is reached through a symbolic link in a directory where everybody may make one";
	char here[400];

	(void)state;
	write_file("real", 0600);
	assert_int_equal(symlink("real", in_dir("link")), 0);
	assert_int_equal(symlink(in_dir("link"), in_dir("absolute")), 0);
	assert_int_equal(mkdir(in_dir("sub"), 0700), 0);
	assert_int_equal(symlink("../absolute", in_dir("sub/up")), 0);
	assert_int_equal(symlink("sub", in_dir("subdir")), 0);
	read_well(in_dir("link"));
	read_well(in_dir("absolute"));
	read_well(in_dir("subdir/up"));
	read_well(in_dir("sub/.././sub//up"));
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(in_dir("sub")), 0);
	read_well("up");
	read_well("../real");
	assert_int_equal(chdir(here), 0);
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	read_refused(in_dir("loop"), loop);

	assert_int_equal(mkdir(in_dir("open"), 0700), 0);
	assert_int_equal(chmod(in_dir("open"), 01777), 0);
	assert_int_equal(symlink(in_dir("real"), in_dir("open/link")), 0);
	assert_int_equal(symlink(in_dir("sub"), in_dir("open/dir")), 0);
	assert_int_equal(symlink("open/link", in_dir("through")), 0);
	read_refused(in_dir("open/link"), open_to_all);
	read_refused(in_dir("open/dir/up"), open_to_all);
	read_refused(in_dir("through"), open_to_all);
	write_file("open/own", 0600); /* a file of our own there is nobody else's to change */
	read_well(in_dir("open/own"));
}

/* -------------------------------------------------------------------------------------------------- environment */

static bool from_environment(const char *key, const char *secret, char why[256])
{
	unsetenv("BNC_API_KEY");
	unsetenv("BNC_API_SECRET");
	if (key)
		setenv("BNC_API_KEY", key, 1);
	if (secret)
		setenv("BNC_API_SECRET", secret, 1);
	const char *at = getenv("BNC_API_SECRET");
	bool good = keys_take_environment(&k, why);
	assert_null(getenv("BNC_API_KEY"));
	assert_null(getenv("BNC_API_SECRET"));
	if (at) /* where it stood, too */
		for (size_t i = 0; i < strlen(secret); i++)
			assert_int_equal(at[i], 0);
	return good;
}

static void environment(void **state)
{
	char why[256];

	(void)state;
	assert_true(from_environment("abc", "def", why));
	assert_string_equal(k.api_key, "abc");
	assert_string_equal(k.secret, "def");
	assert_true(from_environment("abc", PEM_BLOCK "\n", why));
	assert_string_equal(k.secret, PEM_BLOCK);
	assert_false(from_environment(NULL, NULL, why));
	assert_string_equal(why, "");
	assert_false(from_environment("abc", NULL, why));
	assert_string_equal(why, "BNC_API_KEY is set, BNC_API_SECRET is not");
	assert_false(from_environment(NULL, "def", why));
	assert_string_equal(why, "BNC_API_SECRET is set, BNC_API_KEY is not");
	assert_false(from_environment("abc", "", why));
	assert_string_equal(why, "BNC_API_SECRET is empty");
	assert_false(from_environment("abc\n", "def", why));
	assert_string_equal(why, "BNC_API_KEY has blanks, line ends or other bytes in it that no key has");
	assert_false(from_environment("abc", PEM_BLOCK "\nx", why));
	assert_string_equal(why, "BNC_API_SECRET: more behind the block of PEM");
	assert_false(from_environment("abc", "-----BEGIN PRIVATE KEY-----\nc2Vj", why));
	assert_string_equal(why, "a block of PEM is cut off: its last line is missing");
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[60];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(modes),
		cmocka_unit_test(no_files),
		cmocka_unit_test(links),
		cmocka_unit_test(environment),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
