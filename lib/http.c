#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define CA_FILE_MAX  (8u << 20)
#define CA_DIRECTORY "/etc/ssl/certs" /* Debian's */
#define HEADER_MAX   512
#define MS	     1000

enum http_state {
	HTTP_IDLE,
	HTTP_ASKED, /* the thread has it */
	HTTP_DONE,  /* to be taken */
	HTTP_ENDING,
};

struct http {
	pthread_t thread;
	pthread_mutex_t lock; /* of state */
	pthread_cond_t asked;
	enum http_state state;
	bool cancel; /* read without the lock, behind a wake-up */
	int fd;	     /* owned */
	CURL *curl;  /* owned */
	CURLM *loop; /* owned; it is the one that can be woken */
	int64_t timeout;
	char agent[64];
	char *cas; /* owned: PEM, or NULL */
	size_t cas_n;

	/* the request */
	enum http_method method;
	char url[HTTP_URL_MAX + 1], header[HEADER_MAX + 1];

	struct http_answer answer;
	char *body; /* owned */
	size_t n, cap;
	bool too_long;
	char error[CURL_ERROR_SIZE];
};

/* ------------------------------------------------------------------------------------ memory that forgets itself */

static void wiping_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, size_t n)
{
	void *more = malloc(n ? n : 1);
	size_t had = p ? malloc_usable_size(p) : 0;

	if (!more)
		return NULL;
	if (p)
		memcpy(more, p, had < n ? had : n);
	wiping_free(p);
	return more;
}

static bool curl_is_there(void)
{
	static bool done;

	if (!done)
		done = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc) ==
		       CURLE_OK;
	return done;
}

/* ------------------------------------------------------------------------------------------------- authorities */

static bool fail(char why[256], const char *what, const char *reason)
{
	snprintf(why, 256, "%.160s: %.80s", what, reason);
	return false;
}

/* the file behind what is there already */
static bool add_file(struct http *h, const char *path, char why[256])
{
	FILE *f = fopen(path, "re");

	if (!f)
		return fail(why, path, strerror(errno));
	char *room = realloc(h->cas, h->cas_n + CA_FILE_MAX + 1);
	if (!room) {
		fclose(f);
		return fail(why, path, strerror(ENOMEM));
	}
	h->cas = room;
	size_t n = fread(h->cas + h->cas_n, 1, CA_FILE_MAX, f);
	bool good = !ferror(f) || fail(why, path, strerror(errno));
	fclose(f);
	if (good && !memmem(h->cas + h->cas_n, n, "-----BEGIN ", 11))
		good = fail(why, path, "no certificate in PEM in it");
	h->cas_n += n;
	h->cas[h->cas_n++] = '\n';
	return good;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool trust(struct http *h, const char *cacert, char why[256])
{
	const char *file = variable("SSL_CERT_FILE");
	const char *dir = variable("SSL_CERT_DIR");
	char ignored[256];

	/* as OpenSSL has it: a store that is not there is no error, only nobody to trust */
	if (file)
		(void)add_file(h, file, ignored);
	if (cacert && !add_file(h, cacert, why))
		return false;
	/* of a file with lists of revoked certificates in it libcurl takes these only when they are asked for */
	if (h->cas && memmem(h->cas, h->cas_n, "-----BEGIN X509 CRL-----", 24) &&
	    curl_easy_setopt(h->curl, CURLOPT_CRLFILE, cacert ? cacert : file) != CURLE_OK)
		return fail(why, "TLS", "lists of revoked certificates cannot be set");
	struct curl_blob blob = { h->cas, h->cas_n, CURL_BLOB_NOCOPY };
	return (curl_easy_setopt(h->curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
		   curl_easy_setopt(h->curl, CURLOPT_CAPATH, dir ? dir : CA_DIRECTORY) == CURLE_OK &&
		   (!h->cas || curl_easy_setopt(h->curl, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK)) ||
	       fail(why, "TLS", "certificate authorities cannot be set");
}

/* ------------------------------------------------------------------------------------------------------ answers */

static bool make_room(struct http *h, size_t n)
{
	size_t want = h->n + n + HTTP_PAD;

	if (h->n + n > HTTP_BODY_MAX) {
		h->too_long = true;
		return false;
	}
	if (want <= h->cap)
		return true;
	want = want < 2 * h->cap ? 2 * h->cap : want < 16384 ? 16384 : want;
	char *more = wiping_realloc(h->body, want);
	if (!more)
		return false;
	h->body = more;
	h->cap = want;
	return true;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct http *h = user;

	if (!make_room(h, size * n))
		return 0;
	memcpy(h->body + h->n, p, size * n);
	h->n += size * n;
	return size * n;
}

/* a header that is a number; -1: it is not there, or none */
static int64_t number_in(struct http *h, const char *name)
{
	struct curl_header *found;
	char *end;

	if (curl_easy_header(h->curl, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return -1;
	errno = 0;
	long long value = strtoll(found->value, &end, 10);
	return errno || end == found->value || *end || value < 0 ? -1 : value;
}

/* seconds or a date (RFC 9110, 10.2.3); -1: it is not there, or neither. libcurl's own takes rubbish for 0. */
static int64_t retry_after(struct http *h)
{
	struct curl_header *found;
	int64_t seconds = number_in(h, "Retry-After");

	if (seconds >= 0 || curl_easy_header(h->curl, "Retry-After", 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return seconds < INT32_MAX ? seconds : INT32_MAX;
	int64_t date = curl_getdate(found->value, NULL);
	int64_t left = date - clock_real_us() / 1000000;
	return date < 0 ? -1 : left < 0 ? 0 : left < INT32_MAX ? left : INT32_MAX;
}

static void finish_body(struct http *h)
{
	if (!make_room(h, 0))
		h->n = 0;
	for (size_t i = 0; i < h->n; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): n bytes have been put there */
		if (h->body[i] == '\n' || h->body[i] == '\r')
			h->body[i] = ' ';
	if (h->body)
		memset(h->body + h->n, '\n', HTTP_PAD);
	h->answer.body = (struct span){ h->body, h->n };
}

static void no_answer(struct http *h, CURLcode result)
{
	struct http_answer *a = &h->answer;

	a->cause = result == CURLE_PEER_FAILED_VERIFICATION ? HTTP_CERTIFICATE : HTTP_NETWORK;
	if (h->too_long)
		snprintf(a->why, sizeof a->why, "the answer is longer than %u bytes", HTTP_BODY_MAX);
	else
		snprintf(a->why, sizeof a->why, "%.200s", *h->error ? h->error : curl_easy_strerror(result));
	span_clean(a->why);
	h->n = 0;
}

/* ----------------------------------------------------------------------------------------------------- requests */

static bool prepare(struct http *h, struct curl_slist *headers)
{
	static const char *const methods[] = { "GET", "POST", "PUT" };
	CURL *c = h->curl;

	curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	if (h->method == HTTP_POST || h->method == HTTP_PUT) { /* no body, and Content-Length says so */
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, methods[h->method]);
	return curl_easy_setopt(c, CURLOPT_URL, h->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
}

/* until it is done, or given up */
static CURLcode go_on(struct http *h)
{
	int running = 1, left;

	while (running && !__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
		if (curl_multi_perform(h->loop, &running) != CURLM_OK ||
		    (running && curl_multi_poll(h->loop, NULL, 0, 1000, NULL) != CURLM_OK))
			return CURLE_FAILED_INIT;
	const CURLMsg *done = curl_multi_info_read(h->loop, &left);
	return done && done->msg == CURLMSG_DONE ? done->data.result : CURLE_ABORTED_BY_CALLBACK;
}

static CURLcode transfer(struct http *h)
{
	if (curl_multi_add_handle(h->loop, h->curl) != CURLM_OK)
		return CURLE_FAILED_INIT;
	CURLcode result = go_on(h);
	curl_multi_remove_handle(h->loop, h->curl);
	return result;
}

static void perform(struct http *h)
{
	struct http_answer *a = &h->answer;
	struct curl_slist *headers = *h->header ? curl_slist_append(NULL, h->header) : NULL;
	long status = 0;
	CURLcode result = CURLE_OUT_OF_MEMORY;

	*a = (struct http_answer){ .cause = HTTP_ANSWERED, .retry_after = -1, .weight = -1, .sent = clock_mono_us() };
	h->n = 0;
	h->too_long = false;
	h->error[0] = '\0';
	if ((headers || !*h->header) && prepare(h, headers))
		result = transfer(h);
	a->received = clock_mono_us();
	a->recv = clock_real_us();
	if (result == CURLE_OK && curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK) {
		a->status = (int)status;
		a->retry_after = retry_after(h);
		a->weight = number_in(h, "X-MBX-USED-WEIGHT-1M");
	} else {
		no_answer(h, result);
	}
	finish_body(h);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	explicit_bzero(h->url, sizeof h->url);
	explicit_bzero(h->header, sizeof h->header);
}

/* ------------------------------------------------------------------------------------------------------- thread */

static void *serve(void *user)
{
	struct http *h = user;
	const uint64_t one = 1;

	pthread_mutex_lock(&h->lock);
	while (h->state != HTTP_ENDING) {
		if (h->state != HTTP_ASKED) {
			pthread_cond_wait(&h->asked, &h->lock);
			continue;
		}
		pthread_mutex_unlock(&h->lock);
		perform(h);
		pthread_mutex_lock(&h->lock);
		if (h->state == HTTP_ASKED) {
			h->state = HTTP_DONE;
			(void)!write(h->fd, &one, sizeof one); /* the counter is 0: it takes this */
		}
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

int http_fd(const struct http *h)
{
	return h->fd;
}

bool http_begin(struct http *h, enum http_method method, struct span url, struct span header)
{
	if (url.n > HTTP_URL_MAX || header.n > HEADER_MAX)
		return false;
	pthread_mutex_lock(&h->lock);
	bool idle = h->state == HTTP_IDLE;
	if (idle) {
		h->method = method;
		memcpy(h->url, url.p, url.n);
		h->url[url.n] = '\0';
		memcpy(h->header, header.p, header.n);
		h->header[header.n] = '\0';
		h->state = HTTP_ASKED;
		pthread_cond_signal(&h->asked);
	}
	pthread_mutex_unlock(&h->lock);
	return idle;
}

bool http_take(struct http *h, struct http_answer *a)
{
	uint64_t times;

	pthread_mutex_lock(&h->lock);
	bool there = h->state == HTTP_DONE;
	if (there) {
		*a = h->answer;
		h->state = HTTP_IDLE;
		(void)!read(h->fd, &times, sizeof times);
	}
	pthread_mutex_unlock(&h->lock);
	return there;
}

/* -------------------------------------------------------------------------------------------------------- life */

static bool set_up_curl(struct http *h, const struct http_options *o, char why[256])
{
	CURL *c = h->curl = curl_easy_init();

	h->loop = curl_multi_init();
	if (!c || !h->loop || curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") != CURLE_OK)
		return fail(why, "libcurl", "cannot be set up");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, h->agent);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(HTTP_CONNECT_US / MS));
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)((o->timeout ? o->timeout : HTTP_TIMEOUT_US) / MS));
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error);
	return trust(h, o->cacert, why);
}

static void release(struct http *h)
{
	curl_easy_cleanup(h->curl);
	curl_multi_cleanup(h->loop);
	if (h->fd >= 0)
		close(h->fd);
	free(h->cas);
	wiping_free(h->body);
	pthread_cond_destroy(&h->asked);
	pthread_mutex_destroy(&h->lock);
	explicit_bzero(h, sizeof *h);
	free(h);
}

static bool begin_thread(struct http *h, char why[256])
{
	int error = pthread_create(&h->thread, NULL, serve, h);

	return error == 0 || fail(why, "a thread", strerror(error));
}

struct http *http_open(const struct http_options *o, char why[256])
{
	struct http *h = calloc(1, sizeof *h);

	if (!h || !curl_is_there()) {
		free(h);
		fail(why, "libcurl", "cannot be set up");
		return NULL;
	}
	snprintf(h->agent, sizeof h->agent, "%s", o->user_agent);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->asked, NULL);
	h->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->fd < 0)
		fail(why, "eventfd", strerror(errno));
	else if (set_up_curl(h, o, why) && begin_thread(h, why))
		return h;
	release(h);
	return NULL;
}

bool http_close(struct http *h)
{
	struct timespec until;

	if (!h)
		return true;
	pthread_mutex_lock(&h->lock);
	h->state = HTTP_ENDING;
	__atomic_store_n(&h->cancel, true, __ATOMIC_RELEASE);
	pthread_cond_signal(&h->asked);
	pthread_mutex_unlock(&h->lock);
	curl_multi_wakeup(h->loop);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	if (pthread_timedjoin_np(h->thread, NULL, &until) != 0) {
		pthread_detach(h->thread);
		return false;
	}
	release(h);
	return true;
}
