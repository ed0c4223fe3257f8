/* hub_socket - a Unix-domain socket at a path: made by one program at a time, and found by others. */
#ifndef BNC_HUB_SOCKET_H
#define BNC_HUB_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hub_socket {
	int fd;	  /* listening */
	int lock; /* of PATH.lock, held as long as the socket is ours */
	const char *path;
	dev_t dev; /* of what we made there */
	ino_t ino;
};

/* A socket file that nobody listens at any more is replaced; one that somebody does, and a file that is no socket, are
 * not. mode: of the file. false: why[] says what is in the way. */
bool hub_socket_listen(struct hub_socket *s, const char *path, mode_t mode, char why[256]);
void hub_socket_close(struct hub_socket *s); /* the file goes, where it is still ours */

/* Does not wait. -1: errno; ENOENT and ECONNREFUSED: nobody listens there (yet), EAGAIN: too many are waiting there */
int hub_socket_connect(const char *path);

#endif
