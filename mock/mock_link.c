#include "mock_link.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>

/* leftovers of the client in the socket would turn our FIN into an RST */
static void drain(int fd)
{
	char waste[4096];

	for (int i = 0; i < 64 && recv(fd, waste, sizeof waste, MSG_DONTWAIT) > 0; i++)
		;
}

void mock_link_close(struct mock_link *l, enum mock_end how)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	if (l->fd < 0)
		return;
	if (how == MOCK_END_RST)
		setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	else if (how == MOCK_END_NOTIFY && l->ssl && SSL_is_init_finished(l->ssl))
		SSL_shutdown(l->ssl);
	if (how != MOCK_END_RST)
		drain(l->fd);
	SSL_free(l->ssl);
	close(l->fd);
	l->ssl = NULL;
	l->fd = -1;
}

/* what an SSL call wants before it can go on; false: it never will */
static bool wants(struct mock_link *l, int result)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_WANT_WRITE:
		l->want_write = true;
		return true;
	default:
		return false;
	}
}

long mock_link_read(struct mock_link *l, char *p, size_t n)
{
	if (l->ssl) {
		size_t got = 0;
		ERR_clear_error();
		int r = SSL_read_ex(l->ssl, p, n, &got);
		return r == 1 ? (long)got : wants(l, r) ? 0 : -1;
	}
	ssize_t r = recv(l->fd, p, n, 0);
	if (r > 0)
		return r;
	return r < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool mock_link_holds(const struct mock_link *l)
{
	return l->ssl && SSL_has_pending(l->ssl);
}

long mock_link_write(struct mock_link *l, const char *p, size_t n)
{
	l->want_write = false;
	if (l->ssl) {
		size_t put = 0;
		ERR_clear_error();
		int r = SSL_write_ex(l->ssl, p, n, &put);
		return r == 1 ? (long)put : wants(l, r) ? 0 : -1;
	}
	ssize_t r = send(l->fd, p, n, MSG_NOSIGNAL);
	if (r >= 0)
		return r;
	l->want_write = errno == EAGAIN;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

enum mock_link_shaken mock_link_shake(struct mock_link *l)
{
	l->want_write = false;
	if (!l->ssl)
		return MOCK_LINK_READY;
	ERR_clear_error();
	int r = SSL_accept(l->ssl);
	if (r == 1)
		return MOCK_LINK_READY;
	return wants(l, r) ? MOCK_LINK_WAIT : MOCK_LINK_FAILED;
}

void mock_link_send_below(const struct mock_link *l, const char *p, size_t n)
{
	(void)!send(l->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}
