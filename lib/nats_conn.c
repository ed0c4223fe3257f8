#include "nats_conn.h"

#include <errno.h>
#include <inttypes.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bus_api.h"
#include "io.h"
#include "json.h"
#include "num.h"
#include "sandbox.h"

/* The last one in the library's list: a server that no connection can come about with. Where the handshake with the
 * last of them fails at the first attempt, libnats (3.4.1) forgets which one it was, finds none behind it, and gives up
 * for ever. */
#define NOBODY	    "nats://255.255.255.255:1"
#define HEADERS_MAX 1024 /* bytes that our headers may take of what a server accepts */

struct event {
	struct event *next;
	struct nats_conn_event e;
	bool kept; /* of the reserve */
	size_t n;  /* bytes behind it: the texts */
	char bytes[];
};

/* What happens to the connection is told also where there is no memory: nobody would ask for it again. */
#define RESERVE	     8
#define RESERVE_TEXT 256

/* What a subscription is told by. It must outlive it; of so many, one after the other, the oldest is long gone. */
#define LISTENINGS 64

struct listening {
	struct nats_conn *conn;
	unsigned life;
};

struct nats_conn {
	natsConnection *nats;
	natsSubscription *answers, *messages;
	bool was_up;
	struct listening listening[LISTENINGS];
	unsigned listened;
	char inbox[64];
	unsigned life;

	pthread_mutex_t lock;
	pthread_cond_t landed;
	unsigned delivering; /* subscriptions whose thread has not ended */
	int wake;	     /* eventfd */
	struct event *head, **tail;
	struct event *reserve;
	size_t events, bytes;
	uint64_t left_out;
	struct event *current; /* given out */
};

/* ------------------------------------------------------------------------------------------------- events */

static size_t bytes_of(const struct nats_conn_event *e)
{
	return e->reply.n + 1 + e->text.n + 1 + JSON_PAD;
}

static bool fill_reserve(struct nats_conn *c)
{
	for (unsigned i = 0; i < RESERVE; i++) {
		struct event *x = malloc(sizeof *x + 2 + RESERVE_TEXT + JSON_PAD);
		if (!x)
			return false;
		*x = (struct event){ .next = c->reserve, .kept = true };
		c->reserve = x;
	}
	return true;
}

static void let_go(struct nats_conn *c, struct event *x)
{
	if (x && x->kept) {
		x->next = c->reserve;
		c->reserve = x;
	} else {
		free(x);
	}
}

static void let_all_go(struct event *x)
{
	while (x) {
		struct event *next = x->next;
		free(x);
		x = next;
	}
}

/* NULL: none. Of what is longer than the reserve has room for the beginning is told */
static struct event *room_for(struct nats_conn *c, struct nats_conn_event *e)
{
	struct event *x = malloc(sizeof *x + bytes_of(e));

	if (x) {
		x->kept = false;
	} else if (e->what < NATS_CONN_ANSWER && c->reserve) {
		x = c->reserve;
		c->reserve = x->next;
		e->text.n = e->text.n < RESERVE_TEXT ? e->text.n : RESERVE_TEXT;
	}
	return x;
}

static void put(struct nats_conn *c, struct nats_conn_event e)
{
	pthread_mutex_lock(&c->lock);
	struct event *x = room_for(c, &e);
	size_t n = bytes_of(&e);
	bool fits = x && (e.what < NATS_CONN_ANSWER ||
			     (c->events < NATS_CONN_QUEUE && (c->events == 0 || c->bytes + n <= NATS_CONN_BYTES)));
	if (fits) {
		char *p = x->bytes;
		*x = (struct event){ .e = e, .kept = x->kept, .n = n };
		x->e.reply.p = p;
		p = (char *)memcpy(p, e.reply.n ? e.reply.p : "", e.reply.n) + e.reply.n;
		*p++ = '\0';
		x->e.text.p = p;
		p = (char *)memcpy(p, e.text.n ? e.text.p : "", e.text.n) + e.text.n;
		*p++ = '\n';
		memset(p, 0, JSON_PAD);
		*c->tail = x;
		c->tail = &x->next;
		c->events++;
		c->bytes += n;
		(void)eventfd_write(c->wake, 1);
	} else {
		c->left_out++;
		let_go(c, x);
		(void)eventfd_write(c->wake, 1);
	}
	pthread_mutex_unlock(&c->lock);
}

bool nats_conn_next(struct nats_conn *c, struct nats_conn_event *e)
{
	eventfd_t count;

	pthread_mutex_lock(&c->lock);
	let_go(c, c->current);
	c->current = c->head;
	if (c->current) {
		c->head = c->current->next;
		if (!c->head)
			c->tail = &c->head;
		c->events--;
		c->bytes -= c->current->n;
	} else {
		(void)eventfd_read(c->wake, &count);
	}
	pthread_mutex_unlock(&c->lock);
	if (c->current)
		*e = c->current->e;
	return c->current != NULL;
}

uint64_t nats_conn_left_out(struct nats_conn *c)
{
	pthread_mutex_lock(&c->lock);
	uint64_t n = c->left_out;
	pthread_mutex_unlock(&c->lock);
	return n;
}

int nats_conn_fd(const struct nats_conn *c)
{
	return c->wake;
}

/* ------------------------------------------------------------------------------------- in the library's threads */

static struct span text_of(const char *s)
{
	return s ? span_of(s) : (struct span){ "", 0 };
}

/* the connection's last word, which may be none */
static struct span last_error(natsConnection *nats, struct span otherwise)
{
	const char *text = NULL;

	return natsConnection_GetLastError(nats, &text) != NATS_OK && text && *text ? span_of(text) : otherwise;
}

static void is_up(struct nats_conn *c)
{
	pthread_mutex_lock(&c->lock);
	c->was_up = true;
	pthread_mutex_unlock(&c->lock);
	put(c, (struct nats_conn_event){ .what = NATS_CONN_UP });
}

static void on_up(natsConnection *nats, void *conn)
{
	(void)nats;
	is_up(conn);
}

static void on_down(natsConnection *nats, void *conn)
{
	put(conn, (struct nats_conn_event){ .what = NATS_CONN_DOWN, .text = last_error(nats, SPAN("it was cut")) });
}

static void on_closed(natsConnection *nats, void *conn)
{
	put(conn, (struct nats_conn_event){ .what = NATS_CONN_CLOSED, .text = last_error(nats, SPAN("closed")) });
}

/* slow consumers and refused subjects show by what does not come */
static void on_error(natsConnection *nats, natsSubscription *sub, natsStatus status, void *conn)
{
	(void)nats, (void)sub, (void)status, (void)conn;
}

/* the last token of a subject of ours, in hexadecimal */
static uint64_t token_of(const char *subject)
{
	const char *dot = strrchr(subject, '.');

	return dot ? strtoull(dot + 1, NULL, 16) : 0;
}

/* A message that is a status has no bytes, and a header in which the library puts it. */
static int status_of(natsMsg *m, const char **text)
{
	const char *value = NULL;
	uint64_t status;

	if (natsMsg_GetDataLength(m) > 0 || natsMsgHeader_Get(m, "Status", &value) != NATS_OK || !value)
		return 0;
	if (natsMsgHeader_Get(m, "Description", text) != NATS_OK)
		*text = "";
	return num_u64(span_of(value), 100, 599, &status) ? (int)status : 0;
}

static void take(struct nats_conn *c, natsMsg *m, struct nats_conn_event e)
{
	const char *description = "";

	e.status = status_of(m, &description);
	e.token = token_of(natsMsg_GetSubject(m));
	e.reply = text_of(natsMsg_GetReply(m));
	if (e.status)
		e.text = text_of(description);
	else
		e.text = (struct span){ natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m) };
	put(c, e);
	natsMsg_Destroy(m);
}

static void on_answer(natsConnection *nats, natsSubscription *sub, natsMsg *m, void *conn)
{
	(void)nats, (void)sub;
	take(conn, m, (struct nats_conn_event){ .what = NATS_CONN_ANSWER });
}

static void on_message(natsConnection *nats, natsSubscription *sub, natsMsg *m, void *listening)
{
	const struct listening *l = listening;

	(void)nats, (void)sub;
	take(l->conn, m, (struct nats_conn_event){ .what = NATS_CONN_MESSAGE, .life = l->life });
}

/* the thread of a subscription is about to end */
static void on_complete(void *conn)
{
	struct nats_conn *c = conn;

	pthread_mutex_lock(&c->lock);
	c->delivering--;
	pthread_cond_signal(&c->landed);
	pthread_mutex_unlock(&c->lock);
}

static natsStatus subscribe(
    struct nats_conn *c, natsSubscription **sub, const char *subject, natsMsgHandler take_one, void *closure)
{
	natsStatus s = natsConnection_Subscribe(sub, c->nats, subject, take_one, closure);

	if (s == NATS_OK && natsSubscription_SetOnCompleteCB(*sub, on_complete, c) == NATS_OK) {
		pthread_mutex_lock(&c->lock);
		c->delivering++;
		pthread_mutex_unlock(&c->lock);
	}
	return s;
}

/* They take what they still have with them. */
static void await_landing(struct nats_conn *c)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&c->lock);
	while (c->delivering && pthread_cond_timedwait(&c->landed, &c->lock, &until) == 0)
		;
	pthread_mutex_unlock(&c->lock);
}

/* ------------------------------------------------------------------------------------------------- opening */

char *nats_conn_servers(const char *given)
{
	char *variable = getenv("NATS_URL");
	const char *text = given ? given : variable && *variable ? variable : "nats://127.0.0.1:4222";
	char *servers = NULL;

	if (bus_api_is_servers(span_of(text), true))
		servers = strdup(text);
	else
		errno = EINVAL;
	int error = errno;
	if (variable)
		explicit_bzero(variable, strlen(variable));
	unsetenv("NATS_URL");
	errno = error;
	return servers;
}

void nats_conn_forget(char *servers)
{
	explicit_bzero(servers, strlen(servers));
	free(servers);
}

/* Who is asked is about to try NOBODY, so that the last error is that of the last server. Certificates that do not do
 * will do no better the next time, unless they have done before. That nobody is there is told once, behind the second
 * attempt: whom a server refuses hears that with it. */
static int64_t reconnect_after(natsConnection *nats, int attempts, void *conn)
{
	int64_t ms = attempts < 5 ? 50 << attempts : 1000;
	struct nats_conn *c = conn;
	const char *text;

	pthread_mutex_lock(&c->lock);
	bool was_up = c->was_up;
	pthread_mutex_unlock(&c->lock);
	if (!was_up && natsConnection_GetLastError(nats, &text) == NATS_SSL_ERROR)
		put(c, (struct nats_conn_event){ .what = NATS_CONN_CLOSED, .text = last_error(nats, SPAN("TLS")) });
	else if (!was_up && attempts == 2)
		put(c, (struct nats_conn_event){ .what = NATS_CONN_DOWN, .text = SPAN("none has come about yet") });
	return ms / 2 + random() % (ms / 2 + 1);
}

/* any order, as the library has it where the last one need not be the last */
static void shuffle(const char *list[], size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = io_random() % i;
		const char *one = list[k];
		list[k] = list[i - 1];
		list[i - 1] = one;
	}
}

static natsStatus set_servers(natsOptions *o, const char *urls)
{
	char *copy = strdup(urls), *rest = copy, *one;
	const char *list[BUS_SERVERS_MAX + 1];
	size_t n = 0;

	if (!copy)
		return NATS_NO_MEMORY;
	while ((one = strsep(&rest, ",")) && n < BUS_SERVERS_MAX)
		if (*one)
			list[n++] = one;
	shuffle(list, n);
	list[n++] = NOBODY;
	natsStatus s = natsOptions_SetServers(o, list, (int)n);
	if (s == NATS_OK)
		s = natsOptions_SetNoRandomize(o, true);
	free(copy);
	return s;
}

#define AND(call)                                                                                                      \
	do {                                                                                                           \
		if (s == NATS_OK)                                                                                      \
			s = (call);                                                                                    \
	} while (0)

/* the library has no word on a file that is not there */
static natsStatus is_there(const char *file, const char **what)
{
	*what = file;
	return access(file, R_OK) < 0 ? NATS_SYS_ERROR : NATS_OK;
}

static natsStatus set_files(natsOptions *o, const struct nats_conn_options *from, const char **what)
{
	natsStatus s = NATS_OK;

	if (from->cacert) {
		AND(is_there(from->cacert, what));
		AND(natsOptions_LoadCATrustedCertificates(o, from->cacert));
	}
	if (from->cert) {
		AND(is_there(from->key, what));
		AND(is_there(from->cert, what));
		AND(natsOptions_LoadCertificatesChain(o, from->cert, from->key));
	}
	if (from->cacert || from->cert)
		AND(natsOptions_SetSecure(o, true));
	if (from->creds) {
		AND(is_there(from->creds, what));
		AND(natsOptions_SetUserCredentialsFromFiles(o, from->creds, NULL));
	}
	return s;
}

static natsStatus set_options(
    natsOptions *o, struct nats_conn *c, const struct nats_conn_options *from, const char **what)
{
	natsStatus s = set_servers(o, from->urls);

	AND(natsOptions_SetName(o, from->name));
	AND(natsOptions_SetAllowReconnect(o, true));
	AND(natsOptions_SetMaxReconnect(o, -1));
	AND(natsOptions_SetCustomReconnectDelay(o, reconnect_after, c));
	AND(natsOptions_SetRetryOnFailedConnect(o, true, on_up, c));
	AND(natsOptions_SetReconnectedCB(o, on_up, c));
	AND(natsOptions_SetDisconnectedCB(o, on_down, c));
	AND(natsOptions_SetClosedCB(o, on_closed, c));
	AND(natsOptions_SetErrorHandler(o, on_error, c));
	AND(natsOptions_SetTimeout(o, NATS_CONN_DIAL_US / 1000));
	AND(natsOptions_SetWriteDeadline(o, NATS_CONN_WRITE_US / 1000));
	AND(natsOptions_SetPingInterval(o, NATS_CONN_PING_US / 1000));
	AND(natsOptions_SetMaxPingsOut(o, 2));
	AND(natsOptions_SetReconnectBufSize(o, 1));
	/* the library gathers for a millisecond otherwise, which is several round trips */
	AND(natsOptions_SetSendAsap(o, true));
	AND(natsOptions_SetMaxPendingMsgs(o, NATS_CONN_QUEUE));
	AND(set_files(o, from, what));
	return s;
}

static natsStatus connect_to(struct nats_conn *c, const struct nats_conn_options *from, const char **what)
{
	natsOptions *o = NULL;
	char answers[sizeof c->inbox + 8];
	natsInbox *inbox = NULL;
	natsStatus s = natsOptions_Create(&o);

	AND(set_options(o, c, from, what));
	AND(natsInbox_Create(&inbox));
	if (s == NATS_OK) {
		snprintf(c->inbox, sizeof c->inbox, "%s", (const char *)inbox);
		snprintf(answers, sizeof answers, "%s.a.*", c->inbox);
		*what = "connection";
		s = natsConnection_Connect(&c->nats, o);
		if (s == NATS_OK)
			is_up(c);
		if (s == NATS_NOT_YET_CONNECTED)
			s = NATS_OK;
	}
	AND(subscribe(c, &c->answers, answers, on_answer, c));
	if (s == NATS_CONNECTION_CLOSED) /* the server has refused it meanwhile: on_closed tells that */
		s = NATS_OK;
	natsInbox_Destroy(inbox);
	natsOptions_Destroy(o);
	return s;
}

bool nats_conn_enter_sandbox(const struct nats_conn_options *o, const char *dir, bool off)
{
	const char *const files[] = { o->creds, o->cert, o->key };
	struct sandbox s;

	sandbox_open(&s, SANDBOX_OPEN | SANDBOX_THREADS | SANDBOX_NET | SANDBOX_ANY_PORT | (dir ? SANDBOX_MAKE : 0), off);
	sandbox_names(&s);
	sandbox_certificates(&s, o->cacert);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (files[i])
			sandbox_path(&s, files[i], SANDBOX_OPEN);
	if (dir)
		sandbox_path(&s, dir, SANDBOX_OPEN | SANDBOX_MAKE);
	return sandbox_enter(&s);
}

struct nats_conn *nats_conn_open(const struct nats_conn_options *o, char why[256])
{
	struct nats_conn *c = calloc(1, sizeof *c);
	const char *what = "servers";

	snprintf(why, 256, "out of memory");
	if (!c)
		return NULL;
	c->tail = &c->head;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->landed, NULL);
	c->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (c->wake < 0 || !fill_reserve(c) || nats_Open(-1) != NATS_OK) {
		let_all_go(c->reserve);
		pthread_mutex_destroy(&c->lock);
		free(c);
		return NULL;
	}
	natsStatus s = connect_to(c, o, &what);
	if (s == NATS_OK)
		return c;
	/* the library's text may hold a URL with its password, its status does not */
	snprintf(why, 256, "%s: %s", what, s == NATS_SYS_ERROR ? strerror(errno) : natsStatus_GetText(s));
	nats_conn_close(c);
	return NULL;
}

void nats_conn_close(struct nats_conn *c)
{
	if (c->nats)
		natsConnection_Close(c->nats);
	natsSubscription_Destroy(c->messages);
	natsSubscription_Destroy(c->answers);
	natsConnection_Destroy(c->nats);
	await_landing(c);
	/* its threads end behind their callbacks */
	nats_CloseAndWait(2000);
	let_all_go(c->head);
	let_all_go(c->reserve);
	free(c->current);
	close(c->wake);
	pthread_cond_destroy(&c->landed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ------------------------------------------------------------------------------------------------- sending */

static bool connected(struct nats_conn *c)
{
	return natsConnection_Status(c->nats) == NATS_CONN_STATUS_CONNECTED;
}

static natsStatus set_header(natsMsg *m, const char *key, struct span value)
{
	char text[512];

	if (value.n == 0)
		return NATS_OK;
	if (value.n >= sizeof text)
		return NATS_INVALID_ARG;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return natsMsgHeader_Set(m, key, text);
}

bool nats_conn_ask(struct nats_conn *c, const struct nats_conn_request *r, const char **why)
{
	char reply[sizeof c->inbox + 32];
	natsMsg *m = NULL;

	*why = "not connected";
	if (!connected(c))
		return false;
	if ((int64_t)r->text.n + HEADERS_MAX > natsConnection_GetMaxPayload(c->nats)) {
		*why = NULL;
		return false;
	}
	snprintf(reply, sizeof reply, "%s.a.%" PRIx64, c->inbox, r->token);
	natsStatus s = natsMsg_Create(&m, r->subject, reply, r->text.p, (int)r->text.n);
	AND(set_header(m, "Nats-Msg-Id", r->id));
	AND(set_header(m, "Nats-Expected-Stream", r->stream));
	AND(natsConnection_PublishMsg(c->nats, m));
	natsMsg_Destroy(m);
	*why = natsStatus_GetText(s);
	return s == NATS_OK;
}

bool nats_conn_listen(struct nats_conn *c, unsigned life)
{
	char subject[sizeof c->inbox + 32];
	struct listening *l = &c->listening[c->listened++ % LISTENINGS];

	*l = (struct listening){ .conn = c, .life = life };
	natsSubscription_Destroy(c->messages);
	c->messages = NULL;
	c->life = life;
	snprintf(subject, sizeof subject, "%s.p%u.*", c->inbox, life);
	return subscribe(c, &c->messages, subject, on_message, l) == NATS_OK;
}

bool nats_conn_pull(struct nats_conn *c, const char *subject, struct span text, uint64_t token)
{
	char reply[sizeof c->inbox + 64];

	snprintf(reply, sizeof reply, "%s.p%u.%" PRIx64, c->inbox, c->life, token);
	return connected(c) && natsConnection_PublishRequest(c->nats, subject, reply, text.p, (int)text.n) == NATS_OK;
}

bool nats_conn_acknowledge(struct nats_conn *c, const char *reply)
{
	return connected(c) && natsConnection_Publish(c->nats, reply, "+ACK", 4) == NATS_OK;
}

/* how often it was made anew; UINT64_MAX: not known */
static uint64_t reconnects(struct nats_conn *c)
{
	natsStatistics *statistics = NULL;
	uint64_t n = UINT64_MAX;

	if (natsStatistics_Create(&statistics) == NATS_OK && natsConnection_GetStats(c->nats, statistics) == NATS_OK)
		natsStatistics_GetCounts(statistics, NULL, NULL, NULL, NULL, &n);
	natsStatistics_Destroy(statistics);
	return n;
}

bool nats_conn_acknowledge_surely(struct nats_conn *c, const char *reply, int64_t wait)
{
	uint64_t before = reconnects(c);

	/* the server has what came before the answer to a flush, if both went over one connection */
	return before != UINT64_MAX && nats_conn_acknowledge(c, reply) &&
	       natsConnection_FlushTimeout(c->nats, wait / 1000 + 1) == NATS_OK && reconnects(c) == before;
}
